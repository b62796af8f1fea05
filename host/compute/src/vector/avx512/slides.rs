//! Windows at all positions that they slide to: eight lines of positions at a time, one column after the other.

use super::super::arch::*;

use super::super::kernels::{Cell, Chunk, FIELD, Slide};
use super::super::loops;

/// What eight positions below each other show: the low bytes of the lines from each of the first eight on, those beyond the last as
/// the first.
struct Positions {
    order: __m512i,
    mask: __m512i,
    weights: __m512i,
    shift: __m128i,
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx512vpopcntdq,bmi2,popcnt")]
fn positions(slide: &Slide<'_>, weights: u64) -> Positions {
    let mut order = [0u8; 64];
    for (index, byte) in order.iter_mut().enumerate() {
        let (line, at) = (index / 8, index % 8);
        *byte = 2 * (at + if line <= slide.by { line } else { 0 }) as u8;
    }
    Positions {
        // SAFETY: the array holds 512 bits, and the load needs no alignment.
        order: unsafe { _mm512_loadu_si512(order.as_ptr().cast()) },
        mask: _mm512_set1_epi64(slide.mask() as i64),
        weights: _mm512_set1_epi64(weights as i64),
        shift: _mm_cvtsi32_si128(slide.window.shift as i32),
    }
}

impl Positions {
    /// Hands the bits in which each eight positions of a sample differ from the weights to `each`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx512vpopcntdq,bmi2,popcnt")]
    fn each(&self, slide: &Slide<'_>, sample: usize, mut each: impl FnMut(__m512i)) {
        let first = sample * slide.window.lines + slide.window.line;
        let lines = &slide.window.columns[first..first + FIELD];
        // SAFETY: these are 16 numbers of 16 bits, and the load needs no alignment.
        let lines = unsafe { _mm256_loadu_si256(lines.as_ptr().cast()) };
        let mut lines = _mm256_srl_epi16(lines, self.shift);
        for _ in 0..=slide.by {
            let seen = _mm512_permutexvar_epi8(self.order, _mm512_castsi256_si512(lines));
            // (seen ^ weights) & mask
            each(_mm512_ternarylogic_epi64::<0x28>(seen, self.weights, self.mask));
            lines = _mm256_srli_epi16::<1>(lines);
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx512vpopcntdq,bmi2,popcnt")]
pub(super) fn slide_row<C: Cell>(
    slide: &Slide<'_>,
    weights: u64,
    threshold: i16,
    samples: usize,
    new: &mut [Chunk<C>],
) {
    let positions = positions(slide, weights);
    loops::slide_row(threshold, samples, new, |sample| {
        // Each count is in the lowest byte of eight.
        let mut fewest = _mm512_set1_epi64(64);
        positions.each(slide, sample, |differ| {
            fewest = _mm512_min_epu8(fewest, _mm512_popcnt_epi64(differ));
        });
        // The least of eight numbers of 16 bits.
        let fewest = _mm_minpos_epu16(_mm512_cvtepi64_epi16(fewest));
        _mm_cvtsi128_si32(fewest) as u32 & 0xffff
    });
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx512vpopcntdq,bmi2,popcnt")]
pub(super) fn slide_deciding(
    slide: &Slide<'_>,
    weights: u64,
    threshold: u32,
    found: &[u32],
    rows: &mut Vec<u32>,
) {
    let positions = positions(slide, weights);
    let most = _mm512_set1_epi64(i64::from(threshold) + 1);
    loops::slide_deciding(weights, found, rows, |sample| {
        let mut all = _mm512_setzero_si512();
        positions.each(slide, sample, |differ| {
            let decides = _mm512_cmple_epu64_mask(_mm512_popcnt_epi64(differ), most);
            all = _mm512_mask_or_epi64(all, decides, all, differ);
        });
        _mm512_reduce_or_epi64(all) as u64
    });
}
