// Convolution data gradient: dx[n,h,w,c] = sum over the taps (r,s) that met (h,w), and over k, of dy[n,p,q,k] * w[k,r,s,c].
// Also the forward pass of the transposed convolution, hence the epilogue.
//
// Layouts    dy NPQK, w KRSC, dx NHWC in the storage type; bias fp32, one per channel c. Channels of dy and dx at a pitch.
// Mapping    A tap r meets row h only if h + pad - r*d is a multiple of the stride u. All rows with the same remainder of
//            h + pad ("phase") meet the same taps, so each of the u_h * u_w phases is a dense GEMM of its own: rows = pixels of
//            the phase, columns = channels of a group, depth = (tap of the phase, k), k fastest. Nothing is multiplied with the
//            zeros of a stride. Grid: x pixel tiles, y channel tiles, z = group * phases + phase.
// Limits     Any stride, dilation, padding, group count. kVec = 4 as in fprop. groups * u_h * u_w <= 65535.
// Resources  Shared memory as fprop. Cost: 2*n*p*q*k*r*s*c/groups FLOP; floor max(bytes of dy + w + dx, FLOP over FFMA rate).
// Lost       One launch per phase: u_h*u_w launches that each fill a part of the GPU. Grid slots of the smaller phases that lie
//            past their last pixel return at once, which costs less than a table of phases.
#include "core/arithmetic.h"
#include "heuristics/conv2d_phases.h"
#include "kernels/common/grid.h"
#include "kernels/conv2d/conv2d_epilogue.h"
#include "kernels/conv2d/conv2d_implicit_gemm.h"
#include "kernels/conv2d/conv2d_tiles.h"

namespace jcuconv {

namespace {

// Rows: pixels of the phase. Depth: (tap, k).
template <class T, class Loader, int kVec>
struct GradientSource {
    const Conv2dGeometry& g;
    const PhaseAxis &rows, &columns;
    const T* image[Loader::kSlots];
    int p0[Loader::kSlots], q0[Loader::kSlots];  // (h + pad) and (w + pad), divided by the stride after a tap was subtracted
    int dh = 0, dw = 0, k = 0;
    bool inside = false;

    JCUCONV_DEVICE GradientSource(const Conv2dGeometry& geometry, const PhaseAxis& vertical, const PhaseAxis& horizontal,
                                  const T* dy, std::int64_t first_pixel, int group)
        : g(geometry), rows(vertical), columns(horizontal) {
        const std::int64_t pixels = std::int64_t{g.n} * rows.count * columns.count;
#pragma unroll
        for (int slot = 0; slot < Loader::kSlots; ++slot) {
            const std::int64_t pixel = first_pixel + Loader::row(slot);
            const std::int64_t line = pixel / columns.count;
            p0[slot] = rows.first + static_cast<int>(line % rows.count) * g.stride_h + g.pad_top;
            q0[slot] = columns.first + static_cast<int>(pixel % columns.count) * g.stride_w + g.pad_left;
            image[slot] = pixel < pixels ? dy + line / rows.count * g.p * g.q * g.y_pitch + group * g.group_k : nullptr;
        }
    }

    JCUCONV_DEVICE void seek(int depth) {
        const int tap = depth / g.group_k;
        k = depth % g.group_k;
        inside = tap < rows.tap_count * columns.tap_count;
        dh = (rows.tap_first + tap / columns.tap_count * rows.tap_step) * g.dilation_h;
        dw = (columns.tap_first + tap % columns.tap_count * columns.tap_step) * g.dilation_w;
    }

    JCUCONV_DEVICE void load(int slot, float (&out)[kVec]) const {
        // Exact divisions, but of a negative number they would still round towards zero: test the sign first.
        const int above_h = p0[slot] - dh, above_w = q0[slot] - dw;
        const int p = above_h / g.stride_h, q = above_w / g.stride_w;
        if (inside && image[slot] != nullptr && above_h >= 0 && p < g.p && above_w >= 0 && q < g.q) {
            load_f32(image[slot] + (std::int64_t{p} * g.q + q) * g.y_pitch + k, out);
        } else {
            set_zero(out);
        }
    }
};

// Rows: channels, neighbours in memory. Depth: (tap, k).
template <class T, class Loader, int kVec>
struct ChannelSource {
    const Conv2dGeometry& g;
    const PhaseAxis &rows, &columns;
    const T* w;  // of the group, at this thread's channel; null past the last channel
    const T* at = nullptr;

