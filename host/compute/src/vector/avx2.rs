//! The kernels for AVX2: 32 or 16 pre-activations, 16 sums, or the classes of one sample at a time.
//!
//! Without masks in registers of their own, bits become lanes of all ones or zeros: each lane gets the word that its bit
//! is in, keeps only that bit, and compares.

use super::arch::*;

use super::implement::vector_kernels;
use super::kernels::{
    Against, Ahead, Cell, Chunk, Column, Kernels, Labels, Rises, Rows, Slide, View, ViewMut,
};
use super::loops;
use super::vectorize::{Loop, Vectorize};

mod flips;
mod rows;

use flips::flip_changes;
use rows::sum_rows;

/// A machine that has AVX2; only [`Avx2::detect`] makes one.
#[derive(Clone, Copy, Debug)]
pub struct Avx2(());

impl Avx2 {
    /// `Some` where this machine has the instructions.
    #[must_use]
    pub fn detect() -> Option<Self> {
        let found = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt");
        found.then_some(Self(()))
    }
}

impl Vectorize for Avx2 {
    fn vectorize<T: Loop>(self, body: T) -> T::Output {
        #[target_feature(enable = "avx2,popcnt")]
        fn with<T: Loop>(body: T) -> T::Output {
            body.run()
        }
        // SAFETY: only `detect` makes a `self`, where it found the instructions.
        unsafe { with(body) }
    }
}

vector_kernels!(Avx2, "avx2,popcnt");

#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn load(values: &[i16; 16]) -> __m256i {
    // SAFETY: the array holds 256 bits, and the load needs no alignment.
    unsafe { _mm256_loadu_si256(values.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn load8(values: &[i32; 8]) -> __m256i {
    // SAFETY: the array holds 256 bits, and the load needs no alignment.
    unsafe { _mm256_loadu_si256(values.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn store(values: __m256i, to: &mut [i16; 16]) {
    // SAFETY: the array holds 256 bits, and the store needs no alignment.
    unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), values) }
}

/// Lanes of 16 bits, all ones where the bit is set.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn lanes16(bits: u16) -> __m256i {
    let lane_bits = _mm256_setr_epi16(
        1,
        1 << 1,
        1 << 2,
        1 << 3,
        1 << 4,
        1 << 5,
        1 << 6,
        1 << 7,
        1 << 8,
        1 << 9,
        1 << 10,
        1 << 11,
        1 << 12,
        1 << 13,
        1 << 14,
        i16::MIN,
    );
    _mm256_cmpeq_epi16(_mm256_and_si256(_mm256_set1_epi16(bits as i16), lane_bits), lane_bits)
}

/// Lanes of 32 bits, all ones where the bit of group `group` of `bits` (in every lane) is set.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn lanes32(bits: __m256i, group: i32) -> __m256i {
    let lane_bits = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    let lane_bits = _mm256_sll_epi32(lane_bits, _mm_cvtsi32_si128(8 * group));
    _mm256_cmpeq_epi32(_mm256_and_si256(bits, lane_bits), lane_bits)
}

/// Lanes of 8 bits, all ones where the bit is set.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn lanes8(bits: u32) -> __m256i {
    let byte_of_lane =
        _mm256_setr_epi64x(0, 0x0101_0101_0101_0101, 0x0202_0202_0202_0202, 0x0303_0303_0303_0303);
    let lane_bits = _mm256_set1_epi64x(0x8040_2010_0804_0201_u64 as i64);
    let bytes = _mm256_shuffle_epi8(_mm256_set1_epi32(bits as i32), byte_of_lane);
    _mm256_cmpeq_epi8(_mm256_and_si256(bytes, lane_bits), lane_bits)
}

#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn halves(values: &Chunk<i8>) -> [__m256i; 2] {
    let at = values.0.as_ptr();
    // SAFETY: a chunk holds twice 256 bits, and the loads need no alignment.
    unsafe { [_mm256_loadu_si256(at.cast()), _mm256_loadu_si256(at.add(32).cast())] }
}

#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn add<C: Cell>(old: &Chunk<C>, columns: &[Column<'_>], word: usize, base: i16, new: &mut Chunk<C>) {
    match (C::view(old), C::view_mut(new)) {
        (View::Narrow(old), ViewMut::Narrow(new)) => {
            let base = _mm256_set1_epi8(base as i8);
            let [mut low, mut high] = halves(old).map(|half| _mm256_add_epi8(half, base));
            for column in columns {
                let (bits, twice) = (column.bits[word], _mm256_set1_epi8(2 * column.step as i8));
                low = _mm256_add_epi8(low, _mm256_and_si256(lanes8(bits as u32), twice));
                high = _mm256_add_epi8(high, _mm256_and_si256(lanes8((bits >> 32) as u32), twice));
            }
            let at = new.0.as_mut_ptr();
            // SAFETY: a chunk holds twice 256 bits, and the stores need no alignment.
            unsafe {
                _mm256_storeu_si256(at.cast(), low);
                _mm256_storeu_si256(at.add(32).cast(), high);
            }
        }
        (View::Wide(old), ViewMut::Wide(new)) => {
            let base = _mm256_set1_epi16(base);
            let mut sums = [base; 4];
            for (sum, old) in sums.iter_mut().zip(old.0.as_chunks::<16>().0) {
                *sum = _mm256_add_epi16(load(old), base);
            }
            for column in columns {
                let (bits, twice) = (column.bits[word], _mm256_set1_epi16(2 * column.step));
                for (quarter, sum) in sums.iter_mut().enumerate() {
                    let plus = _mm256_and_si256(lanes16((bits >> (16 * quarter)) as u16), twice);
                    *sum = _mm256_add_epi16(*sum, plus);
                }
            }
            for (sum, new) in sums.into_iter().zip(new.0.as_chunks_mut::<16>().0) {
                store(sum, new);
            }
        }
        _ => {}
    }
}

