// From a linear index to coordinates, and grids of one thread per item.
#pragma once

#include "core/arithmetic.h"
#include "primitives/primitives.h"

namespace jcuconv {

constexpr int kItemThreads = 256;

// Item of this thread, `count` or more for the threads that have none.
JCUCONV_DEVICE std::int64_t item_index() { return std::int64_t{block_index().x} * kItemThreads + thread_index(); }

inline Dim3 item_grid(std::int64_t count) { return {static_cast<unsigned>(ceil_div<std::int64_t>(count, kItemThreads)), 1, 1}; }

// Takes the fastest coordinate off a linear index. 64-bit divisions cost about ten times a 32-bit one, and are rarely needed.
JCUCONV_DEVICE int take_coordinate(std::int64_t& index, int extent) {
    if (index >> 32 == 0) {
        const auto small = static_cast<std::uint32_t>(index);
        index = small / static_cast<std::uint32_t>(extent);
        return static_cast<int>(small % static_cast<std::uint32_t>(extent));
    }
    const int coordinate = static_cast<int>(index % extent);
    index /= extent;
    return coordinate;
}

}  // namespace jcuconv
