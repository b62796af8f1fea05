// Ceilings: what a card does at most of the operations that bound the other kernels. Nothing is read, and written only what keeps
// compilers from leaving the work out.

#include "common.cuh"
#include "tensor.cuh"

// Chains that a thread follows at a time, to hide the latency of one instruction behind the others.
static const u32 CHAINS = 8;

// Population counts: 8 a round and thread.
KERNEL ceiling_counts(u32 *out, u32 rounds) {
    u32 chains[CHAINS];
#pragma unroll
    for (u32 chain = 0; chain < CHAINS; chain++) {
        chains[chain] = threadIdx.x * CHAINS + chain + rounds;
    }
    for (u32 round = 0; round < rounds; round++) {
#pragma unroll
        for (u32 chain = 0; chain < CHAINS; chain++) {
            chains[chain] += __popc(chains[chain]);
        }
    }
    u32 sum = 0;
#pragma unroll
    for (u32 chain = 0; chain < CHAINS; chain++) {
        sum += chains[chain];
    }
    if (sum == 1) {
        *out = sum;
    }
}

#if defined(BIT_PRODUCTS)
template <bool BOTH> DEVICE void multiply_on(u32 *out, u32 rounds) {
    i32 sums[CHAINS][4] = {};
    u32 upper = threadIdx.x + rounds, lower = upper * 3, b = upper * 5;
    for (u32 round = 0; round < rounds; round++) {
#pragma unroll
        for (u32 chain = 0; chain < CHAINS; chain++) {
            multiply_bits<BOTH>(sums[chain], upper, lower, b + chain);
        }
    }
    i32 sum = 0;
#pragma unroll
    for (u32 chain = 0; chain < CHAINS; chain++) {
        sum += sums[chain][0] ^ sums[chain][1] ^ sums[chain][2] ^ sums[chain][3];
    }
    if (sum == -1) {
        *out = (u32)sum;
    }
}

// Products of 16 x 8 x 128 bits on tensor cores: 8 a round and warp.
KERNEL ceiling_differ(u32 *out, u32 rounds) { multiply_on<false>(out, rounds); }
#endif

#if defined(BYTE_PRODUCTS)
KERNEL ceiling_both(u32 *out, u32 rounds) { multiply_on<true>(out, rounds); }
#endif
