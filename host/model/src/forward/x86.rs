//! Lanes of x86-64: AVX-512 with and without its population count, and AVX2.

use std::arch::x86_64::*;

use super::kernel::{self, Block, Kernel, Lanes};
use super::{Forward, Scratch};

/// AVX-512 with `vpopcntd`; only [`kernels`] makes one.
#[derive(Clone, Copy, Debug)]
struct Counting(());

/// AVX-512 F and BW, counting by table; only [`kernels`] makes one.
#[derive(Clone, Copy, Debug)]
struct Wide(());

/// AVX2, counting by table; only [`kernels`] makes one.
#[derive(Clone, Copy, Debug)]
struct Half(());

/// The kernels that this machine has, the fastest first.
pub(super) fn kernels() -> Vec<Box<dyn Kernel>> {
    let mut kernels: Vec<Box<dyn Kernel>> = vec![];
    if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw") {
        if is_x86_feature_detected!("avx512vpopcntdq") {
            kernels.push(Box::new(Counting(())));
        }
        kernels.push(Box::new(Wide(())));
    }
    if is_x86_feature_detected!("avx2") {
        kernels.push(Box::new(Half(())));
    }
    kernels
}

macro_rules! kernel {
    ($lanes:ty, $name:literal, $features:literal, $together:literal) => {
        impl Kernel for $lanes {
            fn name(&self) -> &'static str {
                $name
            }

            fn scores(
                &self,
                forward: &Forward,
                inputs: &[Block],
                scratch: &mut Scratch,
                scores: &mut [Block],
            ) {
                #[target_feature(enable = $features)]
                fn run(
                    lanes: $lanes,
                    forward: &Forward,
                    inputs: &[Block],
                    scratch: &mut Scratch,
                    scores: &mut [Block],
                ) {
                    kernel::scores::<$lanes, $together>(lanes, forward, inputs, scratch, scores);
                }
                // SAFETY: `kernels` made the value, where it found the instructions.
                unsafe { run(*self, forward, inputs, scratch, scores) }
            }

            fn outputs(
                &self,
                forward: &Forward,
                neuron: usize,
                threshold: u32,
                inputs: &[Block],
                on: &mut [u16],
            ) {
                #[target_feature(enable = $features)]
                fn run(
                    lanes: $lanes,
                    forward: &Forward,
                    neuron: usize,
                    threshold: u32,
                    inputs: &[Block],
                    on: &mut [u16],
                ) {
                    kernel::outputs(lanes, forward, neuron, threshold, inputs, on);
                }
                // SAFETY: `kernels` made the value, where it found the instructions.
                unsafe { run(*self, forward, neuron, threshold, inputs, on) }
            }
        }
    };
}

kernel!(Counting, "AVX-512 with VPOPCNTDQ", "avx512f,avx512bw,avx512vpopcntdq", 4);
kernel!(Wide, "AVX-512", "avx512f,avx512bw", 4);
kernel!(Half, "AVX2", "avx2", 2);

