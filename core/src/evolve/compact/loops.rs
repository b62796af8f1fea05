//! Inner loops.

use crate::bits;
use crate::network::{Window, fewest_mismatches};
use crate::topology::Plan;

/// The first sample of `inputs` on which a neuron is at its threshold or one mismatch beyond, and its mismatches. Not generic, so that
/// firmware built for size has this loop built for speed; so are the other inner loops here.
#[inline(never)]
pub(super) fn next_boundary(
    plan: &Plan,
    place: u16,
    weights: &[u32],
    threshold: u32,
    inputs: &[u32],
    window: &mut Window,
) -> Option<(usize, u32)> {
    for (sample, input) in inputs.chunks_exact(plan.packing.words()).enumerate() {
        let mismatches = fewest_mismatches(plan, place, weights, input, window);
        if mismatches.wrapping_sub(threshold) <= 1 {
            return Some((sample, mismatches));
        }
    }
    None
}

/// The first sample of `inputs` on which a neuron is on and was not, or the reverse. Whether it was is bit `position` of each row of `hidden`.
#[inline(never)]
pub(super) fn next_changed(
    (plan, place, weights, threshold): (&Plan, u16, &[u32], u32),
    inputs: &[u32],
    (hidden, hidden_words, position): (&[u32], usize, u32),
    window: &mut Window,
) -> Option<usize> {
    let rows = inputs.chunks_exact(plan.packing.words()).zip(hidden.chunks_exact(hidden_words));
    for (sample, (input, row)) in rows.enumerate() {
        let is_on = fewest_mismatches(plan, place, weights, input, window) <= threshold;
        if is_on != bits::get(row, position) {
            return Some(sample);
        }
    }
    None
}

/// Adds `amount` to the sums of the inputs that differ from their weights; of those that agree where `invert` is all ones.
///
/// Bit by bit with constant places, eight at a time: finding the next set bit costs a processor without an instruction for it more than
/// looking at all of them.
#[inline(never)]
pub(super) fn add_where(seen: &[u32], weights: &[u32], invert: u32, amount: i32, sums: &mut [i32]) {
    for ((sums, &inputs), &weights) in sums.chunks_mut(32).zip(seen).zip(weights) {
        let mut mask = inputs ^ weights ^ invert;
        let (eights, rest) = sums.as_chunks_mut::<8>();
        for eight in eights {
            for (bit, sum) in eight.iter_mut().enumerate() {
                if mask & 1 << bit != 0 {
                    *sum += amount;
                }
            }
            mask >>= 8;
        }
        for sum in rest {
            if mask & 1 != 0 {
                *sum += amount;
            }
            mask >>= 1;
        }
    }
}
