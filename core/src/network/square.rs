//! Windows of 8 by 8 units over small images.

use crate::bits;
use crate::topology::{Field, Plan};

/// The window of [`write_square_signs`]: two words of weights, a row of it in a byte.
pub(super) const SQUARE: Field = Field::Window { planes: 1, height: 8, width: 8 };

/// [`write_signs`](super::layer::write_signs) where windows are 8 by 8 and a row of the input is a word, as in images of 28 by 28. Four neurons share a word of thresholds
/// and two of places; their signs enter a word from the top.
#[inline(never)]
pub(super) fn write_square_signs(plan: &Plan, words: &[u32], input: &[u32], output: &mut [u32]) {
    let places = &words[plan.places as usize..plan.thresholds as usize];
    let thresholds = &words[plan.thresholds as usize..plan.weights as usize];
    let (rows, _) = words[plan.weights as usize..plan.end as usize].as_chunks::<2>();
    let (mut signs, mut count) = (0, 0);
    let mut output = output.iter_mut();
    let fours = places.chunks(2).zip(thresholds).zip(rows.chunks(4));
    for ((places, &thresholds), rows) in fours {
        let (first, second) = (places[0], places.get(1).copied().unwrap_or(0));
        let places = [first & 0xffff, first >> 16, second & 0xffff, second >> 16];
        let mut thresholds = thresholds;
        for (&weights, place) in rows.iter().zip(places) {
            let mismatches = bits::mismatches_of_two(square(input, place), weights);
            signs = signs >> 1 | u32::from(mismatches <= thresholds & 0xff) << 31;
            thresholds >>= 8;
        }
        count += rows.len() as u32;
        if count.is_multiple_of(32) {
            output.next().into_iter().for_each(|word| *word = signs);
        }
    }
    if !count.is_multiple_of(32) {
        output.next().into_iter().for_each(|word| *word = signs >> (32 - count % 32));
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
