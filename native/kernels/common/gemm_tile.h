// The matrix product inside all convolution passes: one block multiplies a tile of rows by a tile of columns, depth by depth,
// through double-buffered shared memory into registers.
//
// A pass says what rows, columns and depth mean by two *sources*. A source answers two calls:
//     seek(depth)          prepares for the element (or the vector of elements) at this depth
//     load(slot, out)      reads kVec elements of its row number `slot`, zero where the matrix ends
// and is brought into shared memory by one of two loaders, after the direction in which its elements are neighbours in memory.
// All sums run in increasing depth in fp32, so the result does not depend on tile or block order.
#pragma once

#include "heuristics/conv2d_launch.h"
#include "kernels/common/vec.h"

namespace jcuconv {

template <int kRows_, int kColumns_, int kDepth_, int kThreadRows_, int kThreadColumns_>
struct GemmTile {
    static constexpr int kRows = kRows_, kColumns = kColumns_, kDepth = kDepth_;
    static constexpr int kThreadRows = kThreadRows_, kThreadColumns = kThreadColumns_;
    static constexpr int kThreadsAcross = kColumns / kThreadColumns;
    static constexpr int kThreads = kRows / kThreadRows * kThreadsAcross;
    static constexpr int kPad = kGemmPad;

    static_assert(kThreadRows % 4 == 0 && kThreadColumns % 4 == 0, "fragments are read from shared memory four at a time");
    static_assert(kThreads % 32 == 0 && kThreads <= 1024, "whole warps");

    struct Shared {
        alignas(16) float a[2][kDepth][kRows + kPad];
        alignas(16) float b[2][kDepth][kColumns + kPad];
    };

    // Row or column `i` of this thread's fragment: groups of four, groups spread over the tile so that a warp reads
    // neighbouring banks.
    static JCUCONV_DEVICE int row(int i) { return i / 4 * (4 * kRows / kThreadRows) + thread_index() / kThreadsAcross * 4 + i % 4; }
    static JCUCONV_DEVICE int column(int j) { return j / 4 * (4 * kThreadsAcross) + thread_index() % kThreadsAcross * 4 + j % 4; }
};

// Neighbours in memory along the depth: a thread owns one depth and several rows ("slots").
template <class Tile, int kExtent, int kVec>
struct DepthLoader {
    static constexpr int kVectors = Tile::kDepth / kVec;
    static constexpr int kRowsPerSlot = Tile::kThreads / kVectors;
    static constexpr int kSlots = kExtent / kRowsPerSlot;
    static_assert(Tile::kThreads % kVectors == 0 && kExtent % kRowsPerSlot == 0, "every thread loads equally much");

    static JCUCONV_DEVICE int row(int slot) { return thread_index() / kVectors + slot * kRowsPerSlot; }

    template <class Source>
    JCUCONV_DEVICE void fetch(Source& source, int depth) {
        source.seek(depth + thread_index() % kVectors * kVec);
#pragma unroll
        for (int slot = 0; slot < kSlots; ++slot) source.load(slot, values_[slot]);
    }

    JCUCONV_DEVICE void put(float (&tile)[Tile::kDepth][kExtent + Tile::kPad]) const {
#pragma unroll
        for (int slot = 0; slot < kSlots; ++slot)
#pragma unroll
            for (int i = 0; i < kVec; ++i) tile[thread_index() % kVectors * kVec + i][row(slot)] = values_[slot][i];
    }

  private:
    float values_[kSlots][kVec];
};

// Neighbours in memory along the rows: a thread owns kVec rows and several depths.
template <class Tile, int kExtent, int kVec>
struct RowLoader {
    static constexpr int kVectors = kExtent / kVec;
    static constexpr int kDepthsPerPass = Tile::kThreads / kVectors;
    static constexpr int kPasses = Tile::kDepth / kDepthsPerPass;
    static_assert(Tile::kThreads % kVectors == 0 && Tile::kDepth % kDepthsPerPass == 0, "every thread loads equally much");

    static JCUCONV_DEVICE int row() { return thread_index() % kVectors * kVec; }

    template <class Source>
    JCUCONV_DEVICE void fetch(Source& source, int depth) {
#pragma unroll
        for (int pass = 0; pass < kPasses; ++pass) {
            source.seek(depth + pass * kDepthsPerPass + thread_index() / kVectors);
            source.load(0, values_[pass]);
        }
    }

    JCUCONV_DEVICE void put(float (&tile)[Tile::kDepth][kExtent + Tile::kPad]) const {
#pragma unroll
        for (int pass = 0; pass < kPasses; ++pass)
#pragma unroll
            for (int i = 0; i < kVec; ++i)
                tile[pass * kDepthsPerPass + thread_index() / kVectors][row() + i] = values_[pass][i];
    }

