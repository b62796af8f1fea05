//! The change of loss of flipped neurons: the classes of four samples at a time.

use std::arch::x86_64::*;

use super::super::kernels::{Against, Ahead, Labels, Rises, Sides, change_of};
use super::super::loops;

/// Samples whose changes are summed together.
const TOGETHER: usize = 32;

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,bmi2,popcnt")]
pub(super) fn flip_changes(
    found: &[u32],
    labels: &Labels,
    ahead: &[Ahead],
    against: &Against,
    rises: &Rises,
    amounts: &mut Vec<i16>,
) {
    match rises.bytes.len() / 64 {
        1 => flip_changes_in_registers::<1>(found, labels, ahead, against, rises, amounts),
        2 => flip_changes_in_registers::<2>(found, labels, ahead, against, rises, amounts),
        3 | 4 => flip_changes_in_registers::<4>(found, labels, ahead, against, rises, amounts),
        _ => loops::flip_changes(found, labels, ahead, against, amounts, |ahead, shift, falls| {
            change_of(ahead, shift, falls, rises)
        }),
    }
}

/// With the rises in `PARTS` registers.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,bmi2,popcnt")]
fn flip_changes_in_registers<const PARTS: usize>(
    found: &[u32],
    labels: &Labels,
    ahead: &[Ahead],
    against: &Against,
    rises: &Rises,
    amounts: &mut Vec<i16>,
) {
    let mut tables = [_mm512_setzero_si512(); PARTS];
    for (table, bytes) in tables.iter_mut().zip(rises.bytes.as_chunks::<64>().0) {
        // SAFETY: the array holds 512 bits, and the load needs no alignment.
        *table = unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) };
    }
    let (blocks, len) = (against.blocks, labels.len());
    let most = found.iter().fold(0, |most: u32, &found| most.max(found / 2));
    let fits = labels.most() < 256 && 2 * (labels.most() + 1) * blocks <= against.shifts.len();
    assert!(
        found.is_empty() || ((most as usize) < len && len * blocks <= ahead.len() && fits),
        "a sample or label out of range"
    );
    let start = amounts.len();
    // Room for whole groups; what is too much is cut again.
    amounts.resize(start + found.len().next_multiple_of(TOGETHER), 0);
    let last = _mm512_set1_epi8((rises.bytes.len() - 1) as i8);
    let zero = _mm512_setzero_si512();
    let mut rest = [0; TOGETHER];
    let (groups, tail) = found.as_chunks::<TOGETHER>();
    rest[..tail.len()].copy_from_slice(tail);
    for (index, sums) in amounts[start..].as_chunks_mut::<TOGETHER>().0.iter_mut().enumerate() {
        // The samples that fill up the last group are sample 0, whose sums are cut.
        let group = groups.get(index).unwrap_or(&rest);
        let (mut total, mut falls) = (zero, 0);
        for block in 0..blocks {
            let places;
            (places, falls) = places_of(group, labels, against, block);
            let two = |at: usize, other: usize| {
                let index = |at: usize| {
                    let (row, shift) = (places.ahead[at] as usize, places.shifts[at] as usize);
                    // SAFETY: rows are below `len * blocks` and shifts below `2 * (labels.most() + 1) * blocks`, which the
                    // slices hold, see the assertion; each holds 256 bits.
                    unsafe {
                        let ahead = _mm256_loadu_si256(ahead.as_ptr().add(row).cast());
                        _mm256_subs_epi16(
                            ahead,
                            _mm256_loadu_si256(against.shifts.as_ptr().add(shift).cast()),
                        )
                    }
                };
                _mm256_packus_epi16(index(at), index(other))
            };
            // The samples of a part of 128 bits lie eight apart, see below.
            let eight = |from: usize| {
                let four = |from: usize| {
                    let (low, high) = (two(from, from + 4), two(from + 8, from + 12));
                    let index = _mm512_inserti64x4::<1>(_mm512_castsi256_si512(low), high);
                    let index = _mm512_min_epu8(index, last);
                    let rise = match PARTS {
                        1 => _mm512_permutexvar_epi8(index, tables[0]),
                        2 => _mm512_permutex2var_epi8(tables[0], index, tables[PARTS - 1]),
                        _ => {
                            let low = _mm512_permutex2var_epi8(tables[0], index, tables[PARTS / 4]);
                            let high = _mm512_permutex2var_epi8(tables[PARTS / 2], index, tables[PARTS - 1]);
                            _mm512_mask_mov_epi8(low, _mm512_movepi8_mask(index), high)
                        }
                    };
                    _mm512_sad_epu8(rise, zero)
                };
                // Halves of the classes: the first two parts of 128 bits have those of the same samples, so have the others.
                let (a, b) = (four(from), four(from + 16));
                let first = _mm512_shuffle_i64x2::<0b10_00_10_00>(a, b);
                _mm512_add_epi64(first, _mm512_shuffle_i64x2::<0b11_01_11_01>(a, b))
            };
            let low = _mm512_or_si512(eight(0), _mm512_slli_epi64::<16>(eight(1)));
            let high = _mm512_or_si512(eight(2), _mm512_slli_epi64::<16>(eight(3)));
            total = _mm512_add_epi16(total, _mm512_or_si512(low, _mm512_slli_epi64::<32>(high)));
        }
        let total = _mm512_mask_sub_epi16(total, falls, zero, total);
        // SAFETY: the array holds 512 bits, and the store needs no alignment.
        unsafe { _mm512_storeu_si512(sums.as_mut_ptr().cast(), total) };
    }
    amounts.truncate(start + found.len());
}