/// One bit for each of 64 lanes of 16 bits, set where the lane is all ones; no lane is in between.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn mask_of(lanes: [__m256i; 4]) -> u64 {
    let half = |low, high| {
        // Packing works on halves of registers; the permutation puts them in order.
        let packed = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packs_epi16(low, high));
        u64::from(_mm256_movemask_epi8(packed) as u32)
    };
    half(lanes[0], lanes[1]) | half(lanes[2], lanes[3]) << 32
}

#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn quarters(values: &Chunk<i16>) -> [__m256i; 4] {
    let (chunks, _) = values.0.as_chunks::<16>();
    [load(&chunks[0]), load(&chunks[1]), load(&chunks[2]), load(&chunks[3])]
}

/// The highest bits of 64 lanes of 8 bits.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn mask_of_bytes([low, high]: [__m256i; 2]) -> u64 {
    u64::from(_mm256_movemask_epi8(low) as u32) | u64::from(_mm256_movemask_epi8(high) as u32) << 32
}

#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn off<C: Cell>(values: &Chunk<C>) -> u64 {
    match C::view(values) {
        View::Narrow(values) => mask_of_bytes(halves(values)),
        // Packing saturates, so signs stay.
        View::Wide(values) => mask_of(quarters(values)),
    }
}

#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn equal<C: Cell>(values: &Chunk<C>, value: i16) -> u64 {
    match C::view(values) {
        View::Narrow(values) => {
            let value = _mm256_set1_epi8(value as i8);
            mask_of_bytes(halves(values).map(|half| _mm256_cmpeq_epi8(half, value)))
        }
        View::Wide(values) => {
            let value = _mm256_set1_epi16(value);
            mask_of(quarters(values).map(|values| _mm256_cmpeq_epi16(values, value)))
        }
    }
}

/// For each byte, the lanes of its set bits, first ones first.
static COMPRESS: [[u8; 8]; 256] = {
    let mut table = [[0; 8]; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut lane, mut count) = (0, 0);
        while lane < 8 {
            if byte >> lane & 1 == 1 {
                table[byte][count] = lane as u8;
                count += 1;
            }
            lane += 1;
        }
        byte += 1;
    }
    table
};

#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn append(mask: u64, on: u64, first: u32, to: &mut [u32; 64]) {
    if mask == 0 {
        return;
    }
    let twice = _mm256_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14);
    let mut count = 0;
    for group in 0..8u32 {
        let (mask, on) = ((mask >> (8 * group)) as u8, (on >> (8 * group)) as u8);
        let start = _mm256_set1_epi32((2 * (first + 8 * group)) as i32);
        let ons = lanes32(_mm256_set1_epi32(on.into()), 0);
        let samples = _mm256_sub_epi32(_mm256_add_epi32(twice, start), ons);
        let order = i64::from_le_bytes(COMPRESS[usize::from(mask)]);
        let order = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(order));
        let to = &mut to[count..count + 8];
        // SAFETY: the slice holds 256 bits, and the store needs no alignment.
        unsafe {
            _mm256_storeu_si256(to.as_mut_ptr().cast(), _mm256_permutevar8x32_epi32(samples, order));
        }
        count += mask.count_ones() as usize;
    }
}

#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn sum_on(bits: &[u64], amounts: &[Chunk<i32>]) -> i64 {
    let mut totals = [_mm256_setzero_si256(); 2];
    for (&bits, amounts) in bits.iter().zip(amounts) {
        let halves = [_mm256_set1_epi32(bits as i32), _mm256_set1_epi32((bits >> 32) as i32)];
        for (group, amounts) in amounts.0.as_chunks::<8>().0.iter().enumerate() {
            let on = _mm256_and_si256(lanes32(halves[group / 4], group as i32 % 4), load8(amounts));
            totals[group % 2] = _mm256_add_epi32(totals[group % 2], on);
        }
    }
    let wide = |total| {
        let low = _mm256_cvtepi32_epi64(_mm256_castsi256_si128(total));
        _mm256_add_epi64(low, _mm256_cvtepi32_epi64(_mm256_extracti128_si256::<1>(total)))
    };
    let four = _mm256_add_epi64(wide(totals[0]), wide(totals[1]));
    let two = _mm_add_epi64(_mm256_castsi256_si128(four), _mm256_extracti128_si256::<1>(four));
    _mm_cvtsi128_si64(two) + _mm_extract_epi64::<1>(two)
}

#[target_feature(enable = "avx2,popcnt")]
fn slide_row<C: Cell>(slide: &Slide<'_>, weights: u64, threshold: i16, samples: usize, new: &mut [Chunk<C>]) {
    loops::slide_row(threshold, samples, new, |sample| slide.fewest(sample, weights));
}

#[target_feature(enable = "avx2,popcnt")]
fn slide_deciding(slide: &Slide<'_>, weights: u64, threshold: u32, found: &[u32], rows: &mut Vec<u32>) {
    let differing = |sample| slide.differing(sample, weights, threshold + 1);
    loops::slide_deciding(weights, found, rows, differing);
}
