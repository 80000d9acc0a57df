// Convolution weight gradient on Hopper (sm_90a): dw[k,r,s,c] = sum over n,p,q of dy[n,p,q,k] * x[n, p*u - pad + r*d, ..., c]. TMA loads,
// warpgroups multiply.
//
// Layouts    x NHWC, dy NPQK in fp16 or bf16; dw KRSC and workspace [splits][k][r][s][c] fp32. Channels at a pitch.
// Mapping    GEMM with rows = filters, columns = halves of 64 channels of a tap, depth = output pixels (n,p,q), 64 at a time, cut into `splits`
//            parts that run side by side and are added by add_split_sums in fixed order. Block and tile as in conv2d_fprop_wgmma_gemm.cu. Both
//            operands come by im2col loads that count the same pixels, dy's as a window of one: behind the last pixel both are zeros. They lie
//            depth by depth, which wgmma takes as it is. Grid: x pairs of halves, y filter tiles, z splits.
// Limits     One group; both pitches divisible by 8, 16-byte aligned tensors; strides, padding and window as fprop. Parts are whole slabs of 64
//            pixels; splits <= 65535. What cannot go this way goes to conv2d_wgrad_mma_gemm.cu.
// Resources  As conv2d_fprop_wgmma_gemm.cu. Cost: 2*n*p*q*k*r*s*c FLOP; floor max(bytes of x + dy + dw, FLOP over the rate of wgmma), plus
//            8 * splits bytes per element of dw.
// Lost       Nothing yet: not measured. A tile of x with its halo, shared by all taps, would read x once instead of r*s times.
#include "kernels/common/grid.h"
#include "kernels/common/split_sums.h"
#include "kernels/common/wgmma_tile.h"
#include "kernels/conv2d/conv2d_mma_gemm.h"
#include "kernels/conv2d/conv2d_mma_tiles.h"
#include "kernels/conv2d/conv2d_wgmma_maps.h"

namespace jcuconv {

namespace {

// 64 columns: channels of one tap. The last tile may have one half too many.
struct ColumnHalf {
    int tap, channel;

    JCUCONV_DEVICE ColumnHalf(const Conv2dGeometry& g, int half) {
        const int per_tap = (g.c + kWgmmaHalf - 1) / kWgmmaHalf;
        tap = half / per_tap, channel = half % per_tap * kWgmmaHalf;
    }
};

template <class T>
JCUCONV_KERNEL(kWgmmaThreads, 1)
conv2d_wgrad_wgmma_gemm_kernel(const Conv2dGeometry g, const JCUCONV_GRID_CONSTANT TensorMap x, const JCUCONV_GRID_CONSTANT TensorMap dy,
                               std::int64_t split_slabs, float* result, bool accumulate, bool vectors_out) {
    if constexpr (!has_hopper()) {
        refuse("TMA and wgmma need sm_90a");
    } else {
        using Tile = WgmmaTile<T>;
        const int first_half = static_cast<int>(block_index().x) * 2, first_filter = static_cast<int>(block_index().y) * Tile::kRows;
        const int split = static_cast<int>(block_index().z), taps = g.r * g.s;
        const std::int64_t all_slabs = (std::int64_t{g.n} * g.p * g.q + kWgmmaDepth - 1) / kWgmmaDepth, first_slab = split * split_slabs;
        const int slabs = static_cast<int>(first_slab + split_slabs < all_slabs ? split_slabs : all_slabs - first_slab);
        auto& s = shared<WgmmaShared<T>>();
        start_stages(s);
        if (thread_index() >= Tile::kThreads) {
            give_registers<40>();
            if (thread_index() != Tile::kThreads) return;
            const int per_image = g.p * g.q;
            int image = static_cast<int>(first_slab * kWgmmaDepth / per_image), pixel = static_cast<int>(first_slab * kWgmmaDepth % per_image);
            fill_stages(s, slabs, [&](auto& gradients, auto& patches, Mbarrier& full) {
                const int p = pixel / g.q, q = pixel % g.q;
#pragma unroll
                for (int i = 0; i < 2; ++i) {
                    const ColumnHalf half(g, first_half + i);
                    // What lies past the last tap is zeros from behind the last channel.
                    const int channel = half.tap < taps ? half.channel : g.c, tap = half.tap < taps ? half.tap : 0;
                    tma_load_im2col(gradients[i], dy, full, {first_filter + i * kWgmmaHalf, q, p, image}, {0, 0});
                    tma_load_im2col(patches[i], x, full, {channel, q * g.stride_w - g.pad_left, p * g.stride_h - g.pad_top, image},
                                    {tap % g.s * g.dilation_w, tap / g.s * g.dilation_h});
                }
                pixel += kWgmmaDepth;
                image += pixel / per_image;
                pixel %= per_image;
            });
        } else {
            take_registers<232>();
            typename Tile::Sums sums;
            multiply_stages<Major::kRows, Major::kRows>(s, slabs, sums);
            float* out = result + std::int64_t{split} * g.k * taps * g.c;
            drain_mma_tile<Tile, 4>(
                s, sums,
                [&](int row, int column, const float* drained) {
                    const int filter = first_filter + row;
                    const ColumnHalf half(g, first_half + column / kWgmmaHalf);
                    const int channel = half.channel + column % kWgmmaHalf;
                    if (filter >= g.k || half.tap >= taps || channel >= g.c) return;
                    float* to = out + (std::int64_t{filter} * taps + half.tap) * g.c + channel;
                    float values[4];
                    load_drained(drained, values);
                    if (vectors_out) {
                        store_gradient<4>(to, values, accumulate);
                    } else {
#pragma unroll
                        for (int i = 0; i < 4; ++i)
                            if (channel + i < g.c) store_gradient<1>(to + i, values + i, accumulate);
                    }
                },
                [] { bar_sync(1, Tile::kThreads); });
        }
    }
}

static_assert(kernel_budget("conv2d_wgrad_wgmma_gemm").threads == kWgmmaThreads);

}  // namespace

Outcome conv2d_wgrad_wgmma_gemm(const Conv2dGeometry& g, jcuconv_type type, const Conv2dConfig& config, const void* x, const void* dy,
                                float* dw, bool accumulate, float* workspace, device::Stream stream) {
    const bool split = config.split.splits > 1;
    const LaunchShape shape = conv2d_launch(g, JCUCONV_WGRAD, config);
    const auto run = [&]<class T>() -> Outcome {
        TensorMap x_map, dy_map;
        JCUCONV_TRY(map_x<T>(x_map, g, x, kWgmmaDepth));
        JCUCONV_TRY(map_dy<T>(dy_map, g, dy, {}, kWgmmaDepth));
        return launch("conv2d_wgrad_wgmma_gemm", conv2d_wgrad_wgmma_gemm_kernel<T>, grid_of(shape), shape.threads, shape.shared_bytes, stream,
                      g, x_map, dy_map, config.split.split_pixels, split ? workspace : dw, !split && accumulate, config.vec_out > 1);
    };
    JCUCONV_TRY(type == JCUCONV_BF16 ? run.template operator()<bf16>() : run.template operator()<f16>());
    return split ? add_split_sums(workspace, config.split.splits, g.filter_elements(), dw, accumulate, stream) : Outcome();
}

}  // namespace jcuconv
