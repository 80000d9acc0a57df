// Convolution weight gradient: dw[k,r,s,c] = sum over n,p,q of dy[n,p,q,k] * x[n, p*u - pad + r*d, ..., c].
//
// Layouts    x NHWC, dy NPQK in the storage type; dw KRSC and workspace [splits][k][r][s][c/groups] fp32.
// Mapping    GEMM with rows = filters of a group, columns = (r,s,c), depth = output pixels (n,p,q). A filter has few elements
//            and many pixels, so the pixels are cut into `splits` parts that run side by side. Grid: x column tiles,
//            y filter tiles, z = group * splits + split. Parts are added by add_split_sums in fixed order.
// Limits     Any stride, dilation, padding, group count. kVec as in fprop. p*q < 2^30 and pixels per split < 2^30, so that one
//            split counts its pixels in 32 bits from the first image it touches. groups * splits <= 65535.
// Resources  Shared memory as fprop. Cost: 2*n*p*q*k*r*s*c/groups FLOP; floor max(bytes of x + dy + dw, FLOP over FFMA rate),
//            plus 8 * splits bytes per element of dw.
// Lost       Splits chosen from the number of multiprocessors: fills each GPU, but the same problem would give other bits on
//            another GPU. The choice depends on the problem alone.
#include "core/arithmetic.h"
#include "kernels/common/gemm_sources.h"
#include "kernels/common/grid.h"
#include "kernels/common/split_sums.h"
#include "kernels/conv2d/conv2d_gemm_output.h"
#include "kernels/conv2d/conv2d_implicit_gemm.h"
#include "kernels/conv2d/conv2d_pixel_range.h"
#include "kernels/conv2d/conv2d_tiles.h"

namespace jcuconv {

namespace {

// Rows: (r,s,c), neighbours in memory along c. Depth: pixels.
template <class T, class Loader, int kVec>
struct PatchSource {
    const Conv2dGeometry& g;
    const PixelRange& range;
    const T* x;  // first image of the split at this thread's channel, null past the last column
    int dh, dw;
    const T* at = nullptr;

    JCUCONV_DEVICE PatchSource(const Conv2dGeometry& geometry, const PixelRange& pixels, const T* images, int first_column,
                               int group)
        : g(geometry), range(pixels) {
        const int column = first_column + Loader::row(), tap = column / g.group_c;
        dh = tap / g.s * g.dilation_h - g.pad_top;
        dw = tap % g.s * g.dilation_w - g.pad_left;
        x = tap < g.r * g.s
                ? images + range.image * g.h * g.w * g.x_pitch + group * g.group_c + column % g.group_c
                : nullptr;
    }

    JCUCONV_DEVICE void seek(int depth) {
        const int pixel = range.offset + depth, line = pixel / g.q, image = line / g.p;
        const int h = line % g.p * g.stride_h + dh, w = pixel % g.q * g.stride_w + dw;
        const bool inside = x != nullptr && depth < range.count && h >= 0 && h < g.h && w >= 0 && w < g.w;
        at = inside ? x + ((std::int64_t{image} * g.h + h) * g.w + w) * g.x_pitch : nullptr;
    }

    JCUCONV_DEVICE void load(int, float (&out)[kVec]) const {
        if (at != nullptr) {
            load_f32(at, out);
        } else {
            set_zero(out);
        }
    }
};

template <class T, class Tile, int kVec>
JCUCONV_KERNEL(Tile::kThreads)
conv2d_wgrad_split_gemm_kernel(const Conv2dGeometry g, int splits, std::int64_t split_pixels, const T* x, const T* dy,
                               float* sums, bool accumulate) {
    const int group = static_cast<int>(block_index().z) / splits, split = static_cast<int>(block_index().z) % splits;
    const int first_column = static_cast<int>(block_index().x) * Tile::kColumns;
    const int first_filter = static_cast<int>(block_index().y) * Tile::kRows;
    const PixelRange range(g, split, split_pixels);

    using LoaderA = RowLoader<Tile, Tile::kRows, kVec>;
    using LoaderB = RowLoader<Tile, Tile::kColumns, kVec>;
    const std::int64_t first_pixel = range.image * g.p * g.q + range.offset;
    RowMatrix<T, LoaderA, kVec> gradients(dy + first_pixel * g.y_pitch + group * g.group_k, first_filter, g.group_k, g.y_pitch,
                                          range.count);
    PatchSource<T, LoaderB, kVec> patches(g, range, x, first_column, group);
    float acc[Tile::kThreadRows][Tile::kThreadColumns];
    multiply_tile<Tile, LoaderA, LoaderB>(shared<typename Tile::Shared>(), gradients, patches, range.count, acc);

    const int columns = g.r * g.s * g.group_c;
    store_filters<Tile, kVec>(acc, first_filter, g.group_k, first_column, columns,
                              sums + (std::int64_t{split} * g.k + std::int64_t{group} * g.group_k) * columns, accumulate);
}

static_assert(tiles_agree_with_launch("conv2d_wgrad_split_gemm"));

}  // namespace

Outcome conv2d_wgrad_split_gemm(const Conv2dGeometry& g, jcuconv_type type, const Conv2dConfig& config, const void* x,
                                const void* dy, float* dw, bool accumulate, float* workspace, device::Stream stream) {
    const bool split = config.split.splits > 1;
    const LaunchShape shape = conv2d_launch(g, JCUCONV_WGRAD, config);
    JCUCONV_TRY(with_conv2d_tile(type, config, [&]<class T, class Tile, int kVec>() {
        return launch("conv2d_wgrad_split_gemm", conv2d_wgrad_split_gemm_kernel<T, Tile, kVec>, grid_of(shape), shape.threads,
                      shape.shared_bytes, stream, g, config.split.splits, config.split.split_pixels,
                      static_cast<const T*>(x), static_cast<const T*>(dy), split ? workspace : dw, !split && accumulate);
    }));
    return split ? add_split_sums(workspace, config.split.splits, g.filter_elements(), dw, accumulate, stream) : Outcome();
}

}  // namespace jcuconv
