//! The inner loops of the vector landscape, one trait over instruction sets.
//!
//! Each is defined by its portable form; the others must give the same integers, which the property suite and the tests
//! here check on every machine that has them. An instruction set brings a few functions on 64 samples or 16 classes;
//! [`vector_kernels`](super::loops) puts them into the loops, which all share.

use super::loops;
use super::vectorize::Vectorize;

mod cells;
mod changes;
mod portable;
mod slide;
#[cfg(test)]
mod tests;
mod values;
mod window;

pub use cells::Cell;
pub(super) use cells::{Chunk, View, ViewMut};
pub(super) use changes::{AWAY, Against, Labels, Rises};
pub use portable::Portable;
pub(super) use portable::change_of;
pub(super) use slide::FIELD;
pub(super) use slide::Slide;
pub(super) use values::{Ahead, CHUNK, Column, LANES, Rows, Sides};
pub(super) use window::{SIDE, Window};

/// Inner loops over samples.
///
/// A *found* sample is `2 * sample + 1` where the neuron is on, `2 * sample` where it is off.
pub trait Kernels: Vectorize + Copy + Send + Sync + 'static {
    /// Writes pre-activations with `base` and all `columns` added, which must fit `C`: `new = old + base + columns`.
    fn add_columns<C: Cell>(self, old: &[Chunk<C>], columns: &[Column<'_>], base: i16, new: &mut [Chunk<C>]);

    /// Writes one bit a sample, set where the pre-activation is not negative.
    fn on_bits<C: Cell>(self, preactivations: &[Chunk<C>], bits: &mut [u64]);

    /// Writes one bit a sample, set on the boundary: where the pre-activation is 0 (just on) or -1 (just off).
    fn boundary_bits<C: Cell>(self, preactivations: &[Chunk<C>], bits: &mut [u64]);

    /// Writes which classes of which samples are at least so far ahead: `[classes, in whole blocks][samples]`, one bit each.
    fn ahead_bits(self, ahead: &[Ahead], blocks: usize, least: i16, bits: &mut [u64]);

    /// Appends the samples of the set bits of `mask`: ascending those that are off, then those that are on, whose bit of `on`
    /// is set. `first` is the number of the first chunk.
    fn found(self, mask: &[u64], on: &[u64], first: usize, found: &mut Vec<u32>);

    /// Appends the change of loss of each found sample if the neuron were flipped. `ahead` is `[samples][blocks]`. Sums must
    /// fit an `i16`.
    fn flip_changes(
        self,
        found: &[u32],
        labels: &Labels,
        ahead: &[Ahead],
        against: &Against,
        rises: &Rises,
        amounts: &mut Vec<i16>,
    );

    /// Sums the amounts of at most 2^15 found samples by side, then turns the sign of those where the neuron is off.
    fn sides(self, found: &[u32], amounts: &mut [i16]) -> Sides {
        loops::sides(found, amounts)
    }

    /// Moves the classes of the found samples: the neuron flips there.
    fn apply_moves(self, found: &[u32], labels: &Labels, ahead: &mut [Ahead], against: &Against);

    /// Adds to every lane i of `sums`, 32 for each word of a row, the sum of `amounts` over the found samples whose bit i is
    /// set in their row. No amount is greater than `most` either way; sums must fit an `i32`.
    fn sum_rows(self, rows: Rows<'_>, found: &[u32], amounts: &[i16], most: i16, sums: &mut [i32]);

    /// The sum of `amounts`, each below 2^23, over the samples whose bit is set.
    fn sum_where_on(self, bits: &[u64], amounts: &[Chunk<i32>]) -> i64;

    /// Writes the pre-activations of a neuron whose window slides.
    fn slide_row<C: Cell>(
        self,
        slide: &Slide<'_>,
        weights: u64,
        threshold: i16,
        samples: usize,
        new: &mut [Chunk<C>],
    ) {
        loops::slide_row(threshold, samples, new, |sample| slide.fewest(sample, weights));
    }

    /// Appends two words for each found sample, the bits that decide about flips of the weights of a neuron whose window slides, see
    /// [`Network::deciding`](evobit::network::Network::deciding).
    fn slide_deciding(
        self,
        slide: &Slide<'_>,
        weights: u64,
        threshold: u32,
        found: &[u32],
        rows: &mut Vec<u32>,
    ) {
        let differing = |sample| slide.differing(sample, weights, threshold + 1);
        loops::slide_deciding(weights, found, rows, differing);
    }

    /// [`Kernels::sum_rows`] of what a window shows, to 64 lanes.
    fn sum_window(self, window: &Window<'_>, found: &[u32], amounts: &[i16], most: i16, sums: &mut [i32]) {
        loops::sum_window(self, window, found, amounts, most, sums);
    }
}
