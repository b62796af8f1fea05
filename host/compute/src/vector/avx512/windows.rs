//! Sums over what small windows show.

use super::super::arch::*;

use super::super::kernels::{SIDE, Window};
use super::super::loops;
use super::rows::{MOST_AMOUNTS, add_totals};

/// Samples of which it is asked whether they would be too much for sums of 16 bits.
const BLOCK: usize = 16;

/// Of some samples those whose amount is not 0.
struct Nonzero {
    /// Where the first line of each is.
    offsets: [u32; MOST_AMOUNTS],
    /// The amount of each, twice: as two halves of 32 bits it is broadcast from memory for less than as one of 16.
    twice: [u32; MOST_AMOUNTS],
    len: usize,
    /// The sum of their amounts without signs.
    sum: i32,
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx512vpopcntdq,bmi2,popcnt")]
pub(super) fn sum_window(window: &Window<'_>, found: &[u32], amounts: &[i16], most: i16, sums: &mut [i32]) {
    let mut totals = [_mm512_setzero_si512(); 2];
    let mut nonzero = Nonzero { offsets: [0; MOST_AMOUNTS], twice: [0; MOST_AMOUNTS], len: 0, sum: 0 };
    let [low, high] = window.masks();
    let block = loops::amounts_in_sum(most).min(BLOCK);
    let mut added = 0;
    for (found, amounts) in found.chunks(MOST_AMOUNTS).zip(amounts.chunks(MOST_AMOUNTS)) {
        nonzero.fill(window, found, amounts);
        let (offsets, twice) = (&nonzero.offsets[..nonzero.len], &nonzero.twice[..nonzero.len]);
        // All at once where that is not too much, else a few at a time.
        let part = if added + nonzero.sum <= i32::from(i16::MAX) { MOST_AMOUNTS } else { block };
        for (offsets, twice) in offsets.chunks(part).zip(twice.chunks(part)) {
            let more: i32 = if part > block {
                nonzero.sum
            } else {
                twice.iter().map(|&twice| i32::from(twice as i16).abs()).sum()
            };
            if added + more > i32::from(i16::MAX) {
                add_totals(&mut totals, 0, sums);
                added = 0;
            }
            added += more;
            for (&offset, &amount) in offsets.iter().zip(twice) {
                let amount = _mm512_set1_epi32(amount as i32);
                // SAFETY: `fill` checked that eight lines of 16 bits follow each offset.
                let lines = unsafe {
                    window.columns.as_ptr().add(offset as usize).cast::<[u64; 2]>().read_unaligned()
                };
                let (low, high) = (_pext_u64(lines[0], low) as u32, _pext_u64(lines[1], high) as u32);
                totals[0] = _mm512_mask_add_epi16(totals[0], low, totals[0], amount);
                totals[1] = _mm512_mask_add_epi16(totals[1], high, totals[1], amount);
            }
        }
    }
    add_totals(&mut totals, 0, sums);
}

impl Nonzero {
    /// Of at most [`MOST_AMOUNTS`] found samples.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx512vpopcntdq,bmi2,popcnt")]
    fn fill(&mut self, window: &Window<'_>, found: &[u32], amounts: &[i16]) {
        let most = found.iter().fold(0, |most: u32, &found| most.max(found / 2)) as usize;
        let end = most * window.lines + window.line + SIDE;
        assert!(end <= window.columns.len() && u32::try_from(end).is_ok(), "a sample out of range");
        let (lines, line) = (_mm512_set1_epi32(window.lines as i32), _mm512_set1_epi32(window.line as i32));
        let mut sum = _mm512_setzero_si512();
        self.len = 0;
        for (found, amounts) in found.chunks(16).zip(amounts.chunks(16)) {
            let valid = u16::MAX >> (16 - found.len());
            // SAFETY: masked loads read only what is within the slices.
            let (found, amounts) = unsafe {
                (
                    _mm512_maskz_loadu_epi32(valid, found.as_ptr().cast()),
                    _mm256_maskz_loadu_epi16(valid, amounts.as_ptr()),
                )
            };
            let offsets = _mm512_mullo_epi32(_mm512_srli_epi32::<1>(found), lines);
            let offsets = _mm512_add_epi32(offsets, line);
            let amounts = _mm512_cvtepi16_epi32(amounts);
            sum = _mm512_add_epi32(sum, _mm512_abs_epi32(amounts));
            let low = _mm512_and_si512(amounts, _mm512_set1_epi32(0xffff));
            let twice = _mm512_or_si512(low, _mm512_slli_epi32::<16>(amounts));
            let mask = _mm512_test_epi32_mask(amounts, amounts);
            let (Some(to), Some(to_twice)) = (
                self.offsets[self.len..].first_chunk_mut::<16>(),
                self.twice[self.len..].first_chunk_mut::<16>(),
            ) else {
                return;
            };
            // SAFETY: the arrays hold 512 bits, and the stores need no alignment.
            unsafe {
                _mm512_storeu_si512(to.as_mut_ptr().cast(), _mm512_maskz_compress_epi32(mask, offsets));
                _mm512_storeu_si512(to_twice.as_mut_ptr().cast(), _mm512_maskz_compress_epi32(mask, twice));
            }
            self.len += mask.count_ones() as usize;
        }
        self.sum = _mm512_reduce_add_epi32(sum);
    }
}
