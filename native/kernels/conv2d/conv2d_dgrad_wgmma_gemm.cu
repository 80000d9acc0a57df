// Convolution data gradient on Hopper (sm_90a): dx[n,h,w,c] = sum over the taps (r,s) that met (h,w), and over k, of dy[n,p,q,k] * w[k,r,s,c].
// Also the forward pass of the transposed convolution, hence the epilogue. TMA loads, warpgroups multiply.
//
// Layouts    dy NPQK, w KRSC, dx NHWC in fp16 or bf16; bias fp32, one per channel c. Channels of dy and dx at a pitch.
// Mapping    Phases as in conv2d_dgrad_mma_gemm.cu. GEMM with rows = pixels of a phase, columns = channels, depth = (tap of the phase), then 64
//            filters at a time; block and tile as in conv2d_fprop_wgmma_gemm.cu. Patches of dy come by im2col loads through a tensor map per
//            phase: its box has a position for each pixel of the phase, where the pixel meets the last tap, and the other taps lie at offsets
//            from there. Filters come as two boxes of 64 channels, neighbours in memory, which wgmma takes as they are. Grid: x pixel tiles,
//            y channel tiles, z phases; all phases run in one launch, those without a tap store an epilogue of zeros.
// Limits     One group; c and y_pitch divisible by 8, 16-byte aligned tensors; at most 4 phases, windows up to 256 wide, boxes within 128 of
//            dy's borders. What cannot go this way goes to conv2d_dgrad_mma_gemm.cu.
// Resources  As conv2d_fprop_wgmma_gemm.cu. Cost: 2*n*p*q*k*r*s*c FLOP; floor max(bytes of dy + w + dx, FLOP over the rate of wgmma).
// Lost       Nothing yet: not measured. Phases with most taps first, a persistent grid and 128 x 256 tiles come next.
#include "kernels/common/grid.h"
#include "kernels/common/wgmma_tile.h"
#include "kernels/conv2d/conv2d_mma_gemm.h"
#include "kernels/conv2d/conv2d_mma_tiles.h"
#include "kernels/conv2d/conv2d_wgmma_maps.h"

namespace jcuconv {

namespace {

struct PhaseMaps {
    TensorMap of[kWgmmaPhases];
};

template <class T>
JCUCONV_KERNEL(kWgmmaThreads, 1)
conv2d_dgrad_wgmma_gemm_kernel(const Conv2dGeometry g, const JCUCONV_GRID_CONSTANT PhaseMaps dy, const JCUCONV_GRID_CONSTANT TensorMap w, T* dx,
                               bool vectors_out, const Conv2dEpilogue epilogue) {
    if constexpr (!has_hopper()) {
        refuse("TMA and wgmma need sm_90a");
    } else {
        using Tile = WgmmaTile<T>;
        const int index = static_cast<int>(block_index().z);
        const Phase phase(g, index);
        const PhaseAxis &rows = phase.rows, &columns = phase.columns;
        const std::int64_t pixels = std::int64_t{g.n} * rows.count * columns.count;
        const std::int64_t first_pixel = std::int64_t{block_index().x} * Tile::kRows;
        if (first_pixel >= pixels) return;  // the whole block: no thread is left waiting at a barrier
        const int first_channel = static_cast<int>(block_index().y) * Tile::kColumns;
        const int slabs = rows.tap_count * columns.tap_count * ((g.k + kWgmmaDepth - 1) / kWgmmaDepth);
        auto& s = shared<WgmmaShared<T>>();
        start_stages(s);
        if (thread_index() >= Tile::kThreads) {
            give_registers<40>();
            if (thread_index() != Tile::kThreads) return;
            const std::int64_t line = first_pixel / columns.count;
            const int image = static_cast<int>(line / rows.count);
            const int p = rows.lowest(g.pad_top, g.stride_h, g.dilation_h) + static_cast<int>(line % rows.count);
            const int q = columns.lowest(g.pad_left, g.stride_w, g.dilation_w) + static_cast<int>(first_pixel % columns.count);
            const int step_h = -rows.output_step(g.stride_h, g.dilation_h), step_w = -columns.output_step(g.stride_w, g.dilation_w);
            int left_h = rows.tap_count - 1, left_w = columns.tap_count - 1, filter = 0;  // taps behind the one at hand
            fill_stages(s, slabs, [&](auto& patches, auto& filters, Mbarrier& full) {
                const int r = rows.tap_first + (rows.tap_count - 1 - left_h) * rows.tap_step;
                const int tap = r * g.s + columns.tap_first + (columns.tap_count - 1 - left_w) * columns.tap_step;
                tma_load_im2col(patches, dy.of[index], full, {filter, q, p, image}, {left_w * step_w, left_h * step_h});
                tma_load(filters[0], w, full, {first_channel, tap, filter});
                tma_load(filters[1], w, full, {first_channel + kWgmmaHalf, tap, filter});
                filter += kWgmmaDepth;
                if (filter < g.k) return;
                filter = 0;
                if (--left_w < 0) left_w = columns.tap_count - 1, --left_h;
            });
        } else {
            take_registers<232>();
            typename Tile::Sums sums;
#pragma unroll
            for (int j = 0; j < Tile::kFragmentColumns; ++j)
#pragma unroll
                for (int e = 0; e < 4; ++e) sums[0][j][e] = 0.0f;  // what a phase without taps stores
            multiply_stages<Major::kDepth, Major::kRows>(s, slabs, sums);
            store_mma_pixels<Tile>(
                s, sums,
                [&](int row) {
                    const std::int64_t pixel = first_pixel + row;
                    return pixel < pixels ? phase.element(g, pixel) : -1;
                },
                first_channel, g.c, 0, vectors_out, dx, epilogue, [] { bar_sync(1, Tile::kThreads); });
        }
    }
}

// Of the phases that have pixels and taps.
template <class T>
Outcome map_phases(PhaseMaps& maps, const Conv2dGeometry& g, const void* dy) {
    for (int index = 0; index < g.stride_h * g.stride_w; ++index) {
        const Phase phase(g, index);
        if (phase.rows.idle() || phase.columns.idle()) continue;
        JCUCONV_TRY(map_dy<T>(maps.of[index], g, dy, phase_corners(g, phase), kWgmmaExtent.rows));
    }
    return {};
}

static_assert(kernel_budget("conv2d_dgrad_wgmma_gemm").threads == kWgmmaThreads);

}  // namespace

Outcome conv2d_dgrad_wgmma_gemm(const Conv2dGeometry& g, jcuconv_type type, const Conv2dConfig& config, const void* dy, const void* w,
                                void* dx, const Conv2dEpilogue& epilogue, device::Stream stream) {
    const LaunchShape shape = conv2d_launch(g, JCUCONV_DGRAD, config);
    const auto run = [&]<class T>() -> Outcome {
        PhaseMaps dy_maps{};
        TensorMap w_map;
        JCUCONV_TRY(map_phases<T>(dy_maps, g, dy));
        JCUCONV_TRY(map_w<T>(w_map, g, w, kWgmmaDepth));
        return launch("conv2d_dgrad_wgmma_gemm", conv2d_dgrad_wgmma_gemm_kernel<T>, grid_of(shape), shape.threads, shape.shared_bytes, stream,
                      g, dy_maps, w_map, static_cast<T*>(dx), config.vec_out > 1, epilogue);
    };
    return type == JCUCONV_BF16 ? run.template operator()<bf16>() : run.template operator()<f16>();
}

}  // namespace jcuconv
