//! The change of loss of flipped neurons: the classes of four samples at a time.

use super::super::arch::*;

use super::super::kernels::{Against, Ahead, Labels, Rises, Sides, change_of};
use super::super::loops;

/// Samples whose changes are summed together.
const TOGETHER: usize = 32;

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx512vpopcntdq,bmi2,popcnt")]
pub(super) fn flip_changes(
    found: &[u32],
    labels: &Labels,
    ahead: &[Ahead],
    against: &Against,
    rises: &Rises,
    amounts: &mut Vec<i16>,
) {
    // Places in memory are numbers of 32 bits.
    let parts = if u32::try_from(size_of_val(ahead)).is_ok() { rises.bytes.len() / 64 } else { 0 };
    match parts {
        1 => flip_changes_in_registers::<1>(found, labels, ahead, against, rises, amounts),
        2 => flip_changes_in_registers::<2>(found, labels, ahead, against, rises, amounts),
        3 | 4 => flip_changes_in_registers::<4>(found, labels, ahead, against, rises, amounts),
        _ => loops::flip_changes(found, labels, ahead, against, amounts, |ahead, shift, falls| {
            change_of(ahead, shift, falls, rises)
        }),
    }
}

/// With the rises in `PARTS` registers.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx512vpopcntdq,bmi2,popcnt")]
fn flip_changes_in_registers<const PARTS: usize>(
    found: &[u32],
    labels: &Labels,
    ahead: &[Ahead],
    against: &Against,
    rises: &Rises,
    amounts: &mut Vec<i16>,
) {
    let last = rises.bytes.last().map_or(0, |&last| last);
    let mut tables = [_mm512_set1_epi8(last as i8); PARTS];
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
    amounts.resize(start + found.len() + TOGETHER, 0);
    let none = [0; MOST_LISTED + TOGETHER];
    let mut listed = Listed { found: none, offsets: none, len: 0 };
    for (part, list) in found.chunks(MOST_LISTED).enumerate() {
        listed.fill(list, blocks);
        let mut at = 0;
        while at < listed.len {
            let Some(group) = listed.found[at..].first_chunk() else { break };
            let alike = alike(group, labels);
            let (total, done) = if alike >= WORTH {
                let Some(offsets) = listed.offsets[at..].first_chunk() else { break };
                let entry = loops::entry(group[0], labels);
                (alike_total(offsets, entry, ahead, against, &tables), alike)
            } else {
                (mixed_total(group, labels, ahead, against, &tables), TOGETHER)
            };
            let to = start + part * MOST_LISTED + at;
            let Some(to) = amounts[to..].first_chunk_mut::<TOGETHER>() else { break };
            // SAFETY: the array holds 512 bits, and the store needs no alignment.
            unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), total) };
            at += done;
        }
    }
    amounts.truncate(start + found.len());
}

/// Found samples that are looked at together.
const MOST_LISTED: usize = 256;

/// Some found samples, then the last one as often as a group needs to be full.
struct Listed {
    found: [u32; MOST_LISTED + TOGETHER],
    /// Where the first block of each is, in bytes.
    offsets: [u32; MOST_LISTED + TOGETHER],
    len: usize,
}

impl Listed {
    /// Lists at most [`MOST_LISTED`] samples.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx512vpopcntdq,bmi2,popcnt")]
    fn fill(&mut self, found: &[u32], blocks: usize) {
        self.len = found.len();
        self.found[..found.len()].copy_from_slice(found);
        let last = found.last().map_or(0, |&last| last);
        self.found[found.len()..][..TOGETHER].fill(last);
        let used = self.found.iter().zip(&mut self.offsets).take(found.len() + TOGETHER);
        used.for_each(|(found, offset)| *offset = found / 2 * (blocks * size_of::<Ahead>()) as u32);
    }
}

/// Samples of one class and side from which on it is worth to treat them alike.
const WORTH: usize = 8;

/// How many samples at the begin of a group have the class and the side of the first.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx512vpopcntdq,bmi2,popcnt")]
fn alike(group: &[u32; TOGETHER], labels: &Labels) -> usize {
    let class = labels.of_class(labels.of(group[0] as usize / 2));
    let side = group[0] % 2;
    let [start, end, side] =
        [2 * class.start, 2 * class.end, side].map(|value| _mm512_set1_epi32(value as i32));
    let mut alike = 0;
    for (half, found) in group.as_chunks::<16>().0.iter().enumerate() {
        // SAFETY: the array holds 512 bits, and the load needs no alignment.
        let found = unsafe { _mm512_loadu_si512(found.as_ptr().cast()) };
        let within = _mm512_cmpge_epu32_mask(found, start) & _mm512_cmplt_epu32_mask(found, end);
        let other = _mm512_test_epi32_mask(_mm512_xor_si512(found, side), _mm512_set1_epi32(1));
        alike |= u32::from(within & !other) << (16 * half);
    }
    alike.trailing_ones() as usize
}

