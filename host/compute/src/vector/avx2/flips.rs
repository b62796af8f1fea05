//! The change of loss of flipped neurons: the classes of one sample at a time.

use super::super::arch::*;

use super::super::kernels::{Against, Ahead, Labels, Rises};
use super::super::loops;
use super::load;

#[target_feature(enable = "avx2,popcnt")]
pub(super) fn flip_changes(
    found: &[u32],
    labels: &Labels,
    ahead: &[Ahead],
    against: &Against,
    rises: &Rises,
    amounts: &mut Vec<i16>,
) {
    loops::flip_changes(found, labels, ahead, against, amounts, |ahead, shift, falls| {
        change_of(ahead, shift, falls, rises)
    });
}

/// The change of loss of a sample by the classes of one block.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn change_of(ahead: &Ahead, shift: &Ahead, falls: bool, rises: &Rises) -> i16 {
    let index = _mm256_subs_epi16(load(&ahead.0), load(&shift.0));
    // The last entry is there twice, so the one before stands for it.
    let last = _mm256_set1_epi16((rises.rises.len() - 2).min(i16::MAX as usize) as i16);
    let index = _mm256_min_epi16(_mm256_max_epi16(index, _mm256_setzero_si256()), last);
    let look_up = |index| {
        let index = _mm256_cvtepi16_epi32(index);
        // SAFETY: every index is 0 to the last entry but one, and a look-up reads that entry and the next, of 2 bytes each.
        let two = unsafe { _mm256_i32gather_epi32::<2>(rises.rises.as_ptr().cast(), index) };
        _mm256_srai_epi32::<16>(_mm256_slli_epi32::<16>(two))
    };
    let low = look_up(_mm256_castsi256_si128(index));
    let high = look_up(_mm256_extracti128_si256::<1>(index));
    let eight = _mm256_add_epi32(low, high);
    let four = _mm_add_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256::<1>(eight));
    let two = _mm_add_epi32(four, _mm_shuffle_epi32::<0b01_00_11_10>(four));
    let rise = _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32::<0b10_11_00_01>(two))) as i16;
    if falls { -rise } else { rise }
}
