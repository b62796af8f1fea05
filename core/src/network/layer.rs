//! One layer: where the parts of a neuron lie, what it sees, and the loops over neurons.

use super::square::{SQUARE, TOGETHER, write_square_signs};
use super::{Window, Writer};
use crate::bits::{self, Words};
use crate::topology::{Field, Plan, WINDOW_WORDS};

/// The signs of a layer's neurons, packed. Not generic, as [`write_scores`]: firmware built for size has these loops built for speed.
#[inline(never)]
pub(super) fn write_signs(plan: &Plan, words: &[u32], input: &[u32], row_bits: u32, output: &mut [u32]) {
    let square = !plan.is_dense()
        && plan.field == SQUARE
        && plan.packing.row_words == 1
        && plan.neurons.is_multiple_of(TOGETHER);
    if cfg!(feature = "full") && square && row_bits >= plan.neurons {
        return write_square_signs(plan, words, input, output);
    }
    let mut writer = Writer::new(output, row_bits);
    each_preactivation(plan, words, input, |preactivation| writer.push(preactivation >= 0));
    writer.finish();
}

/// The pre-activations of the last layer.
#[inline(never)]
pub(super) fn write_scores(plan: &Plan, words: &[u32], input: &[u32], scores: &mut [i32]) {
    let mut scores = scores.iter_mut();
    each_preactivation(plan, words, input, |preactivation| {
        scores.next().into_iter().for_each(|score| *score = preactivation);
    });
}

/// Hands the pre-activation of every neuron of a layer, in order, to `each`.
#[inline]
fn each_preactivation(plan: &Plan, words: &[u32], input: &[u32], mut each: impl FnMut(i32)) {
    let rows = words[plan.weights as usize..plan.end as usize].chunks_exact(plan.row_words as usize);
    let mut window = [0; WINDOW_WORDS];
    for (neuron, row) in (0..).zip(rows) {
        let mismatches = match plan.field {
            _ if plan.is_dense() => bits::mismatches(&input[..plan.row_words as usize], row),
            _ => {
                fewest_mismatches(plan, field(words, plan.places, 16, neuron) as u16, row, input, &mut window)
            }
        };
        let threshold = field(words, plan.thresholds, plan.threshold_bits, neuron);
        each(threshold as i32 - mismatches as i32);
    }
}

/// First word of a neuron's weights.
#[inline]
pub(crate) const fn row_start(plan: &Plan, neuron: u32) -> usize {
    (plan.weights + neuron * plan.row_words) as usize
}

/// Entry `index` of a table of 8- or 16-bit numbers that begins at word `start`.
#[inline]
pub(super) fn field(words: impl Words, start: u32, field_bits: u32, index: u32) -> u32 {
    let bit = index * field_bits;
    words.word((start + bit / 32) as usize) >> (bit % 32) & ((1 << field_bits) - 1)
}

/// Writes entry `index` of such a table.
#[inline]
pub(crate) fn set_field(words: &mut [u32], start: u32, field_bits: u32, index: u32, value: u32) {
    let bit = index * field_bits;
    let mask = ((1 << field_bits) - 1) << (bit % 32);
    let word = &mut words[(start + bit / 32) as usize];
    *word = *word & !mask | (value << (bit % 32)) & mask;
}

/// How many of the bits that a neuron at `place` sees differ from its weights; of a window that slides, at the position where that are
/// the fewest.
#[inline]
pub(crate) fn fewest_mismatches<W: Words>(
    plan: &Plan,
    place: u16,
    weights: W,
    input: &[u32],
    window: &mut Window,
) -> u32 {
    let mut fewest = bits::mismatches(see(plan, place, input, window), weights);
    if plan.slide() > 0 {
        for place in plan.positions(place).skip(1) {
            fewest = fewest.min(bits::mismatches(see(plan, place, input, window), weights));
        }
    }
    fewest
}

/// What decides about single flips of a neuron's weights, see [`Network::deciding`].
#[inline]
pub(crate) fn decide<'b, W: Words>(
    plan: &Plan,
    (place, threshold): (u16, u32),
    weights: W,
    input: &'b [u32],
    window: &'b mut Window,
) -> &'b [u32] {
    if plan.slide() == 0 {
        return see(plan, place, input, window);
    }
    let (mut at_position, mut differ) = ([0; WINDOW_WORDS], [0; WINDOW_WORDS]);
    for place in plan.positions(place) {
        let seen = see(plan, place, input, &mut at_position);
        if bits::mismatches(seen, weights) <= threshold + 1 {
            for (index, (differ, seen)) in differ.iter_mut().zip(seen).enumerate() {
                *differ |= seen ^ weights.word(index);
            }
        }
    }
    let deciding = &mut window[..plan.row_words as usize];
    for (index, (deciding, differ)) in deciding.iter_mut().zip(differ).enumerate() {
        *deciding = differ ^ weights.word(index);
    }
    deciding
}

/// The packed bits that a neuron at `place` sees: its input in a dense layer, else gathered into `window`.
#[cfg_attr(feature = "full", inline)]
#[cfg_attr(not(feature = "full"), inline(never))]
pub(crate) fn see<'b>(plan: &Plan, place: u16, input: &'b [u32], window: &'b mut Window) -> &'b [u32] {
    match plan.field {
        // Cut, so that an input that is too short is noticed here instead of compared in part.
        _ if plan.is_dense() => &input[..plan.row_words as usize],
        Field::Dense => &input[..plan.row_words as usize],
        Field::Window { planes, height, width, .. } => {
            gather(plan, [planes, height, width], input, place, window);
            &window[..plan.row_words as usize]
        }
    }
}

/// Packs the units of one window, row after row, plane after plane, into `window`.
#[inline]
fn gather(plan: &Plan, [planes, height, width]: [u16; 3], input: &[u32], place: u16, window: &mut Window) {
    if planes == 1 && plan.packing.row_words == 1 && width.is_power_of_two() {
        return gather_narrow(usize::from(height), u32::from(width), input, place, window);
    }
    let (shift, width) = (u32::from(place) % 32, u32::from(width));
    let mask = bits::tail_mask(width);
    let row_words = plan.packing.row_words as usize;
    let mut plane_start = usize::from(place) / 32;
    let (mut word, mut used, mut filled) = (0, 0, 0);
    for _ in 0..planes {
        let mut index = plane_start;
        for _ in 0..height {
            let mut row = input[index] >> shift;
            if shift + width > 32 {
                row |= input[index + 1] << (32 - shift);
            }
            row &= mask;
            word |= row << used;
            used += width;
            if used >= 32 {
                window[filled] = word;
                filled += 1;
                used -= 32;
                word = if used == 0 { 0 } else { row >> (width - used) };
            }
            index += row_words;
        }
        plane_start += usize::from(plan.input.height) * row_words;
    }
    if used > 0 {
        window[filled] = word;
    }
}

/// The same where a row of the input is one word and rows of the window fill words evenly, as in small images.
#[inline]
fn gather_narrow(height: usize, width: u32, input: &[u32], place: u16, window: &mut Window) {
    let (shift, start) = (u32::from(place) % 32, usize::from(place) / 32);
    let mask = bits::tail_mask(width);
    for (rows, word) in input[start..start + height].chunks(32 / width as usize).zip(window) {
        *word = 0;
        for (row, position) in rows.iter().zip((0..32).step_by(width as usize)) {
            *word |= (row >> shift & mask) << position;
        }
    }
}
