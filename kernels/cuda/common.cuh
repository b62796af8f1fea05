// What all kernels share: names of numbers, the warp, exact sums. The sources compile three ways: by NVRTC for the card at
// hand, by clang to PTX 6.3 for sm_53 (clang.h stands in for the CUDA headers), and by any C++20 compiler for the CPU (shim.h).

#pragma once

#if defined(EVOBIT_SHIM)
#include "shim.h"
#elif defined(__clang__)
#include "clang.h"
#endif

typedef unsigned char u8;
typedef short i16;
typedef unsigned short u16;
typedef int i32;
typedef unsigned int u32;
typedef long long i64;
typedef unsigned long long u64;

#define DEVICE static __device__ __forceinline__
#define KERNEL extern "C" __global__ void

// Where there are tensor cores for bytes.
#if defined(EVOBIT_SHIM) || (defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800)
#define BYTE_PRODUCTS
#endif

// Where there are those for bits.
#if defined(EVOBIT_SHIM) || (defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 750)
#define BIT_PRODUCTS
#endif

// Threads of a warp: all take part in everything here.
static const u32 ALL = 0xffffffffu;

struct alignas(8) Two {
    u32 low, high;
};

struct alignas(16) Four {
    u32 words[4];
};

DEVICE u32 lane_of_thread() { return threadIdx.x % 32; }

DEVICE u32 warp_of_thread() { return threadIdx.x / 32; }

DEVICE u32 bit_of(const u32 *words, u32 index) { return words[index / 32] >> (index % 32) & 1; }

// Entry `index` of a table of 8- or 16-bit numbers.
DEVICE u32 field_of(const u32 *words, u32 bits, u32 index) {
    u32 first = index * bits;
    return words[first / 32] >> (first % 32) & ((1u << bits) - 1);
}

DEVICE void add(i64 *sum, i64 amount) { atomicAdd((u64 *)sum, (u64)amount); }

DEVICE i32 sum_of_warp(i32 value) {
    for (u32 distance = 16; distance > 0; distance /= 2) {
        value += (i32)__shfl_xor_sync(ALL, (u32)value, distance);
    }
    return value;
}

DEVICE i64 long_sum_of_warp(i64 value) {
    for (u32 distance = 16; distance > 0; distance /= 2) {
        u32 low = __shfl_xor_sync(ALL, (u32)value, distance);
        u32 high = __shfl_xor_sync(ALL, (u32)((u64)value >> 32), distance);
        value += (i64)((u64)high << 32 | low);
    }
    return value;
}

// The sum over the lanes below this one.
DEVICE u32 sum_below(u32 value) {
    u32 sum = value;
    for (u32 distance = 1; distance < 32; distance *= 2) {
        u32 other = __shfl_up_sync(ALL, sum, distance);
        sum += lane_of_thread() >= distance ? other : 0;
    }
    return sum - value;
}
