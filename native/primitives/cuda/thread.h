// Threads, barriers, warp operations and shared memory on a GPU.
#pragma once

#include <type_traits>

#define JCUCONV_DEVICE __device__ __forceinline__

namespace jcuconv {

using Dim3 = dim3;

constexpr unsigned kFullWarp = 0xffffffffu;

JCUCONV_DEVICE int thread_index() { return static_cast<int>(threadIdx.x); }
JCUCONV_DEVICE int block_size() { return static_cast<int>(blockDim.x); }
JCUCONV_DEVICE uint3 block_index() { return blockIdx; }
JCUCONV_DEVICE dim3 grid_size() { return gridDim; }

JCUCONV_DEVICE void sync_threads() { __syncthreads(); }
JCUCONV_DEVICE void bar_sync(int id, int threads) { asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory"); }
JCUCONV_DEVICE void bar_arrive(int id, int threads) {
    asm volatile("bar.arrive %0, %1;" ::"r"(id), "r"(threads) : "memory");
}
JCUCONV_DEVICE void sync_warp() { __syncwarp(); }

// The last warp of a block whose size is no multiple of 32 has fewer lanes; the mask must not name the missing ones.
JCUCONV_DEVICE unsigned warp_mask() {
    const unsigned lanes = blockDim.x - (threadIdx.x & ~31u);
    return lanes >= 32 ? kFullWarp : (1u << lanes) - 1u;
}

template <class T>
JCUCONV_DEVICE T shuffle_xor(T value, int mask) {
    return __shfl_xor_sync(warp_mask(), value, mask);
}

template <class T>
JCUCONV_DEVICE T shuffle_down(T value, int delta) {
    return __shfl_down_sync(warp_mask(), value, delta);
}

template <class T>
JCUCONV_DEVICE T shuffle(T value, int lane) {
    return __shfl_sync(warp_mask(), value, lane);
}

JCUCONV_DEVICE unsigned ballot(bool predicate) { return __ballot_sync(warp_mask(), predicate); }

template <class T>
JCUCONV_DEVICE T atomic_add(T* address, T value) {
    static_assert(std::is_integral_v<T>, "floating-point atomics would make results depend on order");
    return atomicAdd(address, value);
}

// The address of shared memory as instructions take it.
JCUCONV_DEVICE unsigned shared_address(const void* p) { return static_cast<unsigned>(__cvta_generic_to_shared(p)); }

// Ends the grid with an error: for a kernel that this architecture cannot run, which the host should not have launched.
JCUCONV_DEVICE void refuse(const char*) { __trap(); }

template <class S>
JCUCONV_DEVICE S& shared() {
    extern __shared__ __align__(1024) unsigned char memory[];
    asm volatile("// shared %0" ::"n"(sizeof(S)));  // a comment in the PTX, for native/kernel_table.sh
    return *reinterpret_cast<S*>(memory);
}

}  // namespace jcuconv
