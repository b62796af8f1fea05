//! The kernels for NEON, which every 64-bit Arm processor has: 16 or 8 pre-activations, or 8 sums at a time.

use std::arch::aarch64::*;

use super::implement::vector_kernels;
use super::kernels::{
    self, Against, Ahead, Cell, Chunk, Column, Kernels, Labels, Rises, Rows, Slide, View, ViewMut,
};
use super::loops::{self, append_each as append};
use super::vectorize::{Loop, Vectorize};

/// A machine that has NEON; only [`Neon::detect`] makes one.
#[derive(Clone, Copy, Debug)]
pub struct Neon(());

impl Neon {
    /// `Some` where this machine has the instructions.
    #[must_use]
    pub fn detect() -> Option<Self> {
        (std::arch::is_aarch64_feature_detected!("neon") && !cfg!(miri)).then_some(Self(()))
    }
}

impl Vectorize for Neon {
    fn vectorize<T: Loop>(self, body: T) -> T::Output {
        // Every 64-bit Arm target has NEON.
        body.run()
    }
}

vector_kernels!(Neon, "neon");

#[inline]
#[target_feature(enable = "neon")]
fn load(values: &[i16; 8]) -> int16x8_t {
    // SAFETY: the array holds 128 bits, and the load needs no alignment.
    unsafe { vld1q_s16(values.as_ptr()) }
}

#[inline]
#[target_feature(enable = "neon")]
fn load4(values: &[i32; 4]) -> int32x4_t {
    // SAFETY: the array holds 128 bits, and the load needs no alignment.
    unsafe { vld1q_s32(values.as_ptr()) }
}

/// Lanes of 16 bits, all ones where the bit is set.
#[inline]
#[target_feature(enable = "neon")]
fn lanes16(bits: u8) -> int16x8_t {
    // SAFETY: the array holds 128 bits, and the load needs no alignment.
    let lane_bits = unsafe { vld1q_u16([1, 2, 4, 8, 16, 32, 64, 128].as_ptr()) };
    vreinterpretq_s16_u16(vtstq_u16(vdupq_n_u16(bits.into()), lane_bits))
}

/// Lanes of 32 bits, all ones where the lowest bits are set.
#[inline]
#[target_feature(enable = "neon")]
fn lanes32(bits: u32) -> int32x4_t {
    // SAFETY: the array holds 128 bits, and the load needs no alignment.
    let lane_bits = unsafe { vld1q_u32([1, 2, 4, 8].as_ptr()) };
    vreinterpretq_s32_u32(vtstq_u32(vdupq_n_u32(bits), lane_bits))
}

#[inline]
#[target_feature(enable = "neon")]
fn load16(values: &[i8; 16]) -> int8x16_t {
    // SAFETY: the array holds 128 bits, and the load needs no alignment.
    unsafe { vld1q_s8(values.as_ptr()) }
}

/// Lanes of 8 bits, all ones where the bit is set.
#[inline]
#[target_feature(enable = "neon")]
fn lanes8(bits: u16) -> int8x16_t {
    const LANE_BITS: [u8; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128];
    // SAFETY: the array holds 128 bits, and the load needs no alignment.
    let lane_bits = unsafe { vld1q_u8(LANE_BITS.as_ptr()) };
    let bytes = vcombine_u8(vdup_n_u8(bits as u8), vdup_n_u8((bits >> 8) as u8));
    vreinterpretq_s8_u8(vtstq_u8(bytes, lane_bits))
}

