//! The kernels for AVX-512 (F, BW, VL): 32 pre-activations or 16 sums at a time.

use std::arch::x86_64::*;

use super::kernels::{Against, Column, Kernels, LANES, Scores, Steps, Terms, WindowRows};
use super::loops::{self, vector_kernels};

/// A machine that has AVX-512; only [`Avx512::detect`] makes one.
#[derive(Clone, Copy, Debug)]
pub struct Avx512(());

impl Avx512 {
    /// `Some` where this machine has the instructions.
    #[must_use]
    pub fn detect() -> Option<Self> {
        let found = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("popcnt");
        (found && !cfg!(miri)).then_some(Self(()))
    }
}

vector_kernels!(Avx512, "avx512f,avx512bw,avx512vl,popcnt");

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,popcnt")]
fn load(values: &[i16; 64]) -> [__m512i; 2] {
    let at = values.as_ptr();
    // SAFETY: the array holds twice 512 bits, and the loads need no alignment.
    unsafe { [_mm512_loadu_si512(at.cast()), _mm512_loadu_si512(at.add(32).cast())] }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,popcnt")]
fn load16(values: &[i32; 16]) -> __m512i {
    // SAFETY: the array holds 512 bits, and the load needs no alignment.
    unsafe { _mm512_loadu_si512(values.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,popcnt")]
fn add(old: &[i16; 64], columns: &[Column<'_>], word: usize, base: i16, new: &mut [i16; 64]) {
    let base = _mm512_set1_epi16(base);
    let [mut low, mut high] = load(old).map(|values| _mm512_add_epi16(values, base));
    for column in columns {
        let bits = column.bits[word];
        let (plus, minus) = (_mm512_set1_epi16(column.step), _mm512_set1_epi16(-column.step));
        low = _mm512_add_epi16(low, _mm512_mask_blend_epi16(bits as u32, minus, plus));
        high = _mm512_add_epi16(high, _mm512_mask_blend_epi16((bits >> 32) as u32, minus, plus));
    }
    let at = new.as_mut_ptr();
    // SAFETY: the array holds twice 512 bits, and the stores need no alignment.
    unsafe {
        _mm512_storeu_si512(at.cast(), low);
        _mm512_storeu_si512(at.add(32).cast(), high);
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,popcnt")]
fn off(values: &[i16; 64]) -> u64 {
    let [low, high] = load(values).map(|values| u64::from(_mm512_movepi16_mask(values)));
    low | high << 32
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,popcnt")]
fn equal(values: &[i16; 64], value: i16) -> u64 {
    let value = _mm512_set1_epi16(value);
    let [low, high] = load(values).map(|values| u64::from(_mm512_cmpeq_epi16_mask(values, value)));
    low | high << 32
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,popcnt")]
fn append(mask: u64, on: u64, first: u32, to: &mut [u32; 64]) {
    let lanes = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    let mut count = 0;
    for quarter in 0..4 {
        let (mask, on) = ((mask >> (16 * quarter)) as u16, (on >> (16 * quarter)) as u16);
        let off = _mm512_add_epi32(lanes, _mm512_set1_epi32((2 * (first + 16 * quarter)) as i32));
        let samples = _mm512_mask_add_epi32(off, on, off, _mm512_set1_epi32(1));
        let to = &mut to[count..count + 16];
        // SAFETY: the slice holds 512 bits, and the store needs no alignment.
        unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), _mm512_maskz_compress_epi32(mask, samples)) };
        count += mask.count_ones() as usize;
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,popcnt")]
fn lane_sums(rows: &[u64], row_words: usize, amounts: &[i32]) -> [i32; 64] {
    let mut totals = [_mm512_setzero_si512(); 4];
    for (&bits, &amount) in rows.iter().step_by(row_words).zip(amounts) {
        let amount = _mm512_set1_epi32(amount);
        for (quarter, total) in totals.iter_mut().enumerate() {
            *total = _mm512_mask_add_epi32(*total, (bits >> (16 * quarter)) as u16, *total, amount);
        }
    }
    let mut sums = [0; 64];
    for (sums, total) in sums.as_chunks_mut::<16>().0.iter_mut().zip(totals) {
        // SAFETY: the array holds 512 bits, and the store needs no alignment.
        unsafe { _mm512_storeu_si512(sums.as_mut_ptr().cast(), total) };
    }
    sums
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,popcnt")]
fn sum_on(bits: &[u64], amounts: &[[i32; 64]]) -> i64 {
    let mut totals = [_mm512_setzero_si512(); 4];
    for (&bits, amounts) in bits.iter().zip(amounts) {
        for (quarter, (total, amounts)) in totals.iter_mut().zip(amounts.as_chunks::<16>().0).enumerate() {
            let on = (bits >> (16 * quarter)) as u16;
            *total = _mm512_mask_add_epi32(*total, on, *total, load16(amounts));
        }
    }
    let mut wide = _mm512_setzero_si512();
    for total in totals {
        let low = _mm512_cvtepi32_epi64(_mm512_castsi512_si256(total));
        let high = _mm512_cvtepi32_epi64(_mm512_extracti64x4_epi64::<1>(total));
        wide = _mm512_add_epi64(wide, _mm512_add_epi64(low, high));
    }
    _mm512_reduce_add_epi64(wide)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,popcnt")]
fn masked_sum(terms: &[i16; LANES], mask: u16) -> i32 {
    // SAFETY: the array holds 256 bits, and the load needs no alignment.
    let terms = unsafe { _mm256_loadu_si256(terms.as_ptr().cast()) };
    let pairs = _mm256_madd_epi16(_mm256_maskz_mov_epi16(mask, terms), _mm256_set1_epi16(1));
    let four = _mm_add_epi32(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256::<1>(pairs));
    let two = _mm_add_epi32(four, _mm_shuffle_epi32::<0b01_00_11_10>(four));
    _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32::<0b10_11_00_01>(two)))
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,popcnt")]
fn bytes(lines: &[u32; 8], shift: u32) -> u64 {
    // SAFETY: the array holds 256 bits, and the load needs no alignment.
    let lines = unsafe { _mm256_loadu_si256(lines.as_ptr().cast()) };
    let shifted = _mm256_srl_epi32(lines, _mm_cvtsi32_si128(shift as i32));
    _mm_cvtsi128_si64(_mm256_cvtepi32_epi8(shifted)) as u64
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,popcnt")]
fn write_terms(scores: &Scores, right: i16, steps: &Steps, terms: &mut Terms) {
    // SAFETY: the array holds 256 bits, and the load needs no alignment.
    let scores = unsafe { _mm256_loadu_si256(scores.0.as_ptr().cast()) };
    let base = _mm512_set1_epi32(steps.zero - i32::from(right));
    let index = _mm512_add_epi32(_mm512_cvtepi16_epi32(scores), base);
    let last = _mm512_set1_epi32(steps.changes.len() as i32 - 1);
    let index = _mm512_min_epi32(_mm512_max_epi32(index, _mm512_setzero_si512()), last);
    // SAFETY: every index is 0 to the last entry, each of 4 bytes, and there is one: steps are never empty.
    let both = unsafe { _mm512_i32gather_epi32::<4>(index, steps.changes.as_ptr().cast()) };
    let [ups, downs] = &mut terms.0;
    // SAFETY: each array holds 256 bits, and the stores need no alignment.
    unsafe {
        _mm256_storeu_si256(ups.as_mut_ptr().cast(), _mm512_cvtepi32_epi16(both));
        _mm256_storeu_si256(downs.as_mut_ptr().cast(), _mm512_cvtepi32_epi16(_mm512_srli_epi32::<16>(both)));
    }
}
