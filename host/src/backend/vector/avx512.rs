//! The kernels for AVX-512 as Ice Lake and Zen 4 brought it (F, BW, VL, VBMI, VBMI2): 64 or 32 pre-activations, 32 sums, or
//! the classes of four samples at a time.

use std::arch::x86_64::*;

use super::implement::vector_kernels;
use super::kernels::{
    Against, Ahead, Cell, Chunk, Column, Kernels, Labels, Rises, Rows, Sides, View, ViewMut, WindowRows,
};
use super::loops::{self, prefetch};

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
            && is_x86_feature_detected!("avx512vbmi")
            && is_x86_feature_detected!("avx512vbmi2")
            && is_x86_feature_detected!("popcnt");
        (found && !cfg!(miri)).then_some(Self(()))
    }
}

vector_kernels!(Avx512, "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,popcnt");

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,popcnt")]
fn narrow(values: &Chunk<i8>) -> __m512i {
    // SAFETY: a chunk holds 512 bits, and the load needs no alignment.
    unsafe { _mm512_loadu_si512(values.0.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,popcnt")]
fn wide(values: &Chunk<i16>) -> [__m512i; 2] {
    let at = values.0.as_ptr();
    // SAFETY: a chunk holds twice 512 bits, and the loads need no alignment.
    unsafe { [_mm512_loadu_si512(at.cast()), _mm512_loadu_si512(at.add(32).cast())] }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,popcnt")]
fn add<C: Cell>(old: &Chunk<C>, columns: &[Column<'_>], word: usize, base: i16, new: &mut Chunk<C>) {
    match (C::view(old), C::view_mut(new)) {
        (View::Narrow(old), ViewMut::Narrow(new)) => {
            let mut sums = _mm512_add_epi8(narrow(old), _mm512_set1_epi8(base as i8));
            for column in columns {
                let twice = _mm512_set1_epi8(2 * column.step as i8);
                sums = _mm512_mask_add_epi8(sums, column.bits[word], sums, twice);
            }
            // SAFETY: a chunk holds 512 bits, and the store needs no alignment.
            unsafe { _mm512_storeu_si512(new.0.as_mut_ptr().cast(), sums) };
        }
        (View::Wide(old), ViewMut::Wide(new)) => {
            let base = _mm512_set1_epi16(base);
            let [mut low, mut high] = wide(old).map(|values| _mm512_add_epi16(values, base));
            for column in columns {
                let (bits, twice) = (column.bits[word], _mm512_set1_epi16(2 * column.step));
                low = _mm512_mask_add_epi16(low, bits as u32, low, twice);
                high = _mm512_mask_add_epi16(high, (bits >> 32) as u32, high, twice);
            }
            let at = new.0.as_mut_ptr();
            // SAFETY: a chunk holds twice 512 bits, and the stores need no alignment.
            unsafe {
                _mm512_storeu_si512(at.cast(), low);
                _mm512_storeu_si512(at.add(32).cast(), high);
            }
        }
        _ => {}
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,popcnt")]
fn off<C: Cell>(values: &Chunk<C>) -> u64 {
    match C::view(values) {
        View::Narrow(values) => _mm512_movepi8_mask(narrow(values)),
        View::Wide(values) => {
            let [low, high] = wide(values).map(|values| u64::from(_mm512_movepi16_mask(values)));
            low | high << 32
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,popcnt")]
fn equal<C: Cell>(values: &Chunk<C>, value: i16) -> u64 {
    match C::view(values) {
        View::Narrow(values) => _mm512_cmpeq_epi8_mask(narrow(values), _mm512_set1_epi8(value as i8)),
        View::Wide(values) => {
            let value = _mm512_set1_epi16(value);
            let [low, high] = wide(values).map(|values| u64::from(_mm512_cmpeq_epi16_mask(values, value)));
            low | high << 32
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,popcnt")]
fn append(mask: u64, on: u64, first: u32, to: &mut [u32; 64]) {
    // Twice the number of a lane, and 1 where it is on, fit a byte.
    let mut twice = [0u8; 64];
    for (lane, twice) in twice.iter_mut().enumerate() {
        *twice = 2 * lane as u8;
    }
    // SAFETY: the array holds 512 bits, and the load needs no alignment.
    let lanes = unsafe { _mm512_loadu_si512(twice.as_ptr().cast()) };
    let lanes = _mm512_mask_add_epi8(lanes, on, lanes, _mm512_set1_epi8(1));
    let mut found = _mm512_maskz_compress_epi8(mask, lanes);
    let base = _mm512_set1_epi32((2 * first) as i32);
    let parts = (mask.count_ones() as usize).div_ceil(16);
    for to in to.as_chunks_mut::<16>().0.iter_mut().take(parts) {
        let samples = _mm512_add_epi32(_mm512_cvtepu8_epi32(_mm512_castsi512_si128(found)), base);
        // SAFETY: the array holds 512 bits, and the store needs no alignment.
        unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), samples) };
        found = _mm512_alignr_epi64::<2>(found, found);
    }
}

/// Samples whose changes are summed together.
const TOGETHER: usize = 32;

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,popcnt")]
fn flip_changes(
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
            super::kernels::change_of(ahead, shift, falls, rises)
        }),
    }
}

/// With the rises in `PARTS` registers.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,popcnt")]
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
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,popcnt")]
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

/// Amounts that are summed before the sums are added to wider ones.
const MOST_AMOUNTS: usize = 512;

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,popcnt")]
fn sum_rows(rows: Rows<'_>, found: &[u32], amounts: &[i16], most: i16, sums: &mut [i32]) {
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
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,popcnt")]
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
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,popcnt")]
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
        *twice = i32::from(amount as u16) * 0x1_0001_u32 as i32;
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
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,popcnt")]
fn add_totals<const WORDS: usize>(totals: &mut [__m512i; WORDS], first: usize, sums: &mut [i32]) {
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

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,popcnt")]
fn sum_on(bits: &[u64], amounts: &[Chunk<i32>]) -> i64 {
    let mut totals = [_mm512_setzero_si512(); 4];
    for (&bits, amounts) in bits.iter().zip(amounts) {
        for (quarter, (total, amounts)) in totals.iter_mut().zip(amounts.0.as_chunks::<16>().0).enumerate() {
            let on = (bits >> (16 * quarter)) as u16;
            // SAFETY: the array holds 512 bits, and the load needs no alignment.
            let amounts = unsafe { _mm512_loadu_si512(amounts.as_ptr().cast()) };
            *total = _mm512_mask_add_epi32(*total, on, *total, amounts);
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

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,popcnt")]
fn window_rows(found: &[u32], inputs: Rows<'_>, window: &WindowRows, rows: &mut Vec<u32>) {
    if (window.planes, window.lines, window.width, window.stride) != (1, 8, 8, 1) {
        return loops::window_rows(found, inputs, window, rows);
    }
    let start = rows.len();
    rows.resize(start + 2 * found.len(), 0);
    let shift = _mm_cvtsi32_si128(window.shift as i32);
    let parts = found.chunks(MOST_AMOUNTS).zip(rows[start..].chunks_mut(2 * MOST_AMOUNTS));
    for (found, rows) in parts {
        let offsets = offsets(found, inputs.words, window.first, 8, inputs.bits.len());
        let lines = |index: usize| {
            // SAFETY: `offsets` checked that eight words follow each of them.
            unsafe { _mm256_loadu_si256(inputs.bits.as_ptr().add(offsets[index] as usize).cast()) }
        };
        let pairs = rows.as_chunks_mut::<4>().0;
        for (pair, row) in pairs.iter_mut().enumerate() {
            let both = _mm512_castsi256_si512(lines(2 * pair));
            let both = _mm512_inserti64x4::<1>(both, lines(2 * pair + 1));
            let bytes = _mm512_cvtepi32_epi8(_mm512_srl_epi32(both, shift));
            // SAFETY: the array holds 128 bits, and the store needs no alignment.
            unsafe { _mm_storeu_si128(row.as_mut_ptr().cast(), bytes) };
        }
        if let (1, [.., low, high]) = (found.len() % 2, rows) {
            let last = _mm256_cvtepi32_epi8(_mm256_srl_epi32(lines(found.len() - 1), shift));
            let seen = _mm_cvtsi128_si64(last) as u64;
            (*low, *high) = (seen as u32, (seen >> 32) as u32);
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,popcnt")]
fn sides(found: &[u32], amounts: &mut [i16]) -> Sides {
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
