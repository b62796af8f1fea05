//! Sums over rows of bits, 16 at a time.

use super::super::arch::*;

use super::super::kernels::Rows;
use super::super::loops::{self, FAR, prefetch};
use super::{lanes16, load8};

#[target_feature(enable = "avx2,popcnt")]
pub(super) fn sum_rows(rows: Rows<'_>, found: &[u32], amounts: &[i16], most: i16, sums: &mut [i32]) {
    let chunk = loops::amounts_in_sum(most);
    let mut first = 0;
    while first < rows.words {
        let words = if rows.words - first >= 4 { 4 } else { 1 };
        for (found, amounts) in found.chunks(chunk).zip(amounts.chunks(chunk)) {
            if words == 4 {
                sum_words::<4>(rows, first, found, amounts, sums);
            } else {
                sum_words::<1>(rows, first, found, amounts, sums);
            }
        }
        first += words;
    }
}

/// [`sum_rows`] of some words from `first` on, with amounts whose sums fit 16 bits.
#[target_feature(enable = "avx2,popcnt")]
fn sum_words<const WORDS: usize>(
    rows: Rows<'_>,
    first: usize,
    found: &[u32],
    amounts: &[i16],
    sums: &mut [i32],
) {
    let mut totals = [[_mm256_setzero_si256(); 2]; WORDS];
    for (index, (&one, &amount)) in found.iter().zip(amounts).enumerate() {
        if WORDS > 2 {
            let soon = found.get(index + FAR).map_or(0, |&found| found as usize / 2);
            prefetch(rows.bits, soon * rows.words + first);
        }
        let at = one as usize / 2 * rows.words + first;
        let amount = _mm256_set1_epi16(amount);
        let Some(bits) = rows.bits[at..].first_chunk::<WORDS>() else { return };
        for word in 0..WORDS {
            let [low, high] = &mut totals[word];
            let halves = [bits[word] as u16, (bits[word] >> 16) as u16].map(|half| lanes16(half));
            *low = _mm256_add_epi16(*low, _mm256_and_si256(halves[0], amount));
            *high = _mm256_add_epi16(*high, _mm256_and_si256(halves[1], amount));
        }
    }
    for (total, sums) in totals.as_flattened().iter().zip(sums[32 * first..].as_chunks_mut::<16>().0) {
        let halves = [_mm256_castsi256_si128(*total), _mm256_extracti128_si256::<1>(*total)];
        for (half, sums) in halves.into_iter().zip(sums.as_chunks_mut::<8>().0) {
            let sum = _mm256_add_epi32(load8(sums), _mm256_cvtepi16_epi32(half));
            // SAFETY: the array holds 256 bits, and the store needs no alignment.
            unsafe { _mm256_storeu_si256(sums.as_mut_ptr().cast(), sum) };
        }
    }
}
