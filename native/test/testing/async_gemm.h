// c = a * b on tensor cores, fed by asynchronous copies: the smallest kernel that needs all of these primitives together. It proves that
// they are complete and shows how to combine them; it is not shipped. Tests run it on the executor, conformance/ on a GPU.
//
// Layouts    a [m][k], b [n][k] or, if kByRows, [k][n]; c [m][n] fp32. Rows of a and b begin on multiples of 16 bytes.
// Mapping    a block computes 64 x 64 elements of c with four warps, 32 x 32 each; a thread copies two 16-byte chunks of a and of b
//            per slab of the depth.
// Limits     any m, n and k; b by rows for 16-bit types only, since ldmatrix transposes pairs of bytes.
// Resources  16 KiB of shared memory in two stages, 128 threads.
// Lost       shared memory without the swizzle: by the executor's count an ldmatrix takes four times as many wavefronts where rows have
//            64 bytes, eight times where they have 128.
#pragma once

#include "primitives/primitives.h"

namespace jcuconv::test {

template <class T>
struct GemmProblem {
    const T* a;
    const T* b;
    float* c;
    int m, n, k;
    int a_pitch, b_pitch;  // elements from row to row
};

template <class T, bool kByRows>
struct AsyncGemm {
    static constexpr int kThreads = 128, kTile = 64, kStages = 2;
    static constexpr int kChunk = 16 / sizeof(T);  // elements that one copy moves
    static constexpr int kDepth = 4 * kChunk;      // two k-steps of mma, four chunks
    static constexpr int kBRow = kByRows ? kTile : kDepth;
    static_assert(!kByRows || sizeof(T) == 2, "ldmatrix transposes 2-byte elements");

    struct Shared {
        alignas(128) T a[kStages][kTile][kDepth];
        alignas(128) T b[kStages][kTile * kDepth / kBRow][kBRow];
    };

    // Eight rows that ldmatrix reads together must lie in different banks. Rows of 64 bytes come in pairs per 128 bytes, so a pair
    // shares its shift; rows of 128 bytes have one each.
    static JCUCONV_DEVICE int swizzled(int row, int chunk, int chunks) {
        return (chunk ^ (chunks == 8 ? row % 8 : row / 2 % 4)) * kChunk;
    }

    static JCUCONV_DEVICE int between(int low, int v, int high) { return v < low ? low : v > high ? high : v; }

    // Brings one chunk of a matrix of `rows` x `columns`, zero outside.
    static JCUCONV_DEVICE void copy(T* to, const T* matrix, int pitch, int row, int column, int rows, int columns) {
        const int elements = row < rows ? between(0, columns - column, kChunk) : 0;
        const T* from = elements == 0 ? matrix : matrix + static_cast<std::int64_t>(row) * pitch + column;
        cp_async<16>(to, from, elements * static_cast<int>(sizeof(T)));
    }

    static JCUCONV_DEVICE void fetch(Shared& s, const GemmProblem<T>& p, int stage, int k0) {
        const int m0 = static_cast<int>(block_index().x) * kTile, n0 = static_cast<int>(block_index().y) * kTile;
#pragma unroll
        for (int i = thread_index(); i < kTile * 4; i += kThreads) {
            const int row = i / 4, chunk = i % 4;
            copy(&s.a[stage][row][swizzled(row, chunk, 4)], p.a, p.a_pitch, m0 + row, k0 + chunk * kChunk, p.m, p.k);
            if constexpr (kByRows) {
                const int k = i / 8, along = i % 8;
                copy(&s.b[stage][k][swizzled(k, along, 8)], p.b, p.b_pitch, k0 + k, n0 + along * kChunk, p.k, p.n);
            } else {
                copy(&s.b[stage][row][swizzled(row, chunk, 4)], p.b, p.b_pitch, n0 + row, k0 + chunk * kChunk, p.n, p.k);
            }
        }
    }

