// Memory on a GPU.
#pragma once

namespace jcuconv {

// N neighbouring elements that travel in one instruction. Aligned to its whole size: that is what the hardware demands.
template <class T, int N>
struct alignas(sizeof(T) * N) Pack {
    T v[N];
};

template <class V>
__device__ __forceinline__ V load_global(const V* p) {
    return *p;
}

template <class V>
__device__ __forceinline__ void store_global(V* p, const V& value) {
    *p = value;
}

template <class V>
__device__ __forceinline__ V load_shared(const V* p) {
    return *p;
}

template <class V>
__device__ __forceinline__ void store_shared(V* p, const V& value) {
    *p = value;
}

}  // namespace jcuconv
