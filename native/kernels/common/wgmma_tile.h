// The matrix product on Hopper (sm_90a) inside the convolution passes: one thread loads by TMA, slab after slab of the depth, into several
// stages of shared memory; two warpgroups multiply 64 of the tile's rows each by all its columns.
//
// A pass says what rows, columns and depth mean by its loads, and in which direction the elements of an operand are neighbours (Major): a half
// of an operand is 64 rows of 64 deep, or 64 deep of 64 rows, swizzled as TMA and wgmma both know. All sums run in increasing depth, so the
// result does not depend on the order of tiles or blocks.
#pragma once

#include "heuristics/mma_extent.h"
#include "primitives/primitives.h"

namespace jcuconv {

// As drain_mma_tile sees it: eight warps below each other.
template <class T_>
struct WgmmaTile {
    using T = T_;
    static constexpr int kRows = kWgmmaExtent.rows, kColumns = kWgmmaExtent.columns;
    static constexpr int kWarpRows = 16, kWarpColumns = kColumns, kThreads = 2 * kRows;
    static constexpr int kFragmentRows = 1, kFragmentColumns = kColumns / 8;
    using Sums = float[kFragmentRows][kFragmentColumns][4];

    static JCUCONV_DEVICE int warp_row() { return thread_index() / 32 * kWarpRows; }
    static JCUCONV_DEVICE int warp_column() { return 0; }
};

template <class T>
using WgmmaHalf = T[kWgmmaHalf][kWgmmaDepth];
static_assert(kWgmmaHalf == kWgmmaDepth, "so that a half is the same memory in either direction");

template <class T>
struct WgmmaShared {
    alignas(1024) WgmmaHalf<T> a[kWgmmaStages][2];  // rows of the tile
    alignas(1024) WgmmaHalf<T> b[kWgmmaStages][2];  // columns
    alignas(8) Mbarrier full[kWgmmaStages];
    alignas(8) Mbarrier empty[kWgmmaStages];
};
static_assert(sizeof(WgmmaShared<std::uint16_t>) == kWgmmaSharedBytes, "heuristics/ computes launches from it");

// All threads, before anything else.
template <class T>
JCUCONV_DEVICE void start_stages(WgmmaShared<T>& s) {
    if (thread_index() == 0) {
        for (int stage = 0; stage < kWgmmaStages; ++stage) {
            mbar_init(s.full[stage], 1);
            mbar_init(s.empty[stage], 2);
        }
        fence_mbar_init();
    }
    sync_threads();
}

// One thread. load(a, b, full) starts what brings both operands of the next slab, all their bytes, to the mbarrier.
template <class T, class Load>
JCUCONV_DEVICE void fill_stages(WgmmaShared<T>& s, int slabs, Load load) {
    for (int slab = 0, stage = 0, turn = 0; slab < slabs; ++slab) {
        mbar_wait(s.empty[stage], (static_cast<unsigned>(turn) & 1u) ^ 1u);
        mbar_expect(s.full[stage], kWgmmaStageBytes);  // zeros count as well
        load(s.a[stage], s.b[stage], s.full[stage]);
        if (++stage == kWgmmaStages) stage = 0, ++turn;
    }
}

// 16 deep of an operand. Groups of eight rows, or of eight deep, are 1024 bytes; where rows are neighbours, halves are `leading` bytes apart.
template <Major kMajor, class T>
JCUCONV_DEVICE std::uint64_t wgmma_operand(const WgmmaHalf<T>& half, int step) {
    constexpr int kLeading = kMajor == Major::kRows ? sizeof(half) : 16;
    return wgmma_descriptor(kMajor == Major::kRows ? &half[16 * step][0] : &half[0][16 * step], kLeading, 1024, Swizzle::k128);
}

// Two warpgroups. A product is under way while the next one's operands are waited for, so a stage is given back one slab later.
template <Major kMajorA, Major kMajorB, class T>
JCUCONV_DEVICE void multiply_stages(WgmmaShared<T>& s, int slabs, typename WgmmaTile<T>::Sums& sums) {
    const int half = thread_index() / 128;
    const bool speaker = thread_index() % 128 == 0;
    for (int slab = 0, stage = 0, turn = 0, before = 0; slab < slabs; ++slab) {
        mbar_wait(s.full[stage], static_cast<unsigned>(turn) & 1u);
        wgmma_fence();
#pragma unroll
        for (int step = 0; step < kWgmmaDepth / 16; ++step) {
            const auto rows = wgmma_operand<kMajorA, T>(s.a[stage][half], step), columns = wgmma_operand<kMajorB, T>(s.b[stage][0], step);
            wgmma<T, WgmmaTile<T>::kColumns, kMajorA, kMajorB>(sums[0], rows, columns, slab + step > 0);
        }
        wgmma_commit();
        wgmma_wait<1>();
        if (slab > 0 && speaker) mbar_arrive(s.empty[before]);
        before = stage;
        if (++stage == kWgmmaStages) stage = 0, ++turn;
    }
    wgmma_wait<0>();
}

}  // namespace jcuconv