/// What both forms of AVX-512 share.
macro_rules! wide_lanes {
    ($lanes:ty, $most:expr, $counts:expr, $total:expr) => {
        impl Lanes for $lanes {
            type Vector = __m512i;
            type Mask = __mmask16;
            const MOST: usize = $most;

            #[inline(always)]
            fn load(self, block: &Block) -> __m512i {
                // SAFETY: `kernels` found the instructions; a block holds 512 bits and is aligned to them.
                unsafe { _mm512_load_si512(block.0.as_ptr().cast()) }
            }

            #[inline(always)]
            fn store(self, vector: __m512i, block: &mut Block) {
                // SAFETY: `kernels` found the instructions; a block holds 512 bits and is aligned to them.
                unsafe { _mm512_store_si512(block.0.as_mut_ptr().cast(), vector) }
            }

            #[inline(always)]
            fn splat(self, word: u32) -> __m512i {
                // SAFETY: `kernels` found the instructions.
                unsafe { _mm512_set1_epi32(word as i32) }
            }

            #[inline(always)]
            fn xor(self, a: __m512i, b: __m512i) -> __m512i {
                // SAFETY: `kernels` found the instructions.
                unsafe { _mm512_xor_si512(a, b) }
            }

            #[inline(always)]
            fn add(self, a: __m512i, b: __m512i) -> __m512i {
                // SAFETY: `kernels` found the instructions.
                unsafe { _mm512_add_epi32(a, b) }
            }

            #[inline(always)]
            fn subtract(self, a: __m512i, b: __m512i) -> __m512i {
                // SAFETY: `kernels` found the instructions.
                unsafe { _mm512_sub_epi32(a, b) }
            }

            #[inline(always)]
            fn or_and(self, a: __m512i, b: __m512i, c: __m512i) -> __m512i {
                // SAFETY: `kernels` found the instructions.
                unsafe { _mm512_ternarylogic_epi32::<0b1111_1000>(a, b, c) }
            }

            #[inline(always)]
            fn rotate_left(self, a: __m512i, by: u32) -> __m512i {
                // SAFETY: `kernels` found the instructions.
                unsafe { _mm512_rolv_epi32(a, _mm512_set1_epi32(by as i32)) }
            }

            #[inline(always)]
            fn counts(self, a: __m512i) -> __m512i {
                // SAFETY: `kernels` found the instructions of this form.
                unsafe { $counts(a) }
            }

            #[inline(always)]
            fn total(self, a: __m512i) -> __m512i {
                // SAFETY: `kernels` found the instructions of this form.
                unsafe { $total(a) }
            }

            #[inline(always)]
            fn at_most(self, a: __m512i, b: __m512i) -> __mmask16 {
                // SAFETY: `kernels` found the instructions.
                unsafe { _mm512_cmple_epu32_mask(a, b) }
            }

            #[inline(always)]
            fn or_where(self, a: __m512i, mask: __mmask16, b: __m512i) -> __m512i {
                // SAFETY: `kernels` found the instructions.
                unsafe { _mm512_mask_or_epi32(a, mask, a, b) }
            }

            #[inline(always)]
            fn bits(self, mask: __mmask16) -> u16 {
                mask
            }
        }
    };
}

wide_lanes!(Counting, usize::MAX, _mm512_popcnt_epi32, whole_total);
wide_lanes!(Wide, 31, wide_counts, wide_total);

/// The counts of whole lanes are their sums.
#[inline]
#[target_feature(enable = "avx512f")]
fn whole_total(a: __m512i) -> __m512i {
    a
}

/// The set bits of each byte, by a table of the 16 nibbles (Muła, Kurz and Lemire, *Faster population counts using AVX2
/// instructions*, 2018).
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn wide_counts(a: __m512i) -> __m512i {
    let table = _mm512_broadcast_i32x4(nibbles());
    let low = _mm512_set1_epi8(0x0f);
    let high = _mm512_and_si512(_mm512_srli_epi16::<4>(a), low);
    let low = _mm512_and_si512(a, low);
    _mm512_add_epi8(_mm512_shuffle_epi8(table, low), _mm512_shuffle_epi8(table, high))
}

/// The sum of the four bytes of each lane.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn wide_total(a: __m512i) -> __m512i {
    _mm512_madd_epi16(_mm512_maddubs_epi16(a, _mm512_set1_epi8(1)), _mm512_set1_epi16(1))
}

#[inline]
#[target_feature(enable = "avx2")]
fn half_counts(a: __m256i) -> __m256i {
    let table = _mm256_broadcastsi128_si256(nibbles());
    let low = _mm256_set1_epi8(0x0f);
    let high = _mm256_and_si256(_mm256_srli_epi16::<4>(a), low);
    let low = _mm256_and_si256(a, low);
    _mm256_add_epi8(_mm256_shuffle_epi8(table, low), _mm256_shuffle_epi8(table, high))
}

#[inline]
#[target_feature(enable = "avx2")]
fn half_total(a: __m256i) -> __m256i {
    _mm256_madd_epi16(_mm256_maddubs_epi16(a, _mm256_set1_epi8(1)), _mm256_set1_epi16(1))
}

/// The set bits of 0 to 15.
#[inline]
#[target_feature(enable = "sse2")]
fn nibbles() -> __m128i {
    _mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4)
}

impl Lanes for Half {
    type Vector = [__m256i; 2];
    type Mask = [__m256i; 2];
    /// A byte counts up to 8 a word.
    const MOST: usize = 31;