#[inline]
#[target_feature(enable = "neon")]
fn add<C: Cell>(old: &Chunk<C>, columns: &[Column<'_>], word: usize, base: i16, new: &mut Chunk<C>) {
    match (C::view(old), C::view_mut(new)) {
        (View::Narrow(old), ViewMut::Narrow(new)) => {
            let mut sums = [vdupq_n_s8(base as i8); 4];
            for (sum, old) in sums.iter_mut().zip(old.0.as_chunks::<16>().0) {
                *sum = vaddq_s8(*sum, load16(old));
            }
            for column in columns {
                let (bits, twice) = (column.bits[word], vdupq_n_s8(2 * column.step as i8));
                for (group, sum) in sums.iter_mut().enumerate() {
                    let plus = vandq_s8(lanes8((bits >> (16 * group)) as u16), twice);
                    *sum = vaddq_s8(*sum, plus);
                }
            }
            for (sum, new) in sums.into_iter().zip(new.0.as_chunks_mut::<16>().0) {
                // SAFETY: the array holds 128 bits, and the store needs no alignment.
                unsafe { vst1q_s8(new.as_mut_ptr(), sum) };
            }
        }
        (View::Wide(old), ViewMut::Wide(new)) => {
            let mut sums = [vdupq_n_s16(base); 8];
            for (sum, old) in sums.iter_mut().zip(old.0.as_chunks::<8>().0) {
                *sum = vaddq_s16(*sum, load(old));
            }
            for column in columns {
                let (bits, twice) = (column.bits[word], vdupq_n_s16(2 * column.step));
                for (group, sum) in sums.iter_mut().enumerate() {
                    *sum = vaddq_s16(*sum, vandq_s16(lanes16((bits >> (8 * group)) as u8), twice));
                }
            }
            for (sum, new) in sums.into_iter().zip(new.0.as_chunks_mut::<8>().0) {
                // SAFETY: the array holds 128 bits, and the store needs no alignment.
                unsafe { vst1q_s16(new.as_mut_ptr(), sum) };
            }
        }
        _ => {}
    }
}

/// One bit for each of 64 lanes of 8 bits, which are all ones or zeros.
#[inline]
#[target_feature(enable = "neon")]
fn mask_of_bytes(values: &Chunk<i8>, lanes: impl Fn(int8x16_t) -> uint8x16_t) -> u64 {
    // SAFETY: the array holds 64 bits, and the load needs no alignment.
    let lane_bits = unsafe { vld1_u8([1, 2, 4, 8, 16, 32, 64, 128].as_ptr()) };
    let mut mask = 0;
    for (group, values) in values.0.as_chunks::<16>().0.iter().enumerate() {
        let lanes = lanes(load16(values));
        let low = vaddv_u8(vand_u8(vget_low_u8(lanes), lane_bits));
        let high = vaddv_u8(vand_u8(vget_high_u8(lanes), lane_bits));
        mask |= (u64::from(low) | u64::from(high) << 8) << (16 * group);
    }
    mask
}

/// One bit for each of 64 lanes of 16 bits, which are all ones or zeros.
#[inline]
#[target_feature(enable = "neon")]
fn mask_of(values: &Chunk<i16>, lanes: impl Fn(int16x8_t) -> uint16x8_t) -> u64 {
    // SAFETY: the array holds 128 bits, and the load needs no alignment.
    let lane_bits = unsafe { vld1q_u16([1, 2, 4, 8, 16, 32, 64, 128].as_ptr()) };
    let mut mask = 0;
    for (group, values) in values.0.as_chunks::<8>().0.iter().enumerate() {
        let bits = vaddvq_u16(vandq_u16(lanes(load(values)), lane_bits));
        mask |= u64::from(bits) << (8 * group);
    }
    mask
}

#[inline]
#[target_feature(enable = "neon")]
fn off<C: Cell>(values: &Chunk<C>) -> u64 {
    match C::view(values) {
        View::Narrow(values) => mask_of_bytes(values, |values| vcltzq_s8(values)),
        View::Wide(values) => mask_of(values, |values| vcltzq_s16(values)),
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn equal<C: Cell>(values: &Chunk<C>, value: i16) -> u64 {
    match C::view(values) {
        View::Narrow(values) => {
            let value = vdupq_n_s8(value as i8);
            mask_of_bytes(values, |values| vceqq_s8(values, value))
        }
        View::Wide(values) => {
            let value = vdupq_n_s16(value);
            mask_of(values, |values| vceqq_s16(values, value))
        }
    }
}

#[target_feature(enable = "neon")]
fn sum_rows(rows: Rows<'_>, found: &[u32], amounts: &[i16], most: i16, sums: &mut [i32]) {
    let chunk = loops::amounts_in_sum(most);
    for first in 0..rows.words {
        for (found, amounts) in found.chunks(chunk).zip(amounts.chunks(chunk)) {
            let mut totals = [vdupq_n_s16(0); 4];
            for (&found, &amount) in found.iter().zip(amounts) {
                let bits = rows.bits[found as usize / 2 * rows.words + first];
                let amount = vdupq_n_s16(amount);
                for (group, total) in totals.iter_mut().enumerate() {
                    *total = vaddq_s16(*total, vandq_s16(lanes16((bits >> (8 * group)) as u8), amount));
                }
            }
            for (total, sums) in totals.into_iter().zip(sums[32 * first..].as_chunks_mut::<8>().0) {
                let mut lanes = [0; 8];
                // SAFETY: the array holds 128 bits, and the store needs no alignment.
                unsafe { vst1q_s16(lanes.as_mut_ptr(), total) };
                for lane in 0..8 {
                    sums[lane] += i32::from(lanes[lane]);
                }
            }
        }
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn sum_on(bits: &[u64], amounts: &[Chunk<i32>]) -> i64 {
    let mut total = vdupq_n_s32(0);
    for (&bits, amounts) in bits.iter().zip(amounts) {
        for (group, amounts) in amounts.0.as_chunks::<4>().0.iter().enumerate() {
            let on = lanes32((bits >> (4 * group)) as u32);
            total = vaddq_s32(total, vandq_s32(on, load4(amounts)));
        }
    }
    vaddlvq_s32(total)
}

/// There is no instruction that looks up lanes in memory.
#[target_feature(enable = "neon")]
fn flip_changes(
    found: &[u32],
    labels: &Labels,
    ahead: &[Ahead],
    against: &Against,
    rises: &Rises,
    amounts: &mut Vec<i16>,
) {
    loops::flip_changes(found, labels, ahead, against, amounts, |ahead, shift, falls| {
        kernels::change_of(ahead, shift, falls, rises)
    });
}

#[target_feature(enable = "neon")]
fn slide_row<C: Cell>(slide: &Slide<'_>, weights: u64, threshold: i16, samples: usize, new: &mut [Chunk<C>]) {
    loops::slide_row(threshold, samples, new, |sample| slide.fewest(sample, weights));
}

#[target_feature(enable = "neon")]
fn slide_deciding(slide: &Slide<'_>, weights: u64, threshold: u32, found: &[u32], rows: &mut Vec<u32>) {
    let differing = |sample| slide.differing(sample, weights, threshold + 1);
    loops::slide_deciding(weights, found, rows, differing);
}
