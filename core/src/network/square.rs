//! Windows of 8 by 8 units over small images.

use crate::bits;
use crate::topology::{Field, Plan};

/// The window of [`write_square_signs`]: two words of weights, a row of it in a byte.
pub(super) const SQUARE: Field = Field::Window { planes: 1, height: 8, width: 8, slide: 0 };

/// Neurons that share a word of thresholds.
pub(super) const TOGETHER: u32 = 4;

/// [`write_signs`](super::layer::write_signs) where windows are 8 by 8 and a row of the input is a word, as in images of 28 by 28, for a number of
/// neurons that four divide. Four share a word of thresholds and two of places; their signs enter a word from the top.
#[inline(never)]
pub(super) fn write_square_signs(plan: &Plan, words: &[u32], input: &[u32], output: &mut [u32]) {
    let (places, _) = words[plan.places as usize..plan.thresholds as usize].as_chunks::<2>();
    let thresholds = &words[plan.thresholds as usize..plan.weights as usize];
    let (rows, _) = words[plan.weights as usize..plan.end as usize].as_chunks::<2>();
    let (rows, _) = rows.as_chunks::<4>();
    let parts = places.chunks(8).zip(thresholds.chunks(8)).zip(rows.chunks(8));
    for (((places, thresholds), rows), word) in parts.zip(output) {
        let mut signs = 0;
        for ((&[first, second], &thresholds), &[a, b, c, d]) in places.iter().zip(thresholds).zip(rows) {
            let mut enter = |place: u32, threshold: u32, weights: [u32; 2]| {
                let mismatches = bits::mismatches_of_two(square(input, place), weights);
                signs = signs >> 1 | u32::from(mismatches <= threshold) << 31;
            };
            enter(first & 0xffff, thresholds & 0xff, a);
            enter(first >> 16, thresholds >> 8 & 0xff, b);
            enter(second & 0xffff, thresholds >> 16 & 0xff, c);
            enter(second >> 16, thresholds >> 24, d);
        }
        *word = signs >> (32 - 4 * rows.len());
    }
}

/// The 64 units of a window of 8 by 8 at a place.
#[inline]
fn square(input: &[u32], place: u32) -> [u32; 2] {
    let (shift, row) = (place % 32, place as usize / 32);
    let &[a, b, c, d, e, f, g, h] = &input[row..row + 8] else { return [0; 2] };
    let cut = |row: u32| row >> shift & 0xff;
    [cut(a) | cut(b) << 8 | cut(c) << 16 | cut(d) << 24, cut(e) | cut(f) << 8 | cut(g) << 16 | cut(h) << 24]
}
