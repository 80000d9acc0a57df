// Convolution forward: y[n,p,q,k] = sum over r,s,c of x[n, p*u - pad + r*d, ..., c] * w[k,r,s,c], then the epilogue.
//
// Layouts    x NHWC, w KRSC, y NPQK in the storage type, y also in fp32; bias fp32. Channels of x and y at a pitch.
// Mapping    GEMM with rows = output pixels (n,p,q), columns = filters of a group, depth = (r,s,c), c fastest. A block computes
//            one tile of pixels x filters, a thread 4x4 or 8x8 of it. Grid: x pixel tiles, y filter tiles, z groups. Under a max-pool
//            rows stand window by window (conv2d_output_rows.h), and of each window the maximum goes through the epilogue and into y.
// Limits     Any stride, dilation, padding, group count. kVec = 4 needs c/groups, k/groups and both pitches divisible by 4 and
//            16-byte (fp16: 8-byte) aligned tensors. r*s*c/groups < 2^31. Pixels and offsets are 64-bit. Pooled windows of 2 or 4: a
//            thread owns 4 neighbouring rows.
// Resources  Shared memory 2 slabs of each operand: 128x128x8 16.9 KB, 64x64x16 17.4 KB, 32x32x16 9.2 KB.
//            Cost: 2*n*p*q*k*r*s*c/groups FLOP; floor max(bytes of x + w + y over bandwidth, FLOP over the FFMA rate).
// Lost       A loop over taps around a loop over channels needs no division of the depth, but pads every tap to a multiple of
//            the slab: 5x more work for c = 3. One division per slab and thread costs about 4 % and serves every c.
#include <type_traits>

#include "core/arithmetic.h"
#include "kernels/common/grid.h"
#include "kernels/conv2d/conv2d_gemm_output.h"
#include "kernels/conv2d/conv2d_implicit_gemm.h"
#include "kernels/conv2d/conv2d_output_rows.h"
#include "kernels/conv2d/conv2d_tiles.h"

namespace jcuconv {

namespace {

// Rows: output pixels. Depth: (r,s,c).
template <class T, class Loader, int kVec>
struct PatchSource {
    const Conv2dGeometry& g;
    const T* image[Loader::kSlots];  // null where the tile reaches past the last pixel
    int h0[Loader::kSlots], w0[Loader::kSlots];
    int dh = 0, dw = 0, c = 0;
    bool inside = false;

    JCUCONV_DEVICE PatchSource(const Conv2dGeometry& geometry, const T* x, std::int64_t first_pixel, int group) : g(geometry) {
        const std::int64_t pixels = std::int64_t{g.n} * g.p * g.q;
#pragma unroll
        for (int slot = 0; slot < Loader::kSlots; ++slot) {
            const std::int64_t pixel = first_pixel + Loader::row(slot);
            const OutputPixel at = output_pixel(g, pixel);
            h0[slot] = at.p * g.stride_h - g.pad_top;
            w0[slot] = at.q * g.stride_w - g.pad_left;
            image[slot] = pixel < pixels ? x + at.image * g.h * g.w * g.x_pitch + group * g.group_c : nullptr;
        }
    }

    JCUCONV_DEVICE void seek(int depth) {
        const int tap = depth / g.group_c;
        c = depth % g.group_c;
        dh = tap / g.s * g.dilation_h;
        dw = tap % g.s * g.dilation_w;
        inside = tap < g.r * g.s;
    }

    JCUCONV_DEVICE void load(int slot, float (&out)[kVec]) const {
        const int h = h0[slot] + dh, w = w0[slot] + dw;
        if (inside && image[slot] != nullptr && h >= 0 && h < g.h && w >= 0 && w < g.w) {
            load_f32(image[slot] + (std::int64_t{h} * g.w + w) * g.x_pitch + c, out);
        } else {
            set_zero(out);
        }
    }
};

// Rows: filters. Depth: (r,s,c), which is exactly how a filter lies in memory.
template <class T, class Loader, int kVec>
struct FilterSource {
    const T* filter;  // of slot 0; the others follow at equal distances, which needs fewer registers than a pointer each
    int taps, left, at = 0;

