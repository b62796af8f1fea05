//! The kernels for AVX-512 as Ice Lake and Zen 4 brought it (F, BW, VL, VBMI, VBMI2, VPOPCNTDQ, and BMI2): 64 or 32 pre-activations, 32 sums, or
//! the classes of four samples at a time.

use super::arch::*;

use super::implement::vector_kernels;
use super::kernels::{
    Against, Ahead, Cell, Chunk, Column, Kernels, Labels, Rises, Rows, Sides, Slide, View, ViewMut, Window,
};
use super::loops;
use super::vectorize::{Loop, Vectorize};

mod flips;
mod rows;
mod slides;
mod windows;

use flips::{flip_changes, sides};
use rows::sum_rows;
use slides::{slide_deciding, slide_row};
use windows::sum_window;

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
            && is_x86_feature_detected!("avx512vpopcntdq")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("popcnt");
        found.then_some(Self(()))
    }
}

impl Vectorize for Avx512 {
    fn vectorize<T: Loop>(self, body: T) -> T::Output {
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,popcnt")]
        fn with<T: Loop>(body: T) -> T::Output {
            body.run()
        }
        // SAFETY: only `detect` makes a `self`, where it found the instructions.
        unsafe { with(body) }
    }
}

vector_kernels!(Avx512, "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx512vpopcntdq,bmi2,popcnt";
    fn sides(self, found: &[u32], amounts: &mut [i16]) -> Sides {
        // SAFETY: only `detect` makes a `self`, where it found the instructions.
        unsafe { sides(found, amounts) }
    }

    fn sum_window(self, window: &Window<'_>, found: &[u32], amounts: &[i16], most: i16, sums: &mut [i32]) {
        // SAFETY: only `detect` makes a `self`, where it found the instructions.
        unsafe { sum_window(window, found, amounts, most, sums) }
    }
);

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx512vpopcntdq,bmi2,popcnt")]
fn narrow(values: &Chunk<i8>) -> __m512i {
    // SAFETY: a chunk holds 512 bits, and the load needs no alignment.
    unsafe { _mm512_loadu_si512(values.0.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx512vpopcntdq,bmi2,popcnt")]
fn wide(values: &Chunk<i16>) -> [__m512i; 2] {
    let at = values.0.as_ptr();
    // SAFETY: a chunk holds twice 512 bits, and the loads need no alignment.
    unsafe { [_mm512_loadu_si512(at.cast()), _mm512_loadu_si512(at.add(32).cast())] }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx512vpopcntdq,bmi2,popcnt")]
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
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx512vpopcntdq,bmi2,popcnt")]
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
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx512vpopcntdq,bmi2,popcnt")]
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
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx512vpopcntdq,bmi2,popcnt")]
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

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx512vpopcntdq,bmi2,popcnt")]
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