    JCUCONV_DEVICE ChannelSource(const Conv2dGeometry& geometry, const PhaseAxis& vertical, const PhaseAxis& horizontal,
                                 const T* filters, int first_channel, int group)
        : g(geometry), rows(vertical), columns(horizontal) {
        const int c = first_channel + Loader::row();
        w = c < g.group_c ? filters + std::int64_t{group} * g.group_k * g.r * g.s * g.group_c + c : nullptr;
    }

    JCUCONV_DEVICE void seek(int depth) {
        const int tap = depth / g.group_k, k = depth % g.group_k;
        const int r = rows.tap_first + tap / columns.tap_count * rows.tap_step;
        const int s = columns.tap_first + tap % columns.tap_count * columns.tap_step;
        const bool inside = w != nullptr && tap < rows.tap_count * columns.tap_count;
        at = inside ? w + ((std::int64_t{k} * g.r + r) * g.s + s) * g.group_c : nullptr;
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
JCUCONV_KERNEL(Tile::kThreads, blocks_side_by_side<Tile>("conv2d_dgrad_phased_gemm"))
conv2d_dgrad_phased_gemm_kernel(const Conv2dGeometry g, const T* dy, const T* w, T* dx, const Conv2dEpilogue epilogue) {
    const int phases = g.stride_h * g.stride_w;
    const int group = static_cast<int>(block_index().z) / phases, index = static_cast<int>(block_index().z) % phases;
    const Phase phase(g, index);
    const PhaseAxis &rows = phase.rows, &columns = phase.columns;
    const std::int64_t pixels = std::int64_t{g.n} * rows.count * columns.count;
    const std::int64_t first_pixel = std::int64_t{block_index().x} * Tile::kRows;
    if (first_pixel >= pixels) return;  // the whole block: no thread is left waiting at a barrier
    const int first_channel = static_cast<int>(block_index().y) * Tile::kColumns;

    using LoaderA = DepthLoader<Tile, Tile::kRows, kVec>;
    using LoaderB = RowLoader<Tile, Tile::kColumns, kVec>;
    GradientSource<T, LoaderA, kVec> gradients(g, rows, columns, dy, first_pixel, group);
    ChannelSource<T, LoaderB, kVec> channels(g, rows, columns, w, first_channel, group);
    float acc[Tile::kThreadRows][Tile::kThreadColumns];
    auto& shared_tile = shared<typename Tile::Shared>();
    multiply_tile<Tile, LoaderA, LoaderB>(shared_tile, gradients, channels,
                                          rows.tap_count * columns.tap_count * g.group_k, acc);

    drain_tile<Tile, kVec>(
        shared_tile, acc,
        [&](int i) {
            const std::int64_t pixel = first_pixel + Tile::row(i);
            return pixel < pixels ? phase.element(g, pixel) : -1;
        },
        [&](std::int64_t pixel, int j, const float* sums) {
            const int c = first_channel + Tile::column(j);
            if (c < g.group_c) store_conv2d<kVec>(dx, pixel, group * g.group_c + c, sums, epilogue);
        });
}

static_assert(tiles_agree_with_launch("conv2d_dgrad_phased_gemm"));

}  // namespace

Outcome conv2d_dgrad_phased_gemm(const Conv2dGeometry& g, jcuconv_type type, const Conv2dConfig& config, const void* dy,
                                 const void* w, void* dx, const Conv2dEpilogue& epilogue, device::Stream stream) {
    const LaunchShape shape = conv2d_launch(g, JCUCONV_DGRAD, config);
    return with_conv2d_tile(type, config, [&]<class T, class Tile, int kVec>() {
        return launch("conv2d_dgrad_phased_gemm", conv2d_dgrad_phased_gemm_kernel<T, Tile, kVec>, grid_of(shape), shape.threads,
                      shape.shared_bytes, stream, g, static_cast<const T*>(dy), static_cast<const T*>(w),
                      static_cast<T*>(dx), epilogue);
    });
}

}  // namespace jcuconv
