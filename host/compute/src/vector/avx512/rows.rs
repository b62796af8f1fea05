//! Sums over rows of bits, 32 at a time.

use super::super::arch::*;

use super::super::kernels::Rows;
use super::super::loops::{self, prefetch};

/// Amounts that are summed before the sums are added to wider ones.
pub(super) const MOST_AMOUNTS: usize = 512;

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx512vpopcntdq,bmi2,popcnt")]
pub(super) fn sum_rows(rows: Rows<'_>, found: &[u32], amounts: &[i16], most: i16, sums: &mut [i32]) {
    // Blocks of which one at least fits a sum of 16 bits.
    let block = loops::amounts_in_sum(most).min(BLOCK);
    let chunk = MOST_AMOUNTS / BLOCK * block;
    let mut first = 0;
    while first < rows.words {
        let rest = rows.words - first;
        for (found, amounts) in found.chunks(chunk).zip(amounts.chunks(chunk)) {
            match rest {
                25.. => sum_words::<25>(rows, first, found, amounts, block, sums),
                8.. => sum_words::<8>(rows, first, found, amounts, block, sums),
                4.. => sum_words::<4>(rows, first, found, amounts, block, sums),
                2.. => sum_words::<2>(rows, first, found, amounts, block, sums),
                _ => sum_words::<1>(rows, first, found, amounts, block, sums),
            }
        }
        first += match rest {
            25.. => 25,
            8.. => 8,
            4.. => 4,
            2.. => 2,
            _ => 1,
        };
    }
}

/// Rows that are added before it is asked whether more would be too much.
const BLOCK: usize = 16;

/// Where the rows of at most [`MOST_AMOUNTS`] found samples begin, plus `first`; everything from `words` words on from there
/// is checked to be within `len` words.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx512vpopcntdq,bmi2,popcnt")]
fn offsets(found: &[u32], row_words: usize, first: usize, words: usize, len: usize) -> [u32; MOST_AMOUNTS] {
    let mut offsets = [0; MOST_AMOUNTS];
    let mut most = 0;
    for (offset, &found) in offsets.iter_mut().zip(found) {
        *offset = (found / 2) * row_words as u32 + first as u32;
        most = most.max(found / 2);
    }
    let end = most as usize * row_words + first + words;
    assert!(found.is_empty() || (end <= len && u32::try_from(end).is_ok()), "a row out of range");
    offsets
}

/// [`sum_rows`] of some words from `first` on, of at most [`MOST_AMOUNTS`] amounts.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx512vpopcntdq,bmi2,popcnt")]
fn sum_words<const WORDS: usize>(
    rows: Rows<'_>,
    first: usize,
    found: &[u32],
    amounts: &[i16],
    block: usize,
    sums: &mut [i32],
) {
    let mut totals = [_mm512_setzero_si512(); WORDS];
    let offsets = offsets(found, rows.words, first, WORDS, rows.bits.len());
    // Two halves of 32 bits are broadcast from memory for less than one of 16.
    let mut twice = [0; MOST_AMOUNTS];
    for (twice, &amount) in twice.iter_mut().zip(amounts) {
        *twice = (u32::from(amount as u16) * 0x1_0001) as i32;
    }
    let mut added = 0;
    let parts = offsets.chunks(block).zip(twice.chunks(block)).zip(amounts.chunks(block));
    for (part, ((places, twice), amounts)) in parts.enumerate() {
        let more: i32 = amounts.iter().map(|&amount| i32::from(amount).abs()).sum();
        if added + more > i32::from(i16::MAX) {
            add_totals(&mut totals, first, sums);
            added = 0;
        }
        added += more;
        if WORDS > 8 {
            for &soon in offsets.iter().skip(block * (part + 1)).take(block) {
                prefetch(rows.bits, soon as usize);
                prefetch(rows.bits, soon as usize + 16);
            }
        }
        for (&offset, &amount) in places.iter().zip(twice) {
            let amount = _mm512_set1_epi32(amount);
            // SAFETY: `offsets` checked that so many words follow each of them, and 0, which fills up the last part.
            let bits = unsafe { &*rows.bits.as_ptr().add(offset as usize).cast::<[u32; WORDS]>() };
            for word in 0..WORDS {
                totals[word] = _mm512_mask_add_epi16(totals[word], bits[word], totals[word], amount);
            }
        }
    }
    add_totals(&mut totals, first, sums);
}

/// Adds sums of 16 bits to those of 32, from word `first` on, and starts anew.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx512vpopcntdq,bmi2,popcnt")]
pub(super) fn add_totals<const WORDS: usize>(totals: &mut [__m512i; WORDS], first: usize, sums: &mut [i32]) {
    for (total, sums) in totals.iter_mut().zip(sums[32 * first..].as_chunks_mut::<32>().0) {
        let halves = [_mm512_castsi512_si256(*total), _mm512_extracti64x4_epi64::<1>(*total)];
        for (half, sums) in halves.into_iter().zip(sums.as_chunks_mut::<16>().0) {
            let at = sums.as_mut_ptr();
            // SAFETY: the array holds 512 bits, and load and store need no alignment.
            unsafe {
                let sum = _mm512_add_epi32(_mm512_loadu_si512(at.cast()), _mm512_cvtepi16_epi32(half));
                _mm512_storeu_si512(at.cast(), sum);
            }
        }
        *total = _mm512_setzero_si512();
    }
}
