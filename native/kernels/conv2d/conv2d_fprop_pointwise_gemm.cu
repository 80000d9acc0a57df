// 1x1 convolution forward, also the dense layer: y[m,k] = sum over c of x[m,c] * w[k,c] for all pixels m, then the epilogue.
//
// Layouts    x [pixels][c], w [k][c/groups], y [pixels][k], all fp32. Pixels of x and y at a pitch.
// Mapping    GEMM with rows = pixels, columns = filters of a group, depth = channels of a group. Block, thread and grid as the
//            implicit GEMM, with its two larger tiles.
// Limits     1x1 window, stride 1, no padding; c/groups, k/groups and both pitches divisible by 4, aligned tensors.
// Resources  Shared memory 128x128x8 16.9 KB, 64x64x16 17.4 KB. Cost: 2*pixels*k*c/groups FLOP; floor max(bytes of x + w + y,
//            FLOP over the FFMA rate). Per slab and thread the implicit GEMM divides twice and tests four borders per vector
//            before 512 (large tile) or 256 FMA; here a vector costs one comparison and one addition.
// Lost       A scalar form for odd channel counts: those layers are small, and the implicit GEMM serves them. 16-bit storage: the tensor cores have it.
#include "kernels/common/gemm_sources.h"
#include "kernels/common/grid.h"
#include "kernels/conv2d/conv2d_gemm_output.h"
#include "kernels/conv2d/conv2d_pointwise_gemm.h"
#include "kernels/conv2d/conv2d_tiles.h"

namespace jcuconv {

namespace {

template <class Tile>
JCUCONV_KERNEL(Tile::kThreads)
conv2d_fprop_pointwise_gemm_kernel(const Conv2dGeometry g, const float* x, const float* w, float* y, const Conv2dEpilogue epilogue) {
    const std::int64_t first_pixel = std::int64_t{block_index().x} * Tile::kRows, pixels = std::int64_t{g.n} * g.p * g.q;
    const int first_filter = static_cast<int>(block_index().y) * Tile::kColumns, group = static_cast<int>(block_index().z);

    using LoaderA = DepthLoader<Tile, Tile::kRows, kPointwiseVec>;
    using LoaderB = DepthLoader<Tile, Tile::kColumns, kPointwiseVec>;
    DepthMatrix<float, LoaderA, kPointwiseVec> images(x + group * g.group_c, first_pixel, pixels, g.x_pitch, g.group_c);
    DepthMatrix<float, LoaderB, kPointwiseVec> filters(w + std::int64_t{group} * g.group_k * g.group_c, first_filter, g.group_k, g.group_c,
                                          g.group_c);
    float acc[Tile::kThreadRows][Tile::kThreadColumns];
    auto& shared_tile = shared<typename Tile::Shared>();
    multiply_tile<Tile, LoaderA, LoaderB>(shared_tile, images, filters, g.group_c, acc);
    store_pixels<Tile, kPointwiseVec>(shared_tile, acc, first_pixel, pixels, first_filter, g.group_k, group * g.group_k, g.y_pitch, y, epilogue);
}

static_assert(pointwise_tiles_agree_with_launch("conv2d_fprop_pointwise_gemm"));

}  // namespace

Outcome conv2d_fprop_pointwise_gemm(const Conv2dGeometry& g, jcuconv_type, const Conv2dConfig& config, const void* x,
                                    const void* w, void* y, const Conv2dEpilogue& epilogue, device::Stream stream) {
    const LaunchShape shape = conv2d_launch(g, JCUCONV_FPROP, config);
    return with_pointwise_tile(config, [&]<class Tile>() {
        return launch("conv2d_fprop_pointwise_gemm", conv2d_fprop_pointwise_gemm_kernel<Tile>, grid_of(shape),
                      shape.threads, shape.shared_bytes, stream, g, static_cast<const float*>(x), static_cast<const float*>(w),
                      static_cast<float*>(y), epilogue);
    });
}

}  // namespace jcuconv
