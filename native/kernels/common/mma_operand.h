// How a slab of an operand lies in shared memory, and how ldmatrix brings it into the registers of mma. Chunks of 16 bytes are the unit;
// where they stand is permuted ("swizzled") so that the chunks which an instruction fetches together lie in different banks.
#pragma once

#include "heuristics/mma_extent.h"
#include "primitives/primitives.h"

namespace jcuconv {

template <class T>
constexpr int kMmaChunk = 16 / static_cast<int>(sizeof(T));  // elements of a chunk

// Neighbours in memory along the depth: [row][depth], 64 bytes per row. A thread fills one chunk of several rows ("slots").
template <class T_, int kExtent_>
struct DepthOperand {
    using T = T_;
    static constexpr int kExtent = kExtent_, kChunk = kMmaChunk<T>, kChunks = kMmaSlabBytes / 16;
    static constexpr int kRowsPerSlot = kMmaThreads / kChunks, kSlots = kExtent / kRowsPerSlot;
    static_assert(kExtent % kRowsPerSlot == 0, "every thread fills equally much");
    struct Slab {
        T v[kExtent][kChunks * kChunk];
    };

    static JCUCONV_DEVICE int row(int slot) { return thread_index() / kChunks + slot * kRowsPerSlot; }
    static JCUCONV_DEVICE int depth() { return thread_index() % kChunks * kChunk; }
    static JCUCONV_DEVICE T* place(Slab& slab, int slot) { return at(slab, row(slot), thread_index() % kChunks); }

    // 16 rows from `first` on, the depths of one step.
    static JCUCONV_DEVICE void load_rows(const Slab& slab, int first, int step, std::uint32_t (&a)[4]) {
        const int lane = thread_index() % 32;
        ldmatrix(a, at(slab, first + lane % 16, 2 * step + lane / 16));
    }

    // Two tiles of 8 columns from `first` on: here a row of the slab is a column of the product.
    static JCUCONV_DEVICE void load_columns(const Slab& slab, int first, int step, std::uint32_t (&b)[2], std::uint32_t (&next)[2]) {
        const int lane = thread_index() % 32;
        std::uint32_t both[4];
        ldmatrix(both, at(slab, first + lane / 16 * 8 + lane % 8, 2 * step + lane / 8 % 2));
        b[0] = both[0], b[1] = both[1], next[0] = both[2], next[1] = both[3];
    }

  private:
    // Two rows fill the 32 banks once, so a pair of rows shares its shift.
    template <class S>
    static JCUCONV_DEVICE auto at(S& slab, int row, int chunk) {
        return &slab.v[row][(chunk ^ (row / 2 % 4)) * kChunk];
    }
};

// Neighbours in memory along the rows: [depth][row]. A thread fills one chunk of rows at several depths ("slots").
template <class T_, int kExtent_>
struct RowOperand {
    using T = T_;
    static constexpr int kExtent = kExtent_, kChunk = kMmaChunk<T>, kChunks = kExtent / kChunk;
    static constexpr int kDepth = kMmaSlabBytes / static_cast<int>(sizeof(T));
    static constexpr int kDepthsPerSlot = kMmaThreads / kChunks, kSlots = kDepth / kDepthsPerSlot;
    static_assert(kMmaThreads % kChunks == 0 && kDepth % kDepthsPerSlot == 0, "every thread fills equally much");
    struct Slab {
        T v[kDepth][kExtent];
    };

    static JCUCONV_DEVICE int row() { return thread_index() % kChunks * kChunk; }
    static JCUCONV_DEVICE int depth(int slot) { return thread_index() / kChunks + slot * kDepthsPerSlot; }
    static JCUCONV_DEVICE T* place(Slab& slab, int slot) { return &slab.v[depth(slot)][swizzled(depth(slot), thread_index() % kChunks) * kChunk]; }

    static JCUCONV_DEVICE void load_rows(const Slab& slab, int first, int step, std::uint32_t (&a)[4]) {
        const int lane = thread_index() % 32;
        if constexpr (sizeof(T) == 2) {
            const int depth = 16 * step + lane / 16 * 8 + lane % 8;
            ldmatrix_trans(a, &slab.v[depth][swizzled(depth, first / kChunk + lane / 8 % 2) * kChunk]);
        } else {
#pragma unroll
            for (int r = 0; r < 4; ++r) a[r] = element(slab, 8 * step + lane % 4 + r / 2 * 4, first + lane / 4 + r % 2 * 8);
        }
    }

    static JCUCONV_DEVICE void load_columns(const Slab& slab, int first, int step, std::uint32_t (&b)[2], std::uint32_t (&next)[2]) {
        const int lane = thread_index() % 32;
        if constexpr (sizeof(T) == 2) {
            std::uint32_t both[4];
            const int depth = 16 * step + lane % 16;
            ldmatrix_trans(both, &slab.v[depth][swizzled(depth, first / kChunk + lane / 16) * kChunk]);
            b[0] = both[0], b[1] = both[1], next[0] = both[2], next[1] = both[3];
        } else {
#pragma unroll
            for (int r = 0; r < 2; ++r) {
                b[r] = element(slab, 8 * step + lane % 4 + 4 * r, first + lane / 4);
                next[r] = element(slab, 8 * step + lane % 4 + 4 * r, first + 8 + lane / 4);
            }
        }
    }

  private:
    // ldmatrix fetches a chunk of eight depths: they shift by one chunk each, or two depths together where a row fills half the banks.
    // There is no ldmatrix that transposes 4-byte elements; a warp reads two chunks of four depths: two chunks of shift per depth.
    static JCUCONV_DEVICE int swizzled(int depth, int chunk) {
        if constexpr (sizeof(T) == 4) return chunk ^ (depth % 4 * 2);
        return chunk ^ (kChunks == 4 ? depth / 2 % 4 : depth % 8);
    }

    static JCUCONV_DEVICE std::uint32_t element(const Slab& slab, int depth, int row) {
        return bits_of_f32(load_shared(&slab.v[depth][swizzled(depth, row / kChunk) * kChunk + row % kChunk]));
    }
};

}  // namespace jcuconv
