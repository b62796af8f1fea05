//! The kernels for AVX-512 (F, BW, VL): 32 pre-activations or 16 sums at a time.

use std::arch::x86_64::*;

use super::kernels::{self, Against, Kernels, LANES, Portable, Terms, WindowRows};

/// A machine that has AVX-512; only [`Avx512::detect`] makes one.
#[derive(Clone, Copy, Debug)]
pub struct Avx512(());

impl Avx512 {
    /// `Some` where this machine has the instructions.
    #[must_use]
    pub fn detect() -> Option<Self> {
        let found = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl");
        found.then_some(Self(()))
    }
}

impl Kernels for Avx512 {
    fn add_column(self, preactivations: &mut [i16], column: &[u64], step: i16) {
        // SAFETY: `detect` found the instructions.
        unsafe { add_column(preactivations, column, step) }
    }

    fn boundary(self, preactivations: &[i16], found: &mut Vec<u32>) {
        // SAFETY: `detect` found the instructions.
        unsafe { boundary(preactivations, found) }
    }

    fn sign_changes(self, old: &[i16], new: &[i16], found: &mut Vec<u32>) {
        // SAFETY: `detect` found the instructions.
        unsafe { sign_changes(old, new, found) }
    }

    fn sum_where_set(self, rows: &[u64], row_words: usize, amounts: &[i32], sums: &mut [i32]) {
        // SAFETY: `detect` found the instructions.
        unsafe { sum_where_set(rows, row_words, amounts, sums) }
    }

    fn sum_where_on(self, preactivations: &[i16], amounts: &[i32]) -> i64 {
        // SAFETY: `detect` found the instructions.
        unsafe { sum_where_on(preactivations, amounts) }
    }

    fn flip_changes(
        self,
        found: &[u32],
        labels: &[u8],
        terms: &[Terms],
        against: &Against,
        amounts: &mut Vec<i32>,
    ) {
        // SAFETY: `detect` found the instructions.
        unsafe { flip_changes(found, labels, terms, against, amounts) }
    }