/// Where the rows of a group of found samples are.
struct Places {
    ahead: [u32; TOGETHER],
    shifts: [u32; TOGETHER],
}

/// The places of one block of classes, and one bit for each sample whose classes fall. Every found sample must be one of
/// those with a label.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,bmi2,popcnt")]
fn places_of(group: &[u32; TOGETHER], labels: &Labels, against: &Against, block: usize) -> (Places, u32) {
    let mut places = Places { ahead: [0; TOGETHER], shifts: [0; TOGETHER] };
    let (blocks, block) = (_mm512_set1_epi32(against.blocks as i32), _mm512_set1_epi32(block as i32));
    // SAFETY: the array holds 512 bits, and the load needs no alignment.
    let falling = unsafe { _mm512_loadu_si512(against.falls.as_ptr().cast()) };
    let one = _mm512_set1_epi32(1);
    let mut falls = 0;
    let rows = places.ahead.as_chunks_mut::<16>().0.iter_mut().zip(places.shifts.as_chunks_mut::<16>().0);
    for (half, (found, (ahead, shifts))) in group.as_chunks::<16>().0.iter().zip(rows).enumerate() {
        // SAFETY: the array holds 512 bits, and the load needs no alignment.
        let found = unsafe { _mm512_loadu_si512(found.as_ptr().cast()) };
        let sample = _mm512_srli_epi32::<1>(found);
        // SAFETY: every sample has a label, and four bytes can be read from each on.
        let label = unsafe { _mm512_i32gather_epi32::<1>(sample, labels.as_ptr().cast()) };
        let twice = _mm512_slli_epi32::<1>(_mm512_and_si512(label, _mm512_set1_epi32(0xff)));
        let entry = _mm512_or_si512(twice, _mm512_and_si512(found, one));
        let word = _mm512_permutexvar_epi32(_mm512_srli_epi32::<5>(entry), falling);
        let bit = _mm512_srlv_epi32(word, _mm512_and_si512(entry, _mm512_set1_epi32(31)));
        falls |= u32::from(_mm512_test_epi32_mask(bit, one)) << (16 * half);
        let place = |index| _mm512_add_epi32(_mm512_mullo_epi32(index, blocks), block);
        // SAFETY: the arrays hold 512 bits, and the stores need no alignment.
        unsafe {
            _mm512_storeu_si512(ahead.as_mut_ptr().cast(), place(sample));
            _mm512_storeu_si512(shifts.as_mut_ptr().cast(), place(entry));
        }
    }
    (places, falls)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,bmi2,popcnt")]
pub(super) fn sides(found: &[u32], amounts: &mut [i16]) -> Sides {
    let (groups, rest) = found.as_chunks::<TOGETHER>();
    let (amounts, amounts_rest) = amounts.as_chunks_mut::<TOGETHER>();
    let (zero, ones) = (_mm512_setzero_si512(), _mm512_set1_epi16(1));
    let (mut all, mut on, mut most) = (zero, zero, zero);
    for (found, amounts) in groups.iter().zip(amounts) {
        let at = found.as_ptr();
        // SAFETY: the array holds twice 512 bits, and the loads need no alignment.
        let [low, high] = unsafe { [_mm512_loadu_si512(at.cast()), _mm512_loadu_si512(at.add(16).cast())] };
        let one = _mm512_set1_epi32(1);
        let is_on =
            u32::from(_mm512_test_epi32_mask(low, one)) | u32::from(_mm512_test_epi32_mask(high, one)) << 16;
        // SAFETY: the array holds 512 bits, and the load needs no alignment.
        let values = unsafe { _mm512_loadu_si512(amounts.as_ptr().cast()) };
        all = _mm512_add_epi32(all, _mm512_madd_epi16(values, ones));
        on = _mm512_add_epi32(on, _mm512_madd_epi16(_mm512_maskz_mov_epi16(is_on, values), ones));
        most = _mm512_max_epi16(most, _mm512_abs_epi16(values));
        let signed = _mm512_mask_sub_epi16(values, !is_on, zero, values);
        // SAFETY: the array holds 512 bits, and the store needs no alignment.
        unsafe { _mm512_storeu_si512(amounts.as_mut_ptr().cast(), signed) };
    }
    let mut lanes = [0i16; 32];
    // SAFETY: the array holds 512 bits, and the store needs no alignment.
    unsafe { _mm512_storeu_si512(lanes.as_mut_ptr().cast(), most) };
    let sum = |lanes| {
        let low = _mm512_cvtepi32_epi64(_mm512_castsi512_si256(lanes));
        let high = _mm512_cvtepi32_epi64(_mm512_extracti64x4_epi64::<1>(lanes));
        _mm512_reduce_add_epi64(_mm512_add_epi64(low, high))
    };
    let rest = loops::sides(rest, amounts_rest);
    let on_sum = sum(on);
    Sides {
        off: sum(all) - on_sum + rest.off,
        on: on_sum + rest.on,
        most: lanes.into_iter().fold(rest.most, i16::max),
    }
}
