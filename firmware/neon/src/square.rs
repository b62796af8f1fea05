//! Windows of 8 by 8 over images whose rows are words.

use core::arch::aarch64::*;

use evobit::topology::{Field, Packing, Plan};

/// Neurons of a word of signs.
const WORD: u32 = 32;

/// The weights of two neurons: a row of a window is a byte.
type Pair = [u32; 4];

/// Whether a layer is one of these: a row of its input is a word, one of its output has all its neurons, and they fill words.
pub(crate) fn fits(plan: &Plan, next: Packing) -> bool {
    plan.field == Field::Window { planes: 1, height: 8, width: 8, slide: 0 }
        && plan.packing.row_words == 1
        && plan.neurons.is_multiple_of(WORD)
        && next.row_bits >= plan.neurons
}

/// Writes the signs of all neurons. Two places are a word, four thresholds as well.
#[inline(never)]
pub(crate) fn write_signs(plan: &Plan, words: &[u32], input: &[u32], output: &mut [u32]) {
    let (places, _) = words[plan.places as usize..plan.thresholds as usize].as_chunks::<8>();
    let (thresholds, _) = words[plan.thresholds as usize..plan.weights as usize].as_chunks::<4>();
    let (rows, _) = words[plan.weights as usize..plan.end as usize].as_chunks::<4>();
    let halves =
        places.as_chunks().0.iter().zip(thresholds.as_chunks().0).zip(rows.as_chunks().0.as_chunks().0);
    for ((([first, second], [low, high]), [top, bottom]), word) in halves.zip(output) {
        // SAFETY: this crate is built for processors with NEON alone, see `lib.rs`.
        *word = unsafe { sixteen(input, first, low, top) | sixteen(input, second, high, bottom) << 16 };
    }
}

/// The signs of 16 neurons.
#[inline]
#[target_feature(enable = "neon")]
fn sixteen(input: &[u32], places: &[u32; 8], thresholds: &[u32; 4], rows: &[Pair; 8]) -> u32 {
    let &[a, b, c, d, e, f, g, h] = places;
    let [i, j, k, l, m, n, o, p] = rows;
    let first = eight(input, [a, b, c, d], [i, j, k, l]);
    let second = eight(input, [e, f, g, h], [m, n, o, p]);
    let mismatches = vpaddq_u8(first, second);
    mask(vcleq_u8(mismatches, vreinterpretq_u8_u32(load(thresholds))))
}

/// The mismatches of eight neurons, each in two bytes that add up to them.
#[inline]
#[target_feature(enable = "neon")]
fn eight(input: &[u32], [a, b, c, d]: [u32; 4], [i, j, k, l]: [&Pair; 4]) -> uint8x16_t {
    let first = vpaddq_u8(counts(input, a, i), counts(input, b, j));
    let second = vpaddq_u8(counts(input, c, k), counts(input, d, l));
    vpaddq_u8(first, second)
}

/// The mismatches in every row of two neurons' windows.
#[inline]
#[target_feature(enable = "neon")]
fn counts(input: &[u32], places: u32, weights: &Pair) -> uint8x16_t {
    let (first, second) = (window(input, places & 0xffff), window(input, places >> 16));
    // Of every half word the lower byte.
    let windows = vuzp1q_u8(vreinterpretq_u8_u16(first), vreinterpretq_u8_u16(second));
    vcntq_u8(veorq_u8(windows, vreinterpretq_u8_u32(load(weights))))
}

/// The rows of a window, each in the lower byte of a half word.
#[inline]
#[target_feature(enable = "neon")]
fn window(input: &[u32], place: u32) -> uint16x8_t {
    let (row, column) = (place as usize / 32, vdupq_n_s32(-((place % 32) as i32)));
    let (halves, _) = input[row..row + 8].as_chunks::<4>();
    let (top, bottom) = (vshlq_u32(load(&halves[0]), column), vshlq_u32(load(&halves[1]), column));
    vuzp1q_u16(vreinterpretq_u16_u32(top), vreinterpretq_u16_u32(bottom))
}

/// One bit for each lane, which is all ones or zeros.
#[inline]
#[target_feature(enable = "neon")]
fn mask(lanes: uint8x16_t) -> u32 {
    const BITS: [u32; 4] = [0x0804_0201, 0x8040_2010, 0x0804_0201, 0x8040_2010];
    let bits = vandq_u8(lanes, vreinterpretq_u8_u32(load(&BITS)));
    let (low, high) = (vaddv_u8(vget_low_u8(bits)), vaddv_u8(vget_high_u8(bits)));
    u32::from(low) | u32::from(high) << 8
}

#[inline]
#[target_feature(enable = "neon")]
fn load(words: &[u32; 4]) -> uint32x4_t {
    // SAFETY: the array holds 128 bits, and the load needs no more alignment than its words.
    unsafe { vld1q_u32(words.as_ptr()) }
}
