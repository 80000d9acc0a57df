// Convolution forward: y[n,p,q,k] = sum over r,s,c of x[n, p*u - pad + r*d, ..., c] * w[k,r,s,c], then bias and ReLU.
//
// Layouts    x NHWC, w KRSC, y NPQK in the storage type; bias fp32. Channels of x and y at a pitch.
// Mapping    GEMM with rows = output pixels (n,p,q), columns = filters of a group, depth = (r,s,c), c fastest. A block computes
//            one tile of pixels x filters, a thread 4x4 or 8x8 of it. Grid: x pixel tiles, y filter tiles, z groups.
// Limits     Any stride, dilation, padding, group count. kVec = 4 needs c/groups, k/groups and both pitches divisible by 4 and
//            16-byte (fp16: 8-byte) aligned tensors. r*s*c/groups < 2^31. Pixels and offsets are 64-bit.
// Resources  Shared memory 2 slabs of each operand: 128x128x8 16.9 KB, 64x64x16 17.4 KB, 32x32x16 9.2 KB.
//            Cost: 2*n*p*q*k*r*s*c/groups FLOP; floor max(bytes of x + w + y over bandwidth, FLOP over the FFMA rate).
// Lost       A loop over taps around a loop over channels needs no division of the depth, but pads every tap to a multiple of
//            the slab: 5x more work for c = 3. One division per slab and thread costs about 4 % and serves every c.
#include "core/arithmetic.h"
#include "kernels/conv2d/conv2d_epilogue.h"
#include "kernels/conv2d/conv2d_implicit_gemm.h"
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
            const std::int64_t line = pixel / g.q;
            h0[slot] = static_cast<int>(line % g.p) * g.stride_h - g.pad_top;
            w0[slot] = static_cast<int>(pixel % g.q) * g.stride_w - g.pad_left;
            image[slot] = pixel < pixels ? x + line / g.p * g.h * g.w * g.x_pitch + group * g.group_c : nullptr;
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
    const T* filter[Loader::kSlots];  // null past the last filter of the group
    int taps, at = 0;

    JCUCONV_DEVICE FilterSource(const Conv2dGeometry& g, const T* w, int first_filter, int group)
        : taps(g.r * g.s * g.group_c) {
#pragma unroll
        for (int slot = 0; slot < Loader::kSlots; ++slot) {
            const int k = first_filter + Loader::row(slot);
            filter[slot] = k < g.group_k ? w + (std::int64_t{group} * g.group_k + k) * taps : nullptr;
        }
    }

    JCUCONV_DEVICE void seek(int depth) { at = depth; }

    JCUCONV_DEVICE void load(int slot, float (&out)[kVec]) const {
        if (filter[slot] != nullptr && at < taps) {
            load_f32(filter[slot] + at, out);
        } else {
            set_zero(out);
        }
    }
};

template <class T, class Tile, int kVec>
JCUCONV_KERNEL(Tile::kThreads)
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

    const std::int64_t pixels = std::int64_t{g.n} * g.p * g.q;
#pragma unroll
    for (int i = 0; i < Tile::kThreadRows; ++i) {
        const std::int64_t pixel = first_pixel + Tile::row(i);
        if (pixel >= pixels) continue;
#pragma unroll
        for (int j = 0; j < Tile::kThreadColumns; j += kVec) {
            const int k = first_filter + Tile::column(j);
            if (k >= g.group_k) continue;
            store_conv2d<kVec>(y + pixel * g.y_pitch, group * g.group_k + k, &acc[i][j], epilogue);
        }
    }
}

}  // namespace

Outcome conv2d_fprop_implicit_gemm(const Conv2dGeometry& g, jcuconv_type type, const Conv2dConfig& config, const void* x,
                                   const void* w, void* y, const Conv2dEpilogue& epilogue, device::Stream stream) {
    return with_conv2d_tile(type, config, [&]<class T, class Tile, int kVec>() {
        const Dim3 grid = {static_cast<unsigned>(ceil_div<std::int64_t>(g.pixels_out(), Tile::kRows)),
                           static_cast<unsigned>(ceil_div(g.group_k, Tile::kColumns)), static_cast<unsigned>(g.groups)};
        return launch("conv2d_fprop_implicit_gemm", conv2d_fprop_implicit_gemm_kernel<T, Tile, kVec>, grid, Tile::kThreads,
                      sizeof(typename Tile::Shared), stream, g, static_cast<const T*>(x), static_cast<const T*>(w),
                      static_cast<T*>(y), epilogue);
    });
}

}  // namespace jcuconv
