// Convolution forward on Hopper (sm_90a): y[n,p,q,k] = sum over r,s,c of x[n, p*u - pad + r*d, ..., c] * w[k,r,s,c], then the epilogue. TMA
// loads, warpgroups multiply.
//
// Layouts    x NHWC, w KRSC, y NPQK in fp16 or bf16; y also in fp32; bias fp32. Channels of x and y at a pitch.
// Mapping    GEMM with rows = output pixels (n,p,q), columns = filters, depth = (r,s), then 64 channels at a time. A block has two warpgroups
//            that own 64 x 128 sums each, and one that loads: of it a single thread. Patches of x come by im2col loads, which fill in zeros at
//            borders and behind the last pixel; filters as boxes. Grid: x pixel tiles, y filter tiles.
// Limits     One group; c and x_pitch divisible by 8, 16-byte aligned tensors; strides up to 8, padding up to 128, (r-1)*d and (s-1)*d up to
//            255. What cannot go this way goes to conv2d_fprop_mma_gemm.cu.
// Resources  Six stages of 32 KB and their mbarriers: 197 KB, so one block per multiprocessor. 168 registers on average, 232 where sums are.
//            Cost and floor as conv2d_fprop_mma_gemm.cu at the rate of wgmma: 64 FLOP per byte that is loaded into shared memory.
// Lost       Nothing yet: not measured. 128 x 256 tiles, a persistent grid that stores under the next tile's loads, and clusters come next.
#include "kernels/common/grid.h"
#include "kernels/common/wgmma_tile.h"
#include "kernels/conv2d/conv2d_mma_gemm.h"
#include "kernels/conv2d/conv2d_mma_tiles.h"
#include "kernels/conv2d/conv2d_wgmma_maps.h"

namespace jcuconv {

namespace {

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
        start_stages(s);
        if (thread_index() >= Tile::kThreads) {
            give_registers<40>();
            if (thread_index() != Tile::kThreads) return;
            const std::int64_t line = first_pixel / g.q;
            const int image = static_cast<int>(line / g.p), row = static_cast<int>(line % g.p) * g.stride_h - g.pad_top;
            const int column = static_cast<int>(first_pixel % g.q) * g.stride_w - g.pad_left;
            int r = 0, tap_w = 0, channel = 0;
            fill_stages(s, slabs, [&](auto& patches, auto& filters, Mbarrier& full) {
                tma_load_im2col(patches, x, full, {channel, column, row, image}, {tap_w * g.dilation_w, r * g.dilation_h});
                tma_load(filters, w, full, {channel, r * g.s + tap_w, first_filter});
                channel += kWgmmaDepth;
                if (channel < g.c) return;
                channel = 0;
                if (++tap_w == g.s) tap_w = 0, ++r;
            });
        } else {
            take_registers<232>();
            typename Tile::Sums sums;
            multiply_stages<Major::kDepth, Major::kDepth>(s, slabs, sums);
            with_output(y, epilogue, [&](auto* to) {
                store_mma_pixels<Tile>(
                    s, sums, [&](int row) { return first_pixel + row < pixels ? (first_pixel + row) * g.y_pitch : -1; }, first_filter, g.k,
                    0, vectors_out, to, epilogue, [] { bar_sync(1, Tile::kThreads); });
            });
        }
    }
}

static_assert(kernel_budget("conv2d_fprop_wgmma_gemm").threads == kWgmmaThreads);

}  // namespace

Outcome conv2d_fprop_wgmma_gemm(const Conv2dGeometry& g, jcuconv_type type, const Conv2dConfig& config, const void* x, const void* w,
                                void* y, const Conv2dEpilogue& epilogue, device::Stream stream) {
    const LaunchShape shape = conv2d_launch(g, JCUCONV_FPROP, config);
    const auto run = [&]<class T>() -> Outcome {
        TensorMap x_map, w_map;
        JCUCONV_TRY(map_x<T>(x_map, g, x, kWgmmaExtent.rows));
        JCUCONV_TRY(map_w<T>(w_map, g, w, kWgmmaExtent.columns));
        return launch("conv2d_fprop_wgmma_gemm", conv2d_fprop_wgmma_gemm_kernel<T>, grid_of(shape), shape.threads, shape.shared_bytes, stream,
                      g, x_map, w_map, static_cast<T*>(y), config.vec_out > 1, epilogue);
    };
    return type == JCUCONV_BF16 ? run.template operator()<bf16>() : run.template operator()<f16>();
}

}  // namespace jcuconv
