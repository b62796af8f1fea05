//! The portable form: what every other form must equal.

use super::super::loops;
use super::super::vectorize::{Loop, Vectorize};
use super::{Against, Ahead, Cell, Chunk, Column, Kernels, Labels, Rises, Rows};

/// No particular instructions.
#[derive(Clone, Copy, Debug)]
pub struct Portable;

impl Vectorize for Portable {
    fn vectorize<T: Loop>(self, body: T) -> T::Output {
        body.run()
    }
}

impl Kernels for Portable {
    fn add_columns<C: Cell>(self, old: &[Chunk<C>], columns: &[Column<'_>], base: i16, new: &mut [Chunk<C>]) {
        for (word, (old, new)) in old.iter().zip(new).enumerate() {
            for (index, (old, new)) in old.0.iter().zip(&mut new.0).enumerate() {
                let column = |column: &Column<'_>| {
                    if column.bits[word] >> index & 1 == 1 { column.step } else { -column.step }
                };
                *new = C::from_wide(old.wide() + base + columns.iter().map(column).sum::<i16>());
            }
        }
    }

    fn on_bits<C: Cell>(self, preactivations: &[Chunk<C>], bits: &mut [u64]) {
        for (chunk, bits) in preactivations.iter().zip(bits) {
            *bits = mask_of(chunk, |value| value >= 0);
        }
    }

    fn boundary_bits<C: Cell>(self, preactivations: &[Chunk<C>], bits: &mut [u64]) {
        for (chunk, bits) in preactivations.iter().zip(bits) {
            *bits = mask_of(chunk, |value| value == 0 || value == -1);
        }
    }

    fn ahead_bits(self, ahead: &[Ahead], blocks: usize, least: i16, bits: &mut [u64]) {
        loops::ahead_bits(ahead, blocks, least, bits);
    }

    fn found(self, mask: &[u64], on: &[u64], first: usize, found: &mut Vec<u32>) {
        for side in [0, u64::MAX] {
            for (word, (&mask, &on)) in mask.iter().zip(on).enumerate() {
                append(mask & !(on ^ side), on, first + word, found);
            }
        }
    }

    fn flip_changes(
        self,
        found: &[u32],
        labels: &Labels,
        ahead: &[Ahead],
        against: &Against,
        rises: &Rises,
        amounts: &mut Vec<i16>,
    ) {
        loops::flip_changes(found, labels, ahead, against, amounts, |ahead, shift, falls| {
            change_of(ahead, shift, falls, rises)
        });
    }

    fn apply_moves(self, found: &[u32], labels: &Labels, ahead: &mut [Ahead], against: &Against) {
        loops::apply_moves(found, labels, ahead, against);
    }

    fn sum_rows(self, rows: Rows<'_>, found: &[u32], amounts: &[i16], _: i16, sums: &mut [i32]) {
        for (&found, &amount) in found.iter().zip(amounts) {
            let first = found as usize / 2 * rows.words;
            for (lanes, &bits) in sums.chunks_mut(32).zip(&rows.bits[first..first + rows.words]) {
                for (index, sum) in lanes.iter_mut().enumerate() {
                    *sum += i32::from(amount) & ((bits >> index & 1) as i32).wrapping_neg();
                }
            }
        }
    }

    fn sum_where_on(self, bits: &[u64], amounts: &[Chunk<i32>]) -> i64 {
        let word = |(&bits, amounts): (&u64, &Chunk<i32>)| -> i64 {
            let on = |(index, &amount): (u32, &i32)| i64::from(amount) & -((bits >> index & 1) as i64);
            (0..).zip(&amounts.0).map(on).sum()
        };
        bits.iter().zip(amounts).map(word).sum()
    }
}

/// One bit for each sample of a chunk.
fn mask_of<C: Cell>(chunk: &Chunk<C>, is: impl Fn(i16) -> bool) -> u64 {
    let bits = (0..).zip(&chunk.0).map(|(index, &value)| u64::from(is(value.wide())) << index);
    bits.fold(0, |mask, bit| mask | bit)
}

/// Appends the samples of a word one at a time.
fn append(mut mask: u64, on: u64, word: usize, found: &mut Vec<u32>) {
    while mask != 0 {
        let lane = mask.trailing_zeros();
        found.push(2 * (64 * word as u32 + lane) + (on >> lane & 1) as u32);
        mask &= mask - 1;
    }
}

/// The change of loss of a sample by the classes of one block, see [`Against`].
pub(in super::super) fn change_of(ahead: &Ahead, shift: &Ahead, falls: bool, rises: &Rises) -> i16 {
    let places = ahead.0.iter().zip(&shift.0).map(|(&ahead, &shift)| ahead.saturating_sub(shift));
    let rise: i16 = places.map(|place| rises.at(place)).sum();
    if falls { -rise } else { rise }
}
