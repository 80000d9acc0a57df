// Host model of asynchronous copies from global to shared memory; simt/async_copies.h says when they land.
#pragma once

#include "simt/executor.h"

namespace jcuconv {

constexpr bool has_cp_async() { return true; }

template <int kBytes>
void cp_async(void* shared_to, const void* global_from, int source_bytes = kBytes,
              simt::Where where = simt::Where::current()) {
    static_assert(kBytes == 4 || kBytes == 8 || kBytes == 16, "what cp.async can copy");
    simt::async_copy(shared_to, global_from, kBytes, source_bytes, where);
}

inline void cp_async_commit() { simt::async_commit(); }

template <int kGroups>
void cp_async_wait() {
    static_assert(kGroups >= 0);
    simt::async_wait(kGroups);
}

}  // namespace jcuconv
