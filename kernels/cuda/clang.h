// Stands in for the CUDA headers where clang compiles the kernels without the CUDA toolkit, see kernels/README.md.

#pragma once

#define __host__ __attribute__((host))
#define __device__ __attribute__((device))
#define __global__ __attribute__((global))
#define __shared__ __attribute__((shared))
#define __forceinline__ inline __attribute__((always_inline))

#define EVOBIT_REGISTER(name, of)                                                                                      \
    struct name {                                                                                                      \
        __declspec(property(get = get_x)) unsigned int x;                                                              \
        __declspec(property(get = get_y)) unsigned int y;                                                              \
        static __device__ __forceinline__ unsigned int get_x() { return __nvvm_read_ptx_sreg_##of##_x(); }             \
        static __device__ __forceinline__ unsigned int get_y() { return __nvvm_read_ptx_sreg_##of##_y(); }             \
    }

EVOBIT_REGISTER(ThreadIndex, tid);
EVOBIT_REGISTER(BlockIndex, ctaid);
EVOBIT_REGISTER(BlockSize, ntid);
EVOBIT_REGISTER(GridSize, nctaid);
extern const __device__ __attribute__((weak)) ThreadIndex threadIdx;
extern const __device__ __attribute__((weak)) BlockIndex blockIdx;
extern const __device__ __attribute__((weak)) BlockSize blockDim;
extern const __device__ __attribute__((weak)) GridSize gridDim;

static __device__ __forceinline__ unsigned int __popc(unsigned int x) { return __builtin_popcount(x); }
static __device__ __forceinline__ int __ffs(int x) { return __builtin_ffs(x); }
static __device__ __forceinline__ unsigned int __byte_perm(unsigned int a, unsigned int b, unsigned int bytes) {
    return __nvvm_prmt(a, b, bytes);
}
static __device__ __forceinline__ void __syncwarp() { __nvvm_bar_warp_sync(0xffffffffu); }
static __device__ __forceinline__ unsigned int __ballot_sync(unsigned int mask, int predicate) {
    return __nvvm_vote_ballot_sync(mask, predicate);
}
static __device__ __forceinline__ unsigned int __shfl_sync(unsigned int mask, unsigned int value, int lane) {
    return __nvvm_shfl_sync_idx_i32(mask, value, lane, 0x1f);
}
static __device__ __forceinline__ unsigned int __shfl_xor_sync(unsigned int mask, unsigned int value, int bits) {
    return __nvvm_shfl_sync_bfly_i32(mask, value, bits, 0x1f);
}
static __device__ __forceinline__ unsigned int __shfl_up_sync(unsigned int mask, unsigned int value, int distance) {
    return __nvvm_shfl_sync_up_i32(mask, value, distance, 0);
}
static __device__ __forceinline__ unsigned long long atomicAdd(unsigned long long *sum, unsigned long long amount) {
    return __nvvm_atom_add_gen_ll((long long *)sum, (long long)amount);
}
