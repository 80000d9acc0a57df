// Step 6: one thread loads, 256 multiply (sm_90a only).
//
// What it adds to step 5, one idea per line:
//   * TMA: one instruction of one thread brings a box of 16 KB. The patches of the convolution come that way too ("im2col"): the hardware walks
//     over the pixels and fills in zeros, so the kernel computes no address at all.
//   * mbarriers: a load reports its own bytes. A producer and two consumers meet stage by stage, not the whole block at one barrier.
//   * wgmma: 128 threads multiply 64 x 64 x 16 straight from shared memory; ldmatrix and the registers for operands are gone, and the product
//     runs while its threads go on.
//   * Registers move from the producer, which needs few, to the consumers.
// Per block and slab of 64 channels: 24 KB loaded for 1.05 MFLOP, 43 FLOP per byte; larger tiles would give more.
#include "ladder/ladder.h"

namespace jcuconv::ladder {

namespace {

constexpr int kPixels = 128, kFilters = 64, kChannels = 64, kStages = 4;
constexpr int kConsumers = 2, kThreads = 128 * (kConsumers + 1);
constexpr int kStageBytes = (kPixels + kFilters) * kChannels * 2;

struct Shared {
    alignas(1024) f16 x[kStages][kPixels][kChannels];
    alignas(1024) f16 w[kStages][kFilters][kChannels];
    alignas(8) Mbarrier full[kStages];
    alignas(8) Mbarrier empty[kStages];
};

JCUCONV_DEVICE void produce(Shared& s, const Problem& p, const TensorMap& x, const TensorMap& w, std::int64_t first_pixel, int first_filter, int slabs) {
    const int image = static_cast<int>(first_pixel / (p.h * p.w)), row = static_cast<int>(first_pixel / p.w % p.h), column = static_cast<int>(first_pixel % p.w);
    int tap = 0, channel = 0;
    for (int slab = 0; slab < slabs; ++slab) {
        const int stage = slab % kStages;
        mbar_wait(s.empty[stage], (static_cast<unsigned>(slab / kStages) & 1u) ^ 1u);
        mbar_expect(s.full[stage], kStageBytes);  // also for what lies outside and becomes zeros
        tma_load_im2col(s.x[stage], x, s.full[stage], {channel, column - 1, row - 1, image}, {tap % 3, tap / 3});
        tma_load(s.w[stage], w, s.full[stage], {channel, tap, first_filter});
        channel += kChannels;
        if (channel >= p.c) channel = 0, ++tap;
    }
}

JCUCONV_DEVICE void consume(Shared& s, const Problem& p, f16* y, std::int64_t first_pixel, int first_filter, int slabs) {
    const int group = thread_index() / 128, thread = thread_index() % 128;
    float sums[kFilters / 8][4];
    for (int slab = 0; slab < slabs; ++slab) {
        const int stage = slab % kStages;
        mbar_wait(s.full[stage], static_cast<unsigned>(slab / kStages) & 1u);
        wgmma_fence();
#pragma unroll
        for (int step = 0; step < kChannels / 16; ++step) {
            const auto rows = wgmma_descriptor(&s.x[stage][64 * group][16 * step], 16, 1024, Swizzle::k128);
            const auto columns = wgmma_descriptor(&s.w[stage][0][16 * step], 16, 1024, Swizzle::k128);
            wgmma<f16, kFilters>(sums, rows, columns, slab + step > 0);
        }
        wgmma_commit();
        wgmma_wait<0>();
        if (thread == 0) mbar_arrive(s.empty[stage]);
    }
#pragma unroll
    for (int j = 0; j < kFilters / 8; ++j)
#pragma unroll
        for (int e = 0; e < 4; ++e) {
            const std::int64_t pixel = first_pixel + 64 * group + thread / 32 * 16 + thread % 32 / 4 + e / 2 * 8;
            const int k = first_filter + 8 * j + thread % 4 * 2 + e % 2;
            if (pixel < std::int64_t{p.n} * p.h * p.w && k < p.k) store_global(y + pixel * p.k + k, from_f32<f16>(sums[j][e]));
        }
}

JCUCONV_KERNEL(kThreads, 1)
hopper_kernel(const Problem p, const JCUCONV_GRID_CONSTANT TensorMap x, const JCUCONV_GRID_CONSTANT TensorMap w, f16* y) {
    if constexpr (!has_hopper()) {
        refuse("TMA and wgmma need sm_90a");
    } else {
        auto& s = shared<Shared>();
        const std::int64_t first_pixel = std::int64_t{block_index().x} * kPixels;
        const int first_filter = static_cast<int>(block_index().y) * kFilters, slabs = 9 * ((p.c + kChannels - 1) / kChannels);
        if (thread_index() == 0) {
            for (int stage = 0; stage < kStages; ++stage) {
                mbar_init(s.full[stage], 1);
                mbar_init(s.empty[stage], kConsumers);
            }
            fence_mbar_init();
        }
        sync_threads();
        if (thread_index() >= 128 * kConsumers) {
            give_registers<40>();
            if (thread_index() == 128 * kConsumers) produce(s, p, x, w, first_pixel, first_filter, slabs);
        } else {
            take_registers<232>();
            consume(s, p, y, first_pixel, first_filter, slabs);
        }
    }
}

// The maps are made anew for the pointers of every call: a microsecond, and nothing to keep.
Outcome convolve(const Problem& p, const f16* x, const f16* w, f16* y, device::Stream stream) {
    const auto c = static_cast<std::uint64_t>(p.c), row = 2 * c * static_cast<std::uint64_t>(p.w);
    const std::uint64_t x_extent[] = {c, static_cast<std::uint64_t>(p.w), static_cast<std::uint64_t>(p.h), static_cast<std::uint64_t>(p.n)};
    const std::uint64_t x_stride[] = {2 * c, row, row * static_cast<std::uint64_t>(p.h)};
    const int lower[] = {-1, -1}, upper[] = {-1, -1};  // pad, and pad - (3 - 1)
    const std::uint32_t steps[] = {1, 1, 1, 1};
    const std::uint64_t w_extent[] = {c, 9, static_cast<std::uint64_t>(p.k)}, w_stride[] = {2 * c, 18 * c};
    const std::uint32_t box[] = {kChannels, 1, kFilters};
    TensorMap x_map, w_map;
    JCUCONV_TRY(map_im2col<f16>(x_map, x, 4, x_extent, x_stride, lower, upper, kChannels, kPixels, steps, Swizzle::k128));
    JCUCONV_TRY(map_tiled<f16>(w_map, w, 3, w_extent, w_stride, box, Swizzle::k128));
    const auto blocks = static_cast<unsigned>((p.pixels() + kPixels - 1) / kPixels), across = static_cast<unsigned>((p.k + kFilters - 1) / kFilters);
    return launch("hopper", hopper_kernel, Dim3{blocks, across, 1}, kThreads, sizeof(Shared), stream, p, x_map, w_map, y);
}

}  // namespace

}  // namespace jcuconv::ladder

int main() {
    if (jcuconv::device::architecture() != 90) {
        std::printf("6 hopper: not run, this GPU is no sm_90\n");
        return 0;
    }
    return jcuconv::ladder::climb("6 hopper", "one thread loads, 256 multiply", jcuconv::ladder::convolve);
}
