// Global memory on the host: every access is checked against the registry of allocations and for alignment.
#pragma once

#include "simt/memory.h"

namespace jcuconv {

// N neighbouring elements that travel in one instruction. Aligned to its whole size: that is what the hardware demands.
template <class T, int N>
struct alignas(sizeof(T) * N) Pack {
    T v[N];
};

template <class V>
V load_global(const V* p) {
    simt::check_access(p, sizeof(V), alignof(V), "read");
    return *p;
}

template <class V>
void store_global(V* p, const V& value) {
    simt::check_access(p, sizeof(V), alignof(V), "write");
    *p = value;
}

}  // namespace jcuconv
