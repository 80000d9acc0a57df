// Host model of mbarriers; simt/mbarriers.h has the rules.
#pragma once

#include <cstdint>

#include "simt/executor.h"

namespace jcuconv {

constexpr bool has_hopper() { return true; }

struct Mbarrier {
    std::uint64_t state;  // lies beside: kernels must not look at it
};

inline void mbar_init(Mbarrier& barrier, int arrivals, simt::Where where = simt::Where::current()) {
    simt::mbarrier_init(&barrier, arrivals, where);
}

inline void fence_mbar_init() {}

inline void mbar_arrive(Mbarrier& barrier, simt::Where where = simt::Where::current()) { simt::mbarrier_arrive(&barrier, 0, where); }

inline void mbar_expect(Mbarrier& barrier, int bytes, simt::Where where = simt::Where::current()) {
    simt::mbarrier_arrive(&barrier, bytes, where);
}

inline void mbar_wait(Mbarrier& barrier, unsigned parity, simt::Where where = simt::Where::current()) {
    simt::mbarrier_wait(&barrier, parity, where);
}

}  // namespace jcuconv
