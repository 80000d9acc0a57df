// Convolution forward on Hopper (sm_90a): y[n,p,q,k] = sum over r,s,c of x[n, p*u - pad + r*d, ..., c] * w[k,r,s,c], then the epilogue. TMA
// loads, warpgroups multiply.
//
// Layouts    x NHWC, w KRSC, y NPQK in fp16 or bf16; bias fp32. Channels of x and y at a pitch.
// Mapping    GEMM with rows = output pixels (n,p,q), columns = filters, depth = (r,s), then 64 channels at a time. A block has two warpgroups
//            that own 64 x 128 sums each, and one that loads: of it a single thread. Patches of x come by im2col loads, which fill in zeros at
//            borders and behind the last pixel; filters as boxes. Grid: x pixel tiles, y filter tiles.
// Limits     One group; c and x_pitch divisible by 8, 16-byte aligned tensors; strides up to 8, padding up to 128, (r-1)*d and (s-1)*d up to
//            255. What cannot go this way goes to conv2d_fprop_mma_gemm.cu.
// Resources  Six stages of 32 KB and their mbarriers: 197 KB, so one block per multiprocessor. 168 registers on average, 232 where sums are.
//            Cost and floor as conv2d_fprop_mma_gemm.cu at the rate of wgmma: 64 FLOP per byte that is loaded into shared memory.
// Lost       Nothing yet: not measured. 128 x 256 tiles, a persistent grid that stores under the next tile's loads, and clusters come next.
#include "heuristics/mma_extent.h"
#include "kernels/common/grid.h"
#include "kernels/conv2d/conv2d_mma_gemm.h"
#include "kernels/conv2d/conv2d_mma_tiles.h"

