// Products of matrices of bits and of bytes on tensor cores, of a whole warp.

#pragma once

#include "common.cuh"

#if defined(BIT_PRODUCTS)
// Adds, for 16 rows and 8 columns of 128 bits, how many bits are set in both, or differ; PTX ISA, fragments of mma.m16n8k128
// and of two mma.m8n8k128, which are its halves.
template <bool BOTH> DEVICE void multiply_bits(i32 sums[4], u32 upper, u32 lower, u32 b) {
#if defined(EVOBIT_SHIM)
    shim_multiply_bits(BOTH, sums, upper, lower, b);
#else
    if (BOTH) {
#if __CUDA_ARCH__ >= 800
        asm("mma.sync.aligned.m16n8k128.row.col.s32.b1.b1.s32.and.popc {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
            : "+r"(sums[0]), "+r"(sums[1]), "+r"(sums[2]), "+r"(sums[3])
            : "r"(upper), "r"(lower), "r"(b));
#endif
    } else {
        asm("mma.sync.aligned.m8n8k128.row.col.s32.b1.b1.s32.xor.popc {%0, %1}, {%2}, {%3}, {%0, %1};"
            : "+r"(sums[0]), "+r"(sums[1])
            : "r"(upper), "r"(b));
        asm("mma.sync.aligned.m8n8k128.row.col.s32.b1.b1.s32.xor.popc {%0, %1}, {%2}, {%3}, {%0, %1};"
            : "+r"(sums[2]), "+r"(sums[3])
            : "r"(lower), "r"(b));
    }
#endif
}
#endif

// The product of 16x32 unsigned and 32x8 signed bytes, on a whole warp; PTX ISA, "Matrix Fragments for mma.m16n8k32".
DEVICE void multiply_bytes(i32 sums[4], const u32 a[4], const u32 b[2]) {
#if defined(EVOBIT_SHIM)
    shim_multiply_bytes(sums, a, b);
#elif defined(BYTE_PRODUCTS)
    asm("mma.sync.aligned.m16n8k32.row.col.s32.u8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+r"(sums[0]), "+r"(sums[1]), "+r"(sums[2]), "+r"(sums[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}