/// The changes of a group of samples of the class and side of `entry`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx512vpopcntdq,bmi2,popcnt")]
fn alike_total<const PARTS: usize>(
    offsets: &[u32; TOGETHER],
    entry: usize,
    ahead: &[Ahead],
    against: &Against,
    tables: &[__m512i; PARTS],
) -> __m512i {
    let mut total = _mm512_setzero_si512();
    for block in 0..against.blocks {
        let shift = &against.shifts[entry * against.blocks + block];
        // SAFETY: a block holds 256 bits, and the load needs no alignment.
        let shift = _mm512_broadcast_i64x4(unsafe { _mm256_loadu_si256(shift.0.as_ptr().cast()) });
        let ahead = ahead[block..].as_ptr();
        let two = |at: usize, other: usize| {
            let row = |at: usize| {
                // SAFETY: offsets are those of the first of `blocks` blocks of a sample, which the slice holds, see the assertion
                // of the caller; each holds 256 bits.
                unsafe { _mm256_loadu_si256(ahead.byte_add(offsets[at] as usize).cast()) }
            };
            let both = _mm512_inserti64x4::<1>(_mm512_castsi256_si512(row(at)), row(other));
            _mm512_subs_epi16(both, shift)
        };
        let four = |from: usize| {
            let (low, high) = (two(from, from + 8), two(from + 4, from + 12));
            rises_of(_mm512_packus_epi16(low, high), tables)
        };
        total = _mm512_add_epi16(total, in_order(four));
    }
    if against.falls(entry) { _mm512_sub_epi16(_mm512_setzero_si512(), total) } else { total }
}

/// The changes of a group of any samples.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx512vpopcntdq,bmi2,popcnt")]
fn mixed_total<const PARTS: usize>(
    group: &[u32; TOGETHER],
    labels: &Labels,
    ahead: &[Ahead],
    against: &Against,
    tables: &[__m512i; PARTS],
) -> __m512i {
    let zero = _mm512_setzero_si512();
    let (mut total, mut falls) = (zero, 0);
    for block in 0..against.blocks {
        let places;
        (places, falls) = places_of(group, labels, against, block);
        let two = |at: usize, other: usize| {
            let index = |at: usize| {
                let (row, shift) = (places.ahead[at] as usize, places.shifts[at] as usize);
                // SAFETY: rows are below `len * blocks` and shifts below `2 * (labels.most() + 1) * blocks`, which the
                // slices hold, see the assertion of the caller; each holds 256 bits.
                unsafe {
                    let ahead = _mm256_loadu_si256(ahead.as_ptr().add(row).cast());
                    _mm256_subs_epi16(ahead, _mm256_loadu_si256(against.shifts.as_ptr().add(shift).cast()))
                }
            };
            _mm256_packus_epi16(index(at), index(other))
        };
        let four = |from: usize| {
            let (low, high) = (two(from, from + 4), two(from + 8, from + 12));
            rises_of(_mm512_inserti64x4::<1>(_mm512_castsi256_si512(low), high), tables)
        };
        total = _mm512_add_epi16(total, in_order(four));
    }
    _mm512_mask_sub_epi16(total, falls, zero, total)
}

/// The sums of the rises at 64 places, eight at a time.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx512vpopcntdq,bmi2,popcnt")]
fn rises_of<const PARTS: usize>(index: __m512i, tables: &[__m512i; PARTS]) -> __m512i {
    let index = _mm512_min_epu8(index, _mm512_set1_epi8((64 * PARTS - 1) as i8));
    let rise = match PARTS {
        1 => _mm512_permutexvar_epi8(index, tables[0]),
        2 => _mm512_permutex2var_epi8(tables[0], index, tables[PARTS - 1]),
        _ => {
            let low = _mm512_permutex2var_epi8(tables[0], index, tables[PARTS / 4]);
            let high = _mm512_permutex2var_epi8(tables[PARTS / 2], index, tables[PARTS - 1]);
            _mm512_mask_mov_epi8(low, _mm512_movepi8_mask(index), high)
        }
    };
    _mm512_sad_epu8(rise, _mm512_setzero_si512())
}

/// The sums of 32 samples in their order, from `four(n)`, which gives those of the halves of the classes of four samples: in
/// each 256 bits the first halves of samples n and n + 4, then their second halves; in the higher 256 bits those of
/// n + 8 and n + 12.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx512vpopcntdq,bmi2,popcnt")]
fn in_order(four: impl Fn(usize) -> __m512i) -> __m512i {
    let eight = |from: usize| {
        let (a, b) = (four(from), four(from + 16));
        let first = _mm512_shuffle_i64x2::<0b10_00_10_00>(a, b);
        _mm512_add_epi64(first, _mm512_shuffle_i64x2::<0b11_01_11_01>(a, b))
    };
    let low = _mm512_or_si512(eight(0), _mm512_slli_epi64::<16>(eight(1)));
    let high = _mm512_or_si512(eight(2), _mm512_slli_epi64::<16>(eight(3)));
    _mm512_or_si512(low, _mm512_slli_epi64::<32>(high))
}

/// Where the rows of a group of found samples are.
struct Places {
    ahead: [u32; TOGETHER],
    shifts: [u32; TOGETHER],
}

/// The places of one block of classes, and one bit for each sample whose classes fall. Every found sample must be one of
/// those with a label.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx512vpopcntdq,bmi2,popcnt")]
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

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx512vpopcntdq,bmi2,popcnt")]
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
