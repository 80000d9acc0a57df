// 1x1 convolution, data gradient: dx[m,c] = sum over k of dy[m,k] * w[k,c] for all pixels m. Also the forward pass of the 1x1
// transposed convolution, hence the epilogue.
//
// Layouts    dy [pixels][k], w [k][c/groups], dx [pixels][c], bias one per channel c, all fp32. Pixels at a pitch.
// Mapping    GEMM with rows = pixels, columns = channels of a group, depth = filters of a group. Grid: x pixel tiles, y channel
//            tiles, z groups.
// Limits     As forward.
// Resources  As forward, floor bytes of dy + w + dx. The phased GEMM divides four times per slab and once per vector and axis.
// Lost       Nothing yet beyond what is said forward.
#include "kernels/common/gemm_sources.h"
#include "kernels/common/grid.h"
#include "kernels/conv2d/conv2d_gemm_output.h"
#include "kernels/conv2d/conv2d_pointwise_gemm.h"
#include "kernels/conv2d/conv2d_tiles.h"

namespace jcuconv {

namespace {

// With the large tile ptxas keeps within the budget only if nothing is promised (0).
template <class Tile>
constexpr int kBlocks = Tile::kRows == LargeTile::kRows ? 0 : blocks_side_by_side<Tile>("conv2d_dgrad_pointwise_gemm");

template <class Tile>
JCUCONV_KERNEL(Tile::kThreads, kBlocks<Tile>)
conv2d_dgrad_pointwise_gemm_kernel(const Conv2dGeometry g, const float* dy, const float* w, float* dx, const Conv2dEpilogue epilogue) {
    const std::int64_t first_pixel = std::int64_t{block_index().x} * Tile::kRows, pixels = std::int64_t{g.n} * g.h * g.w;
    const int first_channel = static_cast<int>(block_index().y) * Tile::kColumns, group = static_cast<int>(block_index().z);

    using LoaderA = DepthLoader<Tile, Tile::kRows, kPointwiseVec>;
    using LoaderB = RowLoader<Tile, Tile::kColumns, kPointwiseVec>;
    DepthMatrix<float, LoaderA, kPointwiseVec> gradients(dy + group * g.group_k, first_pixel, pixels, g.y_pitch, g.group_k);
    RowMatrix<float, LoaderB, kPointwiseVec> channels(w + std::int64_t{group} * g.group_k * g.group_c, first_channel, g.group_c, g.group_c,
                                         g.group_k);
    float acc[Tile::kThreadRows][Tile::kThreadColumns];
    auto& shared_tile = shared<typename Tile::Shared>();
    multiply_tile<Tile, LoaderA, LoaderB>(shared_tile, gradients, channels, g.group_k, acc);
    store_pixels<Tile, kPointwiseVec>(shared_tile, acc, first_pixel, pixels, first_channel, g.group_c, group * g.group_c, g.x_pitch, dx, epilogue);
}

static_assert(pointwise_tiles_agree_with_launch("conv2d_dgrad_pointwise_gemm"));

}  // namespace

Outcome conv2d_dgrad_pointwise_gemm(const Conv2dGeometry& g, jcuconv_type, const Conv2dConfig& config, const void* dy,
                                    const void* w, void* dx, const Conv2dEpilogue& epilogue, device::Stream stream) {
    const LaunchShape shape = conv2d_launch(g, JCUCONV_DGRAD, config);
    return with_pointwise_tile(config, [&]<class Tile>() {
        return launch("conv2d_dgrad_pointwise_gemm", conv2d_dgrad_pointwise_gemm_kernel<Tile>, grid_of(shape),
                      shape.threads, shape.shared_bytes, stream, g, static_cast<const float*>(dy), static_cast<const float*>(w),
                      static_cast<float*>(dx), epilogue);
    });
}

}  // namespace jcuconv