    static JCUCONV_DEVICE void multiply(const Shared& s, int stage, float (&acc)[2][4][4]) {
        const int lane = thread_index() % 32, warp = thread_index() / 32;
        const int m0 = warp / 2 * 32, n0 = warp % 2 * 32;
#pragma unroll
        for (int step = 0; step < 2; ++step) {
            std::uint32_t a[2][4], b[4][2];
#pragma unroll
            for (int i = 0; i < 2; ++i) {
                const int row = m0 + 16 * i + lane % 16;
                ldmatrix(a[i], &s.a[stage][row][swizzled(row, 2 * step + lane / 16, 4)]);
            }
#pragma unroll
            for (int j = 0; j < 4; j += 2) {
                std::uint32_t two[4];  // both registers of two neighbouring tiles
                if constexpr (kByRows) {
                    const int k = 16 * step + lane % 16;
                    ldmatrix_trans(two, &s.b[stage][k][swizzled(k, n0 / 8 + j + lane / 16, 8)]);
                } else {
                    const int row = n0 + 8 * j + lane / 16 * 8 + lane % 8;
                    ldmatrix(two, &s.b[stage][row][swizzled(row, 2 * step + lane / 8 % 2, 4)]);
                }
#pragma unroll
                for (int r = 0; r < 4; ++r) b[j + r / 2][r % 2] = two[r];
            }
            warp_mma<T>(acc, a, b);
        }
    }

    static JCUCONV_DEVICE void store(const GemmProblem<T>& p, const float (&acc)[2][4][4]) {
        const int lane = thread_index() % 32, warp = thread_index() / 32;
        const int m0 = static_cast<int>(block_index().x) * kTile + warp / 2 * 32 + lane / 4;
        const int n0 = static_cast<int>(block_index().y) * kTile + warp % 2 * 32 + lane % 4 * 2;
#pragma unroll
        for (int i = 0; i < 2; ++i)
#pragma unroll
            for (int j = 0; j < 4; ++j)
#pragma unroll
                for (int e = 0; e < 4; ++e) {
                    const int m = m0 + 16 * i + e / 2 * 8, n = n0 + 8 * j + e % 2;
                    if (m < p.m && n < p.n) store_global(p.c + static_cast<std::int64_t>(m) * p.n + n, acc[i][j][e]);
                }
    }
};

template <class T, bool kByRows>
JCUCONV_KERNEL(128)
async_gemm_kernel(const GemmProblem<T> p) {
    if constexpr (!has_mma<T>()) {
        refuse("this architecture's tensor cores do not know the type");
    } else {
        using Gemm = AsyncGemm<T, kByRows>;
        auto& s = shared<typename Gemm::Shared>();
        float acc[2][4][4] = {};
        const int slabs = (p.k + Gemm::kDepth - 1) / Gemm::kDepth;
        Gemm::fetch(s, p, 0, 0);
        cp_async_commit();
        for (int slab = 0; slab < slabs; ++slab) {
            if (slab + 1 < slabs) Gemm::fetch(s, p, (slab + 1) % 2, (slab + 1) * Gemm::kDepth);
            cp_async_commit();  // also when empty: the wait below counts groups
            cp_async_wait<1>();
            sync_threads();  // everybody's copies are here
            Gemm::multiply(s, slab % 2, acc);
            sync_threads();  // everybody has read the stage that the next turn fills
        }
        Gemm::store(p, acc);
    }
}

// No launch of an empty grid, and no block without a slab: m, n and k are at least 1.
template <class T, bool kByRows>
Outcome async_gemm(const GemmProblem<T>& p, device::Stream stream) {
    using Gemm = AsyncGemm<T, kByRows>;
    const auto tiles = [](int extent) { return static_cast<unsigned>((extent + Gemm::kTile - 1) / Gemm::kTile); };
    return launch("async_gemm", &async_gemm_kernel<T, kByRows>, Dim3{tiles(p.m), tiles(p.n), 1}, Gemm::kThreads,
                  sizeof(typename Gemm::Shared), stream, p);
}

}  // namespace jcuconv::test
