// 1x1 convolution, weight gradient: dw[k,c] = sum over all pixels m of dy[m,k] * x[m,c].
//
// Layouts    x [pixels][c], dy [pixels][k] at a pitch, dw [k][c/groups] and workspace [splits][k][c/groups], all fp32.
// Mapping    GEMM with rows = filters of a group, columns = channels of a group, depth = pixels, cut into `splits` parts that are
//            added by add_split_sums in fixed order. Grid: x channel tiles, y filter tiles, z = group * splits + split.
// Limits     As forward; groups * splits <= 65535, pixels per split < 2^30.
// Resources  As forward, floor bytes of x + dy + dw, plus 8 * splits bytes per element of dw. The general kernel divides three
//            times per vector of x, every pass of the slab; here a vector costs one multiplication and one comparison.
// Lost       Nothing yet beyond what is said forward.
#include "kernels/common/gemm_sources.h"
#include "kernels/common/grid.h"
#include "kernels/common/split_sums.h"
#include "kernels/conv2d/conv2d_gemm_output.h"
#include "kernels/conv2d/conv2d_pointwise_gemm.h"
#include "kernels/conv2d/conv2d_tiles.h"

namespace jcuconv {

namespace {

template <class Tile>
JCUCONV_KERNEL(Tile::kThreads)
conv2d_wgrad_pointwise_gemm_kernel(const Conv2dGeometry g, int splits, std::int64_t split_pixels, const float* x, const float* dy,
                                   float* sums, bool accumulate) {
    const int group = static_cast<int>(block_index().z) / splits, split = static_cast<int>(block_index().z) % splits;
    const int first_channel = static_cast<int>(block_index().x) * Tile::kColumns;
    const int first_filter = static_cast<int>(block_index().y) * Tile::kRows;
    const std::int64_t first = split * split_pixels, left = std::int64_t{g.n} * g.p * g.q - first;
    const int pixels = static_cast<int>(left < split_pixels ? left : split_pixels);

    using LoaderA = RowLoader<Tile, Tile::kRows, kPointwiseVec>;
    using LoaderB = RowLoader<Tile, Tile::kColumns, kPointwiseVec>;
    RowMatrix<float, LoaderA, kPointwiseVec> gradients(dy + first * g.y_pitch + group * g.group_k, first_filter, g.group_k, g.y_pitch, pixels);
    RowMatrix<float, LoaderB, kPointwiseVec> images(x + first * g.x_pitch + group * g.group_c, first_channel, g.group_c, g.x_pitch, pixels);
    float acc[Tile::kThreadRows][Tile::kThreadColumns];
    multiply_tile<Tile, LoaderA, LoaderB>(shared<typename Tile::Shared>(), gradients, images, pixels, acc);
    store_filters<Tile, kPointwiseVec>(acc, first_filter, g.group_k, first_channel, g.group_c,
                              sums + (std::int64_t{split} * g.k + group * g.group_k) * g.group_c, accumulate);
}

static_assert(pointwise_tiles_agree_with_launch("conv2d_wgrad_pointwise_gemm"));

}  // namespace

Outcome conv2d_wgrad_pointwise_gemm(const Conv2dGeometry& g, jcuconv_type, const Conv2dConfig& config, const void* x,
                                    const void* dy, float* dw, bool accumulate, float* workspace, device::Stream stream) {
    const bool split = config.split.splits > 1;
    const LaunchShape shape = conv2d_launch(g, JCUCONV_WGRAD, config);
    JCUCONV_TRY(with_pointwise_tile(config, [&]<class Tile>() {
        return launch("conv2d_wgrad_pointwise_gemm", conv2d_wgrad_pointwise_gemm_kernel<Tile>, grid_of(shape),
                      shape.threads, shape.shared_bytes, stream, g, config.split.splits, config.split.split_pixels,
                      static_cast<const float*>(x), static_cast<const float*>(dy), split ? workspace : dw, !split && accumulate);
    }));
    return split ? add_split_sums(workspace, config.split.splits, g.filter_elements(), dw, accumulate, stream) : Outcome();
}

}  // namespace jcuconv