namespace jcuconv {

namespace {

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
struct WgmmaShared {
    alignas(1024) T x[kWgmmaStages][kWgmmaExtent.rows][kWgmmaDepth];
    alignas(1024) T w[kWgmmaStages][kWgmmaExtent.columns][kWgmmaDepth];
    alignas(8) Mbarrier full[kWgmmaStages];
    alignas(8) Mbarrier empty[kWgmmaStages];
};
static_assert(sizeof(WgmmaShared<std::uint16_t>) == kWgmmaSharedBytes, "heuristics/ computes launches from it");

// One thread: tap after tap, 64 channels after 64.
template <class T>
JCUCONV_DEVICE void load_slabs(WgmmaShared<T>& s, const Conv2dGeometry& g, const TensorMap& x, const TensorMap& w, std::int64_t first_pixel,
                               int first_filter, int slabs) {
    const std::int64_t line = first_pixel / g.q;
    const int image = static_cast<int>(line / g.p), row = static_cast<int>(line % g.p) * g.stride_h - g.pad_top;
    const int column = static_cast<int>(first_pixel % g.q) * g.stride_w - g.pad_left;
    int r = 0, tap_w = 0, channel = 0;
    for (int slab = 0, stage = 0, turn = 0; slab < slabs; ++slab) {
        mbar_wait(s.empty[stage], (static_cast<unsigned>(turn) & 1u) ^ 1u);
        mbar_expect(s.full[stage], kWgmmaStageBytes);  // zeros count as well
        tma_load_im2col(s.x[stage], x, s.full[stage], {channel, column, row, image}, {tap_w * g.dilation_w, r * g.dilation_h});
        tma_load(s.w[stage], w, s.full[stage], {channel, r * g.s + tap_w, first_filter});
        channel += kWgmmaDepth;
        if (channel >= g.c) {
            channel = 0;
            if (++tap_w == g.s) tap_w = 0, ++r;
        }
        if (++stage == kWgmmaStages) stage = 0, ++turn;
    }
}

// Two warpgroups. A product is under way while the next one's operands are waited for, so a stage is given back one slab later.
template <class T>
JCUCONV_DEVICE void multiply_slabs(WgmmaShared<T>& s, int slabs, typename WgmmaTile<T>::Sums& sums) {
    const int first_row = thread_index() / 128 * 64;
    const bool speaker = thread_index() % 128 == 0;
    for (int slab = 0, stage = 0, turn = 0, before = 0; slab < slabs; ++slab) {
        mbar_wait(s.full[stage], static_cast<unsigned>(turn) & 1u);
        wgmma_fence();
#pragma unroll
        for (int step = 0; step < kWgmmaDepth / 16; ++step) {
            const auto rows = wgmma_descriptor(&s.x[stage][first_row][16 * step], 16, 1024, Swizzle::k128);
            const auto columns = wgmma_descriptor(&s.w[stage][0][16 * step], 16, 1024, Swizzle::k128);
            wgmma<T, WgmmaTile<T>::kColumns>(sums[0], rows, columns, slab + step > 0);
        }
        wgmma_commit();
        wgmma_wait<1>();
        if (slab > 0 && speaker) mbar_arrive(s.empty[before]);
        before = stage;
        if (++stage == kWgmmaStages) stage = 0, ++turn;
    }
    wgmma_wait<0>();
}

template <class T>
JCUCONV_KERNEL(kWgmmaThreads, 1)
conv2d_fprop_wgmma_gemm_kernel(const Conv2dGeometry g, const JCUCONV_GRID_CONSTANT TensorMap x, const JCUCONV_GRID_CONSTANT TensorMap w, T* y,
                               bool vectors_out, const Conv2dEpilogue epilogue) {
    if constexpr (!has_hopper()) {
        refuse("TMA and wgmma need sm_90a");
    } else {
        using Tile = WgmmaTile<T>;
        auto& s = shared<WgmmaShared<T>>();
        const std::int64_t first_pixel = std::int64_t{block_index().x} * Tile::kRows, pixels = std::int64_t{g.n} * g.p * g.q;
        const int first_filter = static_cast<int>(block_index().y) * Tile::kColumns;
        const int slabs = g.r * g.s * ((g.c + kWgmmaDepth - 1) / kWgmmaDepth);
        if (thread_index() == 0) {
            for (int stage = 0; stage < kWgmmaStages; ++stage) {
                mbar_init(s.full[stage], 1);
                mbar_init(s.empty[stage], 2);
            }
            fence_mbar_init();
        }
        sync_threads();
        if (thread_index() >= Tile::kThreads) {
            give_registers<40>();
            if (thread_index() == Tile::kThreads) load_slabs(s, g, x, w, first_pixel, first_filter, slabs);
        } else {
            take_registers<232>();
            typename Tile::Sums sums;
            multiply_slabs(s, slabs, sums);
            store_mma_pixels<Tile>(
                s, sums, [&](int row) { return first_pixel + row < pixels ? (first_pixel + row) * g.y_pitch : -1; }, first_filter, g.k, 0,
                vectors_out, y, epilogue, [] { bar_sync(1, Tile::kThreads); });
        }
    }
}

// Maps of the pointers at hand: encoding takes a microsecond, so nothing is kept by address.
template <class T>
Outcome make_maps(const Conv2dGeometry& g, const void* x, const void* w, TensorMap& x_map, TensorMap& w_map) {
    const auto u = [](std::int64_t v) { return static_cast<std::uint64_t>(v); };
    const std::uint64_t pixel = sizeof(T) * u(g.x_pitch);
    const std::uint64_t x_extent[] = {u(g.c), u(g.w), u(g.h), u(g.n)}, x_stride[] = {pixel, pixel * u(g.w), pixel * u(g.w) * u(g.h)};
    const Im2colCorners corners = im2col_corners(g);
    const std::uint32_t steps[] = {1, static_cast<std::uint32_t>(g.stride_w), static_cast<std::uint32_t>(g.stride_h), 1};
    JCUCONV_TRY(map_im2col<T>(x_map, x, 4, x_extent, x_stride, corners.lower, corners.upper, kWgmmaDepth, kWgmmaExtent.rows, steps, Swizzle::k128));
    const std::uint64_t tap = sizeof(T) * u(g.c), taps = u(g.r) * u(g.s);
    const std::uint64_t w_extent[] = {u(g.c), taps, u(g.k)}, w_stride[] = {tap, tap * taps};
    const std::uint32_t box[] = {kWgmmaDepth, 1, static_cast<std::uint32_t>(kWgmmaExtent.columns)};
    return map_tiled<T>(w_map, w, 3, w_extent, w_stride, box, Swizzle::k128);
}

static_assert(kernel_budget("conv2d_fprop_wgmma_gemm").threads == kWgmmaThreads);

}  // namespace

Outcome conv2d_fprop_wgmma_gemm(const Conv2dGeometry& g, jcuconv_type type, const Conv2dConfig& config, const void* x, const void* w,
                                void* y, const Conv2dEpilogue& epilogue, device::Stream stream) {
    const LaunchShape shape = conv2d_launch(g, JCUCONV_FPROP, config);
    const auto run = [&]<class T>() -> Outcome {
        TensorMap x_map, w_map;
        JCUCONV_TRY(make_maps<T>(g, x, w, x_map, w_map));
        return launch("conv2d_fprop_wgmma_gemm", conv2d_fprop_wgmma_gemm_kernel<T>, grid_of(shape), shape.threads, shape.shared_bytes, stream,
                      g, x_map, w_map, static_cast<T*>(y), config.vec_out > 1, epilogue);
    };
    return type == JCUCONV_BF16 ? run.template operator()<bf16>() : run.template operator()<f16>();
}

}  // namespace jcuconv