    fn window_rows(
        self,
        found: &[u32],
        inputs: &[u32],
        input_words: usize,
        window: &WindowRows,
        rows: &mut Vec<u64>,
    ) {
        // SAFETY: `detect` found the instructions.
        unsafe { window_rows(found, inputs, input_words, window, rows) }
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn load(values: &[i16; 32]) -> __m512i {
    // SAFETY: 32 times 16 bits are 512, and the load needs no alignment.
    unsafe { _mm512_loadu_si512(values.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn load_amounts(values: &[i32; 16]) -> __m512i {
    // SAFETY: 16 times 32 bits are 512, and the load needs no alignment.
    unsafe { _mm512_loadu_si512(values.as_ptr().cast()) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn add_column(preactivations: &mut [i16], column: &[u64], step: i16) {
    let (plus, minus) = (_mm512_set1_epi16(step), _mm512_set1_epi16(-step));
    let (chunks, rest) = preactivations.as_chunks_mut::<32>();
    for (index, chunk) in chunks.iter_mut().enumerate() {
        let bits = (column[index / 2] >> (index % 2 * 32)) as u32;
        let sum = _mm512_add_epi16(load(chunk), _mm512_mask_blend_epi16(bits, minus, plus));
        // SAFETY: the chunk holds 512 bits, and the store needs no alignment.
        unsafe { _mm512_storeu_si512(chunk.as_mut_ptr().cast(), sum) };
    }
    if let (Some(&last), false) = (column.last(), rest.is_empty()) {
        Portable.add_column(rest, &[last >> (chunks.len() % 2 * 32)], step);
    }
}

/// Appends `2 * sample + on` for the samples of `mask`.
#[inline(always)]
fn append(mut mask: u32, on: u32, first: u32, found: &mut Vec<u32>) {
    let mut samples = [0; 32];
    let mut count = 0;
    while mask != 0 {
        let lane = mask.trailing_zeros();
        samples[count] = 2 * (first + lane) + (on >> lane & 1);
        count += 1;
        mask &= mask - 1;
    }
    found.extend_from_slice(&samples[..count]);
}

/// Appends what the portable form finds in the last samples, from `first` on.
fn append_rest(first: usize, found: &mut Vec<u32>, find: impl FnOnce(&mut Vec<u32>)) {
    let start = found.len();
    find(found);
    found[start..].iter_mut().for_each(|found| *found += 2 * first as u32);
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn boundary(preactivations: &[i16], found: &mut Vec<u32>) {
    let (chunks, rest) = preactivations.as_chunks::<32>();
    for (index, chunk) in chunks.iter().enumerate() {
        let values = load(chunk);
        let on = _mm512_cmpeq_epi16_mask(values, _mm512_setzero_si512());
        let off = _mm512_cmpeq_epi16_mask(values, _mm512_set1_epi16(-1));
        append(on | off, on, 32 * index as u32, found);
    }
    append_rest(32 * chunks.len(), found, |found| Portable.boundary(rest, found));
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn sign_changes(old: &[i16], new: &[i16], found: &mut Vec<u32>) {
    let ((olds, old_rest), (news, new_rest)) = (old.as_chunks::<32>(), new.as_chunks::<32>());
    for (index, (old, new)) in olds.iter().zip(news).enumerate() {
        let off = _mm512_movepi16_mask(load(old));
        let changed = off ^ _mm512_movepi16_mask(load(new));
        append(changed, !off, 32 * index as u32, found);
    }
    append_rest(32 * olds.len(), found, |found| Portable.sign_changes(old_rest, new_rest, found));
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn sum_where_set(rows: &[u64], row_words: usize, amounts: &[i32], sums: &mut [i32]) {
    for (word, lanes) in sums.chunks_mut(64).enumerate() {
        let mut totals = [_mm512_setzero_si512(); 4];
        for (&bits, &amount) in rows[word.min(rows.len())..].iter().step_by(row_words).zip(amounts) {
            let amount = _mm512_set1_epi32(amount);
            for (quarter, total) in totals.iter_mut().enumerate() {
                *total = _mm512_mask_add_epi32(*total, (bits >> (16 * quarter)) as u16, *total, amount);
            }
        }
        for (lanes, total) in lanes.chunks_mut(16).zip(totals) {
            let mut whole = [0i32; 16];
            // SAFETY: the array holds 512 bits, and the store needs no alignment.
            unsafe { _mm512_storeu_si512(whole.as_mut_ptr().cast(), total) };
            lanes.copy_from_slice(&whole[..lanes.len()]);
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn sum_where_on(preactivations: &[i16], amounts: &[i32]) -> i64 {
    let ((values, value_rest), (amounts, amount_rest)) =
        (preactivations.as_chunks::<32>(), amounts.as_chunks::<16>());
    // Whole chunks of 32 samples, two of 16 amounts; what is left of either goes the portable way.
    let (pairs, odd) = amounts.as_chunks::<2>();
    let mut sum = 0;
    // An amount is below 2^23, so 100 of them stay within an i32.
    for (values, pairs) in values.chunks(50).zip(pairs.chunks(50)) {
        let mut total = _mm512_setzero_si512();
        for (values, [low, high]) in values.iter().zip(pairs) {
            let on = !_mm512_movepi16_mask(load(values));
            total = _mm512_mask_add_epi32(total, on as u16, total, load_amounts(low));
            total = _mm512_mask_add_epi32(total, (on >> 16) as u16, total, load_amounts(high));
        }
        sum += widened_sum(total);
    }
    let rest: Vec<i32> = odd.iter().flatten().chain(amount_rest).copied().collect();
    sum + Portable.sum_where_on(value_rest, &rest)
}

/// The sum of 16 lanes as 64 bits.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn widened_sum(lanes: __m512i) -> i64 {
    let low = _mm512_cvtepi32_epi64(_mm512_castsi512_si256(lanes));
    let high = _mm512_cvtepi32_epi64(_mm512_extracti64x4_epi64::<1>(lanes));
    _mm512_reduce_add_epi64(_mm512_add_epi64(low, high))
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn flip_changes(found: &[u32], labels: &[u8], terms: &[Terms], against: &Against, amounts: &mut Vec<i32>) {
    kernels::flip_changes(found, labels, terms, against, amounts, |terms, mask| masked_sum(terms, mask));
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn masked_sum(terms: &[i16; LANES], mask: u16) -> i32 {
    // SAFETY: 16 times 16 bits are 256, and the load needs no alignment.
    let terms = unsafe { _mm256_loadu_si256(terms.as_ptr().cast()) };
    let pairs = _mm256_madd_epi16(_mm256_maskz_mov_epi16(mask, terms), _mm256_set1_epi16(1));
    let four = _mm_add_epi32(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256::<1>(pairs));
    let two = _mm_add_epi32(four, _mm_shuffle_epi32::<0b01_00_11_10>(four));
    _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32::<0b10_11_00_01>(two)))
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn window_rows(found: &[u32], inputs: &[u32], input_words: usize, window: &WindowRows, rows: &mut Vec<u64>) {
    if (window.lines, window.width, window.stride) == (8, 8, 1) {
        kernels::window_rows(found, inputs, input_words, window, rows, |input, window| bytes(input, window));
    } else {
        kernels::window_rows(found, inputs, input_words, window, rows, kernels::gather);
    }
}

/// An 8 by 8 window whose rows are neighbouring words: one load, one shift, one narrowing.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn bytes(input: &[u32], window: &WindowRows) -> u64 {
    let lines = &input[window.first..window.first + 8];
    // SAFETY: the slice holds 8 times 32 bits, and the load needs no alignment.
    let lines = unsafe { _mm256_loadu_si256(lines.as_ptr().cast()) };
    let shifted = _mm256_srl_epi32(lines, _mm_cvtsi32_si128(window.shift as i32));
    _mm_cvtsi128_si64(_mm256_cvtepi32_epi8(shifted)) as u64
}
