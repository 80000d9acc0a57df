// Memory on the host: every access to global memory is checked against the registry of allocations and for alignment, every
// counted one to shared memory against the block's bytes, alignment and copies in flight.
#pragma once

#include "simt/executor.h"
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

// Plain accesses to shared memory that the executor sees: their bank conflicts are counted, and copies in flight are found
// without a race build. For whole warps and what is worth counting; other accesses may stay plain.
template <class V>
V load_shared(const V* p, simt::Where where = simt::Where::current()) {
    simt::access_shared(p, sizeof(V), alignof(V), simt::Access::kRead, true, "load_shared", where);
    return *p;
}

template <class V>
void store_shared(V* p, const V& value, simt::Where where = simt::Where::current()) {
    simt::access_shared(p, sizeof(V), alignof(V), simt::Access::kWrite, true, "store_shared", where);
    *p = value;
}

}  // namespace jcuconv