    JCUCONV_DEVICE FilterSource(const Conv2dGeometry& g, const T* w, int first_filter, int group)
        : taps(g.r * g.s * g.group_c) {
        const int k = first_filter + Loader::row(0);
        filter = w + (std::int64_t{group} * g.group_k + k) * taps;
        left = g.group_k - k;
    }

    JCUCONV_DEVICE void seek(int depth) { at = depth; }

    JCUCONV_DEVICE void load(int slot, float (&out)[kVec]) const {
        const int row = slot * Loader::kRowsPerSlot;
        if (row < left && at < taps) {
            load_f32(filter + std::int64_t{row} * taps + at, out);
        } else {
            set_zero(out);
        }
    }
};

// Blocks that must fit on a multiprocessor side by side. Without it ptxas aims at a round number of registers and spills to reach it.
// The registers per thread that the three tiles then have: 128, 80, 102; scalar loads have more addresses to keep: 255, 128, 128.
template <class Tile, int kVec>
constexpr int kBlocks = std::is_same_v<Tile, LargeTile>    ? (kVec == 4 ? 2 : 1)
                        : std::is_same_v<Tile, MediumTile> ? (kVec == 4 ? 3 : 2)
                                                           : (kVec == 4 ? 10 : 8);

template <class T, class Tile, int kVec>
JCUCONV_KERNEL(Tile::kThreads, kBlocks<Tile, kVec>)
conv2d_fprop_implicit_gemm_kernel(const Conv2dGeometry g, const T* x, const T* w, T* y, const Conv2dEpilogue epilogue) {
    auto& shared_tile = shared<typename Tile::Shared>();
    const std::int64_t first_pixel = std::int64_t{block_index().x} * Tile::kRows;
    const int first_filter = static_cast<int>(block_index().y) * Tile::kColumns;
    const int group = static_cast<int>(block_index().z);

    using LoaderA = DepthLoader<Tile, Tile::kRows, kVec>;
    using LoaderB = DepthLoader<Tile, Tile::kColumns, kVec>;
    PatchSource<T, LoaderA, kVec> patches(g, x, first_pixel, group);
    FilterSource<T, LoaderB, kVec> filters(g, w, first_filter, group);
    float acc[Tile::kThreadRows][Tile::kThreadColumns];
    multiply_tile<Tile, LoaderA, LoaderB>(shared_tile, patches, filters, g.r * g.s * g.group_c, acc);

    pool_rows<Tile>(g.pool_log2, acc);
    const std::int64_t pixels = std::int64_t{g.n} * g.p * g.q;
    with_output(y, epilogue, [&](auto* to) {
        store_pixels<Tile, kVec>(shared_tile, acc, first_pixel, pixels, first_filter, g.group_k, group * g.group_k, g.y_pitch, to, epilogue,
                                 g.pool_log2);
    });
}

static_assert(tiles_agree_with_launch("conv2d_fprop_implicit_gemm"));

}  // namespace

Outcome conv2d_fprop_implicit_gemm(const Conv2dGeometry& g, jcuconv_type type, const Conv2dConfig& config, const void* x,
                                   const void* w, void* y, const Conv2dEpilogue& epilogue, device::Stream stream) {
    const LaunchShape shape = conv2d_launch(g, JCUCONV_FPROP, config);
    return with_conv2d_tile(type, config, [&]<class T, class Tile, int kVec>() {
        return launch("conv2d_fprop_implicit_gemm", conv2d_fprop_implicit_gemm_kernel<T, Tile, kVec>, grid_of(shape), shape.threads,
                      shape.shared_bytes, stream, g, static_cast<const T*>(x), static_cast<const T*>(w),
                      static_cast<T*>(y), epilogue);
    });
}

}  // namespace jcuconv
