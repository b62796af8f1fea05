// The kernels on the CPU: the words of CUDA that they use, as C++. The threads of a block are fibers of one thread of the machine,
// which run until they wait for others: barriers, votes and shuffles are real meetings, and a thread that does not come is found.
// Blocks run one after the other.

#pragma once

#include <cstddef>

#define __host__
#define __device__
#define __global__
#define __forceinline__ inline
// One block at a time runs on a thread of the machine.
#define __shared__ static thread_local

namespace shim {

struct Index {
    unsigned int x, y;
};

// Of the fiber that runs.
extern thread_local Index thread_index, block_index, block_size, grid_size;

// All 32 threads of the warp bring a value; returns what they brought.
const unsigned int *meet_warp(unsigned int mask, unsigned int value);
void meet_block();

} // namespace shim

#define threadIdx shim::thread_index
#define blockIdx shim::block_index
#define blockDim shim::block_size
#define gridDim shim::grid_size

static inline unsigned int __popc(unsigned int x) { return (unsigned int)__builtin_popcount(x); }
static inline int __ffs(int x) { return __builtin_ffs(x); }

// Four of the eight bytes of b and a, by their numbers.
static inline unsigned int __byte_perm(unsigned int a, unsigned int b, unsigned int bytes) {
    unsigned int picked = 0;
    for (unsigned int byte = 0; byte < 4; byte++) {
        unsigned int of = bytes >> 4 * byte & 7;
        picked |= ((of < 4 ? a : b) >> of % 4 * 8 & 0xff) << 8 * byte;
    }
    return picked;
}

static inline void __syncthreads() { shim::meet_block(); }
static inline void __syncwarp() { shim::meet_warp(0xffffffffu, 0); }

static inline unsigned int __ballot_sync(unsigned int mask, int predicate) {
    const unsigned int *all = shim::meet_warp(mask, predicate != 0);
    unsigned int votes = 0;
    for (unsigned int lane = 0; lane < 32; lane++) {
        votes |= all[lane] << lane;
    }
    return votes;
}

static inline unsigned int __shfl_sync(unsigned int mask, unsigned int value, int lane) {
    return shim::meet_warp(mask, value)[lane % 32];
}

static inline unsigned int __shfl_xor_sync(unsigned int mask, unsigned int value, int bits) {
    return shim::meet_warp(mask, value)[(threadIdx.x % 32) ^ (unsigned int)bits];
}

static inline unsigned int __shfl_up_sync(unsigned int mask, unsigned int value, int distance) {
    unsigned int lane = threadIdx.x % 32, from = lane >= (unsigned int)distance ? lane - (unsigned int)distance : lane;
    return shim::meet_warp(mask, value)[from];
}

// No other fiber runs in between.
static inline unsigned long long atomicAdd(unsigned long long *sum, unsigned long long amount) {
    unsigned long long before = *sum;
    *sum += amount;
    return before;
}

// mma.m16n8k32 with unsigned bytes on the left and signed ones on the right, from the fragments' definition in the PTX ISA.
static inline void shim_multiply_bytes(int sums[4], const unsigned int a[4], const unsigned int b[2]) {
    unsigned int left[4][32], right[2][32];
    for (unsigned int part = 0; part < 4; part++) {
        const unsigned int *all = shim::meet_warp(0xffffffffu, a[part]);
        for (unsigned int lane = 0; lane < 32; lane++) {
            left[part][lane] = all[lane];
        }
    }
    for (unsigned int part = 0; part < 2; part++) {
        const unsigned int *all = shim::meet_warp(0xffffffffu, b[part]);
        for (unsigned int lane = 0; lane < 32; lane++) {
            right[part][lane] = all[lane];
        }
    }
    unsigned int group = threadIdx.x % 32 / 4, quarter = threadIdx.x % 4;
    for (unsigned int part = 0; part < 4; part++) {
        unsigned int row = group + part / 2 * 8, column = quarter * 2 + part % 2;
        for (unsigned int k = 0; k < 32; k++) {
            unsigned int of = k % 16 / 4, byte = k % 4 * 8;
            unsigned int one = left[row / 8 + k / 16 * 2][row % 8 * 4 + of] >> byte & 0xff;
            int other = (signed char)(right[k / 16][column * 4 + of] >> byte & 0xff);
            sums[part] += (int)one * other;
        }
    }
}

// mma.m16n8k128 of bits with and, or two mma.m8n8k128 with exclusive or, from the same definition.
static inline void shim_multiply_bits(bool both, int sums[4], unsigned int upper, unsigned int lower, unsigned int b) {
    unsigned int left[2][32], right[32];
    const unsigned int *all = shim::meet_warp(0xffffffffu, upper);
    for (unsigned int lane = 0; lane < 32; lane++) {
        left[0][lane] = all[lane];
    }
    all = shim::meet_warp(0xffffffffu, lower);
    for (unsigned int lane = 0; lane < 32; lane++) {
        left[1][lane] = all[lane];
    }
    all = shim::meet_warp(0xffffffffu, b);
    for (unsigned int lane = 0; lane < 32; lane++) {
        right[lane] = all[lane];
    }
    unsigned int group = threadIdx.x % 32 / 4, quarter = threadIdx.x % 4;
    for (unsigned int part = 0; part < 4; part++) {
        unsigned int column = quarter * 2 + part % 2;
        for (unsigned int word = 0; word < 4; word++) {
            unsigned int one = left[part / 2][group * 4 + word], other = right[column * 4 + word];
            sums[part] += (int)__popc(both ? one & other : one ^ other);
        }
    }
}
