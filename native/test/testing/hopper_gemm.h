// A small matrix product in the manner of the Hopper kernels, for tests of the executor, the race detector and a GPU: y[m][n] = sum over k of
// a[m][k] * b[n][k], fp16 in, fp32 out. One producer thread fills a ring of stages by TMA, a warpgroup multiplies. M, N, K at will; K in
// multiples of 8 (rows are multiples of 16 bytes).
#pragma once

#include "primitives/primitives.h"

namespace jcuconv::test {

// What a planted mistake leaves out or gets wrong.
enum class HopperBug {
    kNone,
    kNoFullWait,        // multiplies a stage before it has landed
    kNoEmptyWait,       // refills a stage that is being multiplied
    kEarlyRelease,      // gives a stage back before the product that reads it is waited for
    kWrongParity,       // of the consumer
    kTooFewBytes,       // announced
    kTooManyBytes,
    kTooManyArrivals,   // every thread of the consumer instead of one
    kNoFence,           // before the first product
    kNoProductWait,     // reads the sums too early
    kWrongStride,       // in the descriptor
    kDepthStepTooLong,  // between the products of a stage
    kSwappedOperands,   // coordinates of the loads
    kBoxOfTheOther,     // b is loaded with a's coordinates
    kCount
};

constexpr int kHopperRows = 64, kHopperColumns = 64, kHopperDepth = 64, kHopperStages = 3;
constexpr int kHopperThreads = 256;  // the consumer's warpgroup, then the producer's

struct HopperShared {
    alignas(1024) f16 a[kHopperStages][kHopperRows][kHopperDepth];
    alignas(1024) f16 b[kHopperStages][kHopperColumns][kHopperDepth];
    alignas(8) Mbarrier full[kHopperStages];
    alignas(8) Mbarrier empty[kHopperStages];
};

template <HopperBug kBug>
JCUCONV_DEVICE void hopper_gemm_body(const TensorMap& map_a, const TensorMap& map_b, float* y, int m, int n, int k) {
    constexpr int kBytes = (kHopperRows + kHopperColumns) * kHopperDepth * 2;
    auto& s = shared<HopperShared>();
    const int thread = thread_index(), first_row = static_cast<int>(block_index().x) * kHopperRows, first_column = static_cast<int>(block_index().y) * kHopperColumns;
    const int slabs = (k + kHopperDepth - 1) / kHopperDepth;
    if (thread == 0) {
        for (int stage = 0; stage < kHopperStages; ++stage) {
            mbar_init(s.full[stage], 1);
            mbar_init(s.empty[stage], 1);
        }
        fence_mbar_init();
    }
    sync_threads();
    if (thread >= 128) {
        give_registers<40>();
        if (thread == 128) {
            for (int slab = 0; slab < slabs; ++slab) {
                const int stage = slab % kHopperStages;
                const unsigned turn = static_cast<unsigned>(slab / kHopperStages);
                if (kBug != HopperBug::kNoEmptyWait) mbar_wait(s.empty[stage], (turn & 1u) ^ 1u);
                mbar_expect(s.full[stage], kBytes + (kBug == HopperBug::kTooFewBytes ? -64 : kBug == HopperBug::kTooManyBytes ? 64 : 0));
                const int depth = slab * kHopperDepth;
                if (kBug == HopperBug::kSwappedOperands) {
                    tma_load(s.a[stage], map_a, s.full[stage], {first_row, depth});
                } else {
                    tma_load(s.a[stage], map_a, s.full[stage], {depth, first_row});
                }
                tma_load(s.b[stage], map_b, s.full[stage], {depth, kBug == HopperBug::kBoxOfTheOther ? first_row : first_column});
            }
        }
        return;
    }
    take_registers<232>();
    float sums[kHopperColumns / 8][4];
    for (int slab = 0; slab < slabs; ++slab) {
        const int stage = slab % kHopperStages;
        const unsigned turn = static_cast<unsigned>(slab / kHopperStages);
        if (kBug != HopperBug::kNoFullWait) mbar_wait(s.full[stage], (turn & 1u) ^ (kBug == HopperBug::kWrongParity ? 1u : 0u));
        if (kBug != HopperBug::kNoFence) wgmma_fence();
        for (int step = 0; step < 4; ++step) {
            const int at = kBug == HopperBug::kDepthStepTooLong ? step * 24 : step * 16;  // 16 deep, 32 bytes inside the swizzle's row
            const int stride = kBug == HopperBug::kWrongStride ? 512 : 1024;              // eight rows of 128 bytes
            const auto a = wgmma_descriptor(s.a[stage][0] + at, 16, stride, Swizzle::k128), b = wgmma_descriptor(s.b[stage][0] + at, 16, stride, Swizzle::k128);
            wgmma<f16, kHopperColumns>(sums, a, b, slab + step > 0);
        }
        wgmma_commit();
        if (kBug == HopperBug::kEarlyRelease && thread == 0) mbar_arrive(s.empty[stage]);
        if (kBug != HopperBug::kNoProductWait) wgmma_wait<0>();
        if (kBug != HopperBug::kEarlyRelease && (thread == 0 || kBug == HopperBug::kTooManyArrivals)) mbar_arrive(s.empty[stage]);
    }
    for (int j = 0; j < kHopperColumns / 8; ++j)
        for (int e = 0; e < 4; ++e) {
            const int row = first_row + thread / 32 * 16 + thread % 32 / 4 + e / 2 * 8, column = first_column + 8 * j + thread % 4 * 2 + e % 2;
            if (row < m && column < n) store_global(y + static_cast<std::int64_t>(row) * n + column, sums[j][e]);
        }
    if (kBug == HopperBug::kNoProductWait) wgmma_wait<0>();
}

}  // namespace jcuconv::test
