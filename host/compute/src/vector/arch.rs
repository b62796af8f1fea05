//! The instructions of x86-64 processors, and what stands for those that miri lacks.
//!
//! Under miri the kernels run on machines that lack their instructions, and every access to memory is checked.

pub(super) use std::arch::x86_64::*;

#[cfg(miri)]
pub(super) use interpreted::{
    _mm512_i32gather_epi32, _mm512_maskz_compress_epi8, _mm512_maskz_compress_epi32, _mm512_permutexvar_epi8,
    _mm512_permutexvar_epi32, _mm512_ternarylogic_epi64,
};

#[cfg(miri)]
mod interpreted {
    use std::arch::x86_64::__m512i;
    use std::mem::transmute;

    /// The lanes of a mask, moved to the front; zeros behind them.
    fn compress<T: Copy + Default, const LANES: usize>(mask: u64, lanes: [T; LANES]) -> [T; LANES] {
        let mut front = [T::default(); LANES];
        let on = (0..LANES).filter(|lane| mask >> lane & 1 == 1);
        for (to, lane) in front.iter_mut().zip(on) {
            *to = lanes[lane];
        }
        front
    }

    pub(in super::super) fn _mm512_maskz_compress_epi8(mask: u64, lanes: __m512i) -> __m512i {
        // SAFETY: both are 512 bits, and all values of them are valid.
        unsafe { transmute(compress(mask, transmute::<__m512i, [u8; 64]>(lanes))) }
    }

    pub(in super::super) fn _mm512_maskz_compress_epi32(mask: u16, lanes: __m512i) -> __m512i {
        // SAFETY: both are 512 bits, and all values of them are valid.
        unsafe { transmute(compress(u64::from(mask), transmute::<__m512i, [u32; 16]>(lanes))) }
    }

    pub(in super::super) fn _mm512_permutexvar_epi8(index: __m512i, lanes: __m512i) -> __m512i {
        // SAFETY: both are 512 bits, and all values of them are valid.
        unsafe {
            let lanes: [u8; 64] = transmute(lanes);
            transmute(transmute::<__m512i, [u8; 64]>(index).map(|index| lanes[usize::from(index) % 64]))
        }
    }

    pub(in super::super) fn _mm512_permutexvar_epi32(index: __m512i, lanes: __m512i) -> __m512i {
        // SAFETY: both are 512 bits, and all values of them are valid.
        unsafe {
            let lanes: [u32; 16] = transmute(lanes);
            transmute(transmute::<__m512i, [u32; 16]>(index).map(|index| lanes[index as usize % 16]))
        }
    }

    /// Of three bits `a`, `b` and `c` the bit `4 a + 2 b + c` of `TABLE`.
    pub(in super::super) fn _mm512_ternarylogic_epi64<const TABLE: i32>(
        a: __m512i,
        b: __m512i,
        c: __m512i,
    ) -> __m512i {
        // SAFETY: all are 512 bits, and all values of them are valid.
        unsafe {
            let [a, b, c]: [[u64; 8]; 3] = transmute([a, b, c]);
            transmute::<[u64; 8], _>(std::array::from_fn(|word| {
                let of =
                    |bits: u64, entry: u64, place: u32| if entry >> place & 1 == 1 { bits } else { !bits };
                let entries = (0..8).filter(|entry| TABLE >> entry & 1 == 1);
                entries.fold(0, |all, entry| {
                    all | of(a[word], entry, 2) & of(b[word], entry, 1) & of(c[word], entry, 0)
                })
            }))
        }
    }

    /// # Safety
    /// Four bytes can be read from each offset, in units of `SCALE` bytes, from `from` on.
    pub(in super::super) unsafe fn _mm512_i32gather_epi32<const SCALE: i32>(
        offsets: __m512i,
        from: *const i32,
    ) -> __m512i {
        // SAFETY: both are 512 bits, and all values of them are valid; the caller promises what is read.
        unsafe {
            let offsets: [i32; 16] = transmute(offsets);
            transmute(offsets.map(|offset| from.byte_offset((offset * SCALE) as isize).read_unaligned()))
        }
    }
}