  private:
    float values_[kPasses][kVec];
};

template <class Tile>
JCUCONV_DEVICE void multiply_slab(const typename Tile::Shared& shared, int buffer,
                                  float (&acc)[Tile::kThreadRows][Tile::kThreadColumns]) {
    using Four = Pack<float, 4>;
#pragma unroll
    for (int d = 0; d < Tile::kDepth; ++d) {
        float a[Tile::kThreadRows], b[Tile::kThreadColumns];
#pragma unroll
        for (int i = 0; i < Tile::kThreadRows; i += 4) {
            const Four four = *reinterpret_cast<const Four*>(&shared.a[buffer][d][Tile::row(i)]);
#pragma unroll
            for (int e = 0; e < 4; ++e) a[i + e] = four.v[e];
        }
#pragma unroll
        for (int j = 0; j < Tile::kThreadColumns; j += 4) {
            const Four four = *reinterpret_cast<const Four*>(&shared.b[buffer][d][Tile::column(j)]);
#pragma unroll
            for (int e = 0; e < 4; ++e) b[j + e] = four.v[e];
        }
#pragma unroll
        for (int i = 0; i < Tile::kThreadRows; ++i)
#pragma unroll
            for (int j = 0; j < Tile::kThreadColumns; ++j) acc[i][j] += a[i] * b[j];
    }
}

// acc = sum over depth in [0, depth_end) of a * b. While one slab is multiplied the next one is on its way to registers, so one
// barrier per slab is enough: a buffer is rewritten only after the barrier that ends its last use.
template <class Tile, class LoaderA, class LoaderB, class SourceA, class SourceB>
JCUCONV_DEVICE void multiply_tile(typename Tile::Shared& shared, SourceA& source_a, SourceB& source_b, int depth_end,
                                  float (&acc)[Tile::kThreadRows][Tile::kThreadColumns]) {
#pragma unroll
    for (int i = 0; i < Tile::kThreadRows; ++i) set_zero(acc[i]);
    if (depth_end <= 0) return;
    LoaderA loader_a;
    LoaderB loader_b;
    loader_a.fetch(source_a, 0);
    loader_b.fetch(source_b, 0);
    loader_a.put(shared.a[0]);
    loader_b.put(shared.b[0]);
    sync_threads();
    int buffer = 0;
    for (int depth = Tile::kDepth; depth < depth_end; depth += Tile::kDepth) {
        loader_a.fetch(source_a, depth);
        loader_b.fetch(source_b, depth);
        multiply_slab<Tile>(shared, buffer, acc);
        buffer ^= 1;
        loader_a.put(shared.a[buffer]);
        loader_b.put(shared.b[buffer]);
        sync_threads();
    }
    multiply_slab<Tile>(shared, buffer, acc);
}

// The way out of the registers, when what happens to a sum is long code: rows(i) says where row i of this thread's fragment goes,
// negative for nowhere, and store(where, j, sums) takes kVec neighbours from column j on. Sums take a detour through slots of shared
// memory that only their own thread uses, because registers cannot be indexed by a loop: so the code stands there once or a few
// times instead of once per vector, and the registers of a batch are free while it runs.
template <class Tile, int kVec, class Rows, class Store>
JCUCONV_DEVICE void drain_tile(typename Tile::Shared& shared, const float (&acc)[Tile::kThreadRows][Tile::kThreadColumns],
                               Rows rows, Store store) {
    using Four = Pack<float, 4>;
    constexpr int kPerRow = Tile::kThreadColumns / 4, kSlots = sizeof(shared) / (sizeof(Four) * Tile::kThreads);
    constexpr int kBatch = kSlots / kPerRow < Tile::kThreadRows ? kSlots / kPerRow : Tile::kThreadRows;
    static_assert(kBatch > 0 && Tile::kThreadRows % kBatch == 0, "whole batches of rows fit the slots");
    auto* slots = reinterpret_cast<Four*>(&shared);
    const auto slot = [&](int row, int four) -> Four& { return slots[(row * kPerRow + four) * Tile::kThreads + thread_index()]; };
    sync_threads();  // other threads still multiplied the last slab
#pragma unroll
    for (int first = 0; first < Tile::kThreadRows; first += kBatch) {
#pragma unroll
        for (int i = 0; i < kBatch; ++i)
#pragma unroll
            for (int four = 0; four < kPerRow; ++four)
#pragma unroll
                for (int e = 0; e < 4; ++e) slot(i, four).v[e] = acc[first + i][four * 4 + e];
#pragma unroll 1
        for (int i = 0; i < kBatch; ++i) {
            const std::int64_t where = rows(first + i);
            if (where < 0) continue;
#pragma unroll 1
            for (int j = 0; j < Tile::kThreadColumns; j += kVec) {
                const auto sums = *reinterpret_cast<const Pack<float, kVec>*>(&slot(i, j / 4).v[j % 4]);
                store(where, j, sums.v);
            }
        }
    }
}

}  // namespace jcuconv
