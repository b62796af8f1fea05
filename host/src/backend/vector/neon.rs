//! The kernels for NEON, which every 64-bit Arm processor has: 8 pre-activations or 4 sums at a time.

use std::arch::aarch64::*;

use super::kernels::{Against, Column, Kernels, LANES, Portable, Scores, Steps, Terms, WindowRows};
use super::loops::{self, append_each as append, vector_kernels};

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
fn add(old: &[i16; 64], columns: &[Column<'_>], word: usize, base: i16, new: &mut [i16; 64]) {
    let mut sums = [vdupq_n_s16(base); 8];
    for (sum, old) in sums.iter_mut().zip(old.as_chunks::<8>().0) {
        *sum = vaddq_s16(*sum, load(old));
    }
    for column in columns {
        let bits = column.bits[word];
        let (minus, twice) = (vdupq_n_s16(-column.step), vdupq_n_s16(2 * column.step));
        for (group, sum) in sums.iter_mut().enumerate() {
            let plus = vandq_s16(lanes16((bits >> (8 * group)) as u8), twice);
            *sum = vaddq_s16(*sum, vaddq_s16(minus, plus));
        }
    }
    for (sum, new) in sums.into_iter().zip(new.as_chunks_mut::<8>().0) {
        // SAFETY: the array holds 128 bits, and the store needs no alignment.
        unsafe { vst1q_s16(new.as_mut_ptr(), sum) };
    }
}

/// One bit for each of 64 lanes of 16 bits, which are all ones or zeros.
#[inline]
#[target_feature(enable = "neon")]
fn mask_of(values: &[i16; 64], lanes: impl Fn(int16x8_t) -> uint16x8_t) -> u64 {
    // SAFETY: the array holds 128 bits, and the load needs no alignment.
    let lane_bits = unsafe { vld1q_u16([1, 2, 4, 8, 16, 32, 64, 128].as_ptr()) };
    let mut mask = 0;
    for (group, values) in values.as_chunks::<8>().0.iter().enumerate() {
        let bits = vaddvq_u16(vandq_u16(lanes(load(values)), lane_bits));
        mask |= u64::from(bits) << (8 * group);
    }
    mask
}

#[inline]
#[target_feature(enable = "neon")]
fn off(values: &[i16; 64]) -> u64 {
    mask_of(values, |values| vcltzq_s16(values))
}

#[inline]
#[target_feature(enable = "neon")]
fn equal(values: &[i16; 64], value: i16) -> u64 {
    let value = vdupq_n_s16(value);
    mask_of(values, |values| vceqq_s16(values, value))
}

#[inline]
#[target_feature(enable = "neon")]
fn lane_sums(rows: &[u64], row_words: usize, amounts: &[i32]) -> [i32; 64] {
    let mut totals = [vdupq_n_s32(0); 16];
    for (&bits, &amount) in rows.iter().step_by(row_words).zip(amounts) {
        let amount = vdupq_n_s32(amount);
        for (group, total) in totals.iter_mut().enumerate() {
            *total = vaddq_s32(*total, vandq_s32(lanes32((bits >> (4 * group)) as u32), amount));
        }
    }
    let mut sums = [0; 64];
    for (sums, total) in sums.as_chunks_mut::<4>().0.iter_mut().zip(totals) {
        // SAFETY: the array holds 128 bits, and the store needs no alignment.
        unsafe { vst1q_s32(sums.as_mut_ptr(), total) };
    }
    sums
}

#[inline]
#[target_feature(enable = "neon")]
fn sum_on(bits: &[u64], amounts: &[[i32; 64]]) -> i64 {
    let mut total = vdupq_n_s32(0);
    for (&bits, amounts) in bits.iter().zip(amounts) {
        for (group, amounts) in amounts.as_chunks::<4>().0.iter().enumerate() {
            let on = lanes32((bits >> (4 * group)) as u32);
            total = vaddq_s32(total, vandq_s32(on, load4(amounts)));
        }
    }
    vaddlvq_s32(total)
}

#[inline]
#[target_feature(enable = "neon")]
fn masked_sum(terms: &[i16; LANES], mask: u16) -> i32 {
    let (halves, _) = terms.as_chunks::<8>();
    let low = vandq_s16(lanes16(mask as u8), load(&halves[0]));
    let high = vandq_s16(lanes16((mask >> 8) as u8), load(&halves[1]));
    vaddlvq_s16(low) + vaddlvq_s16(high)
}

#[inline]
#[target_feature(enable = "neon")]
fn bytes(lines: &[u32; 8], shift: u32) -> u64 {
    let right = vdupq_n_s32(-(shift as i32));
    let at = lines.as_ptr();
    // SAFETY: the array holds twice 128 bits, and the loads need no alignment.
    let (low, high) = unsafe { (vld1q_u32(at), vld1q_u32(at.add(4))) };
    let (low, high) = (vmovn_u32(vshlq_u32(low, right)), vmovn_u32(vshlq_u32(high, right)));
    vget_lane_u64::<0>(vreinterpret_u64_u8(vmovn_u16(vcombine_u16(low, high))))
}

/// There is no instruction that looks up lanes in memory.
#[target_feature(enable = "neon")]
fn write_terms(scores: &Scores, right: i16, steps: &Steps, terms: &mut Terms) {
    Portable.write_terms(scores, right, steps, terms);
}