    #[inline(always)]
    fn load(self, block: &Block) -> Self::Vector {
        let (low, high) = block.0.split_at(8);
        // SAFETY: `kernels` found the instructions; half a block holds 256 bits and is aligned to them.
        unsafe { [_mm256_load_si256(low.as_ptr().cast()), _mm256_load_si256(high.as_ptr().cast())] }
    }

    #[inline(always)]
    fn store(self, [a, b]: Self::Vector, block: &mut Block) {
        let (low, high) = block.0.split_at_mut(8);
        // SAFETY: `kernels` found the instructions; half a block holds 256 bits and is aligned to them.
        unsafe {
            _mm256_store_si256(low.as_mut_ptr().cast(), a);
            _mm256_store_si256(high.as_mut_ptr().cast(), b);
        }
    }

    #[inline(always)]
    fn splat(self, word: u32) -> Self::Vector {
        // SAFETY: `kernels` found the instructions.
        unsafe { [_mm256_set1_epi32(word as i32); 2] }
    }

    #[inline(always)]
    fn xor(self, a: Self::Vector, b: Self::Vector) -> Self::Vector {
        // SAFETY: `kernels` found the instructions.
        unsafe { [_mm256_xor_si256(a[0], b[0]), _mm256_xor_si256(a[1], b[1])] }
    }

    #[inline(always)]
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector {
        // SAFETY: `kernels` found the instructions.
        unsafe { [_mm256_add_epi32(a[0], b[0]), _mm256_add_epi32(a[1], b[1])] }
    }

    #[inline(always)]
    fn subtract(self, a: Self::Vector, b: Self::Vector) -> Self::Vector {
        // SAFETY: `kernels` found the instructions.
        unsafe { [_mm256_sub_epi32(a[0], b[0]), _mm256_sub_epi32(a[1], b[1])] }
    }

    #[inline(always)]
    fn or_and(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector {
        // SAFETY: `kernels` found the instructions.
        unsafe {
            [
                _mm256_or_si256(a[0], _mm256_and_si256(b[0], c[0])),
                _mm256_or_si256(a[1], _mm256_and_si256(b[1], c[1])),
            ]
        }
    }

    #[inline(always)]
    fn rotate_left(self, a: Self::Vector, by: u32) -> Self::Vector {
        // SAFETY: `kernels` found the instructions. A shift by 32 gives 0.
        unsafe {
            let (left, right) = (_mm_cvtsi32_si128(by as i32), _mm_cvtsi32_si128(32 - by as i32));
            [
                _mm256_or_si256(_mm256_sll_epi32(a[0], left), _mm256_srl_epi32(a[0], right)),
                _mm256_or_si256(_mm256_sll_epi32(a[1], left), _mm256_srl_epi32(a[1], right)),
            ]
        }
    }

    #[inline(always)]
    fn counts(self, a: Self::Vector) -> Self::Vector {
        // SAFETY: `kernels` found the instructions.
        unsafe { [half_counts(a[0]), half_counts(a[1])] }
    }

    #[inline(always)]
    fn total(self, a: Self::Vector) -> Self::Vector {
        // SAFETY: `kernels` found the instructions.
        unsafe { [half_total(a[0]), half_total(a[1])] }
    }

    #[inline(always)]
    fn at_most(self, a: Self::Vector, b: Self::Vector) -> Self::Mask {
        // Not greater, as all ones.
        // SAFETY: `kernels` found the instructions.
        unsafe {
            let ones = _mm256_set1_epi32(-1);
            [
                _mm256_xor_si256(_mm256_cmpgt_epi32(a[0], b[0]), ones),
                _mm256_xor_si256(_mm256_cmpgt_epi32(a[1], b[1]), ones),
            ]
        }
    }

    #[inline(always)]
    fn or_where(self, a: Self::Vector, mask: Self::Mask, b: Self::Vector) -> Self::Vector {
        self.or_and(a, mask, b)
    }

    #[inline(always)]
    fn bits(self, mask: Self::Mask) -> u16 {
        // SAFETY: `kernels` found the instructions.
        let [low, high] = unsafe {
            [
                _mm256_movemask_ps(_mm256_castsi256_ps(mask[0])),
                _mm256_movemask_ps(_mm256_castsi256_ps(mask[1])),
            ]
        };
        (low | high << 8) as u16
    }
}
