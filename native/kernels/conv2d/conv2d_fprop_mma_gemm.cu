// Convolution forward on tensor cores: y[n,p,q,k] = sum over r,s,c of x[n, p*u - pad + r*d, ..., c] * w[k,r,s,c], then the epilogue.
//
// Layouts    x NHWC, w KRSC, y NPQK in the storage type (fp16, bf16, or fp32 as tf32 or in three terms); y also in fp32; bias fp32. Channels at a pitch.
// Mapping    GEMM with rows = output pixels (n,p,q), columns = filters of a group, depth = (r,s,c), c fastest. A block of four warps
//            computes a tile, a warp 64x64 or 32x32 of it. Grid: x pixel tiles, y filter tiles, z groups. Under a max-pool rows stand
//            window by window (conv2d_output_rows.h), and of each window the maximum goes through the epilogue and into y.
// Limits     Any stride, dilation, padding, group count, channel count. Vectors need c/groups and x_pitch divisible by 8 (fp32: 4) and
//            16-byte aligned tensors. bf16 and fp32 need sm_80. Pixels and offsets are 64-bit. Pooled windows of 2, 4, 8 or 16, which
//            divide the 16 rows that a warp drains at a time.
// Resources  Three stages of 64 bytes of depth: 128x128 48 KB, 64x64 24 KB, 128x32 30 KB. Cost: 2*n*p*q*k*r*s*c/groups FLOP; floor
//            max(bytes of x + w + y over bandwidth, FLOP over the mma.sync rate). Pooling v sums leaves 1/v of y's bytes, and
//            neither writes nor reads the n*p*q*k rounded sums: 1x28x28 -> 6x28x28 under 2x2 in fp16 moves 3.9 KB an image, not 22.7.
// Lost       Stages of 128 bytes of depth: half the barriers, but 96 KB let only one block onto an sm_86, and none onto an sm_75.
#include "kernels/common/grid.h"
#include "kernels/conv2d/conv2d_mma_gemm.h"
#include "kernels/conv2d/conv2d_mma_sources.h"
#include "kernels/conv2d/conv2d_mma_tiles.h"
#include "kernels/conv2d/conv2d_output_rows.h"

namespace jcuconv {

namespace {

template <class Tile, bool kVector>
JCUCONV_KERNEL(kMmaThreads, kMmaBlocks<Tile, kVector>)
conv2d_fprop_mma_gemm_kernel(const Conv2dGeometry g, const typename Tile::T* x, const typename Tile::T* w, typename Tile::T* y,
                             bool vectors_out, const Conv2dEpilogue epilogue) {
    if constexpr (!runs_mma_tile<Tile>()) {
        refuse("this architecture's tensor cores do not know the type, or lack the registers for the tile");
    } else {
        using OperandA = DepthOperand<typename Tile::T, Tile::kRows>;
        using OperandB = DepthOperand<typename Tile::T, Tile::kColumns>;
        auto& memory = shared<MmaShared<Tile, OperandA, OperandB>>();
        const std::int64_t first_pixel = std::int64_t{block_index().x} * Tile::kRows, pixels = std::int64_t{g.n} * g.p * g.q;
        const int first_filter = static_cast<int>(block_index().y) * Tile::kColumns;
        const int group = static_cast<int>(block_index().z);
        const int depth = g.r * g.s * g.group_c;

        const PatchWindow window{g.h, g.w, g.group_c, g.r, g.s, g.dilation_h, g.dilation_w, g.x_pitch};
        PatchSource<OperandA, kVector> patches(window, x + group * g.group_c, [&](int row) -> Patch {
            const std::int64_t pixel = first_pixel + row;
            if (pixel >= pixels) return {-1, 0, 0};
            const OutputPixel at = output_pixel(g, pixel);
            return {at.image * g.h * g.w, at.p * g.stride_h - g.pad_top, at.q * g.stride_w - g.pad_left};
        });
        MatrixSource<OperandB, kVector> filters(w + std::int64_t{group} * g.group_k * depth, first_filter, g.group_k, depth);
        typename Tile::Sums sums;
        multiply_mma_tile<Tile, kVector>(memory, patches, filters, Tile::slabs(depth), sums);

        with_output(y, epilogue, [&](auto* to) {
            store_mma_pixels<Tile>(
                memory, sums, [&](int row) { return first_pixel + row < pixels ? ((first_pixel + row) >> g.pool_log2) * g.y_pitch : -1; },
                first_filter, g.group_k, group * g.group_k, vectors_out, to, epilogue, SyncBlock{}, g.pool_log2);
        });
    }
}

static_assert(mma_tiles_agree(JCUCONV_FPROP, "conv2d_fprop_mma_gemm"));

}  // namespace

Outcome conv2d_fprop_mma_gemm(const Conv2dGeometry& g, jcuconv_type type, const Conv2dConfig& config, const void* x, const void* w,
                              void* y, const Conv2dEpilogue& epilogue, device::Stream stream) {
    const LaunchShape shape = conv2d_launch(g, JCUCONV_FPROP, config);
    return with_mma_tile<JCUCONV_FPROP>(type, config, [&]<class Tile, bool kVector>() {
        using T = typename Tile::T;
        return launch("conv2d_fprop_mma_gemm", conv2d_fprop_mma_gemm_kernel<Tile, kVector>, grid_of(shape), shape.threads,
                      shape.shared_bytes, stream, g, static_cast<const T*>(x), static_cast<const T*>(w), static_cast<T*>(y),
                      config.vec_out > 1, epilogue);
    });
}

}  // namespace jcuconv
