// Convolution data gradient on tensor cores: dx[n,h,w,c] = sum over the taps (r,s) that met (h,w), and over k, of dy[n,p,q,k] * w[k,r,s,c].
// Also the forward pass of the transposed convolution, hence the epilogue.
//
// Layouts    dy NPQK, w KRSC, dx NHWC in the storage type (fp16, bf16, or fp32 as tf32 or in three terms). Channels at a pitch.
// Mapping    The rows h with the same remainder of h + pad by the stride ("phase") meet the same taps, so each of the u_h * u_w phases is
//            a dense GEMM: rows = pixels of the phase, columns = channels of a group, depth = (tap of the phase, k), k fastest. Seen from
//            a pixel of a phase, its taps lie in dy at a fixed distance, backwards: the patches of fprop with a negative step.
//            Grid: x pixel tiles, y channel tiles, z = group * phases + phase; all phases run in one launch.
// Limits     As fprop; vectors need both k/groups and c/groups, and y_pitch, divisible by 8 (fp32: 4).
// Resources  As fprop. Cost: 2*n*p*q*k*r*s*c/groups FLOP; floor max(bytes of dy + w + dx, FLOP over the mma.sync rate).
// Lost       Transposing w first: a launch and its workspace for what ldmatrix does on the way to the registers. (4-byte elements are
//            read one by one instead, at four times the instructions; there is no transposing ldmatrix for them.)
#include "heuristics/conv2d_phases.h"
#include "kernels/common/grid.h"
#include "kernels/conv2d/conv2d_mma_gemm.h"
#include "kernels/conv2d/conv2d_mma_sources.h"
#include "kernels/conv2d/conv2d_mma_tiles.h"

namespace jcuconv {

namespace {

// Neighbours along the channels c, which are the rows of the operand; depth (tap of the phase, k).
template <class Operand, bool kVector>
struct TapSource {
    using T = typename Operand::T;

    const Conv2dGeometry& g;
    const PhaseAxis &vertical, &horizontal;
    const T* filters;  // at this thread's first channel
    int left;          // channels from there on
    int chosen = 0;
    int k[Operand::kSlots], tap_h[Operand::kSlots], tap_w[Operand::kSlots];

    JCUCONV_DEVICE TapSource(const Conv2dGeometry& geometry, const PhaseAxis& rows, const PhaseAxis& columns, const T* w, int first_channel)
        : g(geometry), vertical(rows), horizontal(columns), filters(w + first_channel + Operand::row()),
          left(geometry.group_c - first_channel - Operand::row()) {
#pragma unroll
        for (int slot = 0; slot < Operand::kSlots; ++slot) {
            k[slot] = Operand::depth(slot), tap_h[slot] = tap_w[slot] = 0;
            wrap(slot);
        }
    }

    JCUCONV_DEVICE void wrap(int slot) {
        while (k[slot] >= g.group_k) {
            k[slot] -= g.group_k;
            if (++tap_w[slot] == horizontal.tap_count) tap_w[slot] = 0, ++tap_h[slot];
        }
    }

    JCUCONV_DEVICE const T* element(int slot) const {
        if (chosen >= left || tap_h[slot] >= vertical.tap_count) return nullptr;
        const int r = vertical.tap_first + tap_h[slot] * vertical.tap_step, s = horizontal.tap_first + tap_w[slot] * horizontal.tap_step;
        return filters + ((std::int64_t{k[slot]} * g.r + r) * g.s + s) * g.group_c + chosen;
    }
    JCUCONV_DEVICE const T* anywhere() const { return filters - Operand::row(); }
    JCUCONV_DEVICE void select(int i) { chosen = i; }

    JCUCONV_DEVICE void step() {
#pragma unroll
        for (int slot = 0; slot < Operand::kSlots; ++slot) {
            k[slot] += Operand::kDepth;
            wrap(slot);
        }
    }
};

template <class Tile, bool kVector>
JCUCONV_KERNEL(kMmaThreads, kMmaBlocks<Tile, kVector>)
conv2d_dgrad_mma_gemm_kernel(const Conv2dGeometry g, const typename Tile::T* dy, const typename Tile::T* w, typename Tile::T* dx,
                             bool vectors_out, const Conv2dEpilogue epilogue) {
    if constexpr (!runs_mma_tile<Tile>()) {
        refuse("this architecture's tensor cores do not know the type, or lack the registers for the tile");
    } else {
        using OperandA = DepthOperand<typename Tile::T, Tile::kRows>;
        using OperandB = RowOperand<typename Tile::T, Tile::kColumns>;
        const int phases = g.stride_h * g.stride_w;
        const int group = static_cast<int>(block_index().z) / phases, index = static_cast<int>(block_index().z) % phases;
        const Phase phase(g, index);
        const PhaseAxis &rows = phase.rows, &columns = phase.columns;
        const std::int64_t pixels = std::int64_t{g.n} * rows.count * columns.count;
        const std::int64_t first_pixel = std::int64_t{block_index().x} * Tile::kRows;
        if (first_pixel >= pixels) return;  // the whole block: no thread is left waiting at a barrier
        const int first_channel = static_cast<int>(block_index().y) * Tile::kColumns;

        auto& memory = shared<MmaShared<Tile, OperandA, OperandB>>();
        const PatchWindow window{g.p, g.q, g.group_k, rows.tap_count, columns.tap_count, rows.output_step(g.stride_h, g.dilation_h),
                                 columns.output_step(g.stride_w, g.dilation_w), g.y_pitch};
        PatchSource<OperandA, kVector> gradients(window, dy + group * g.group_k, [&](int row) -> Patch {
            const std::int64_t pixel = first_pixel + row, line = pixel / columns.count;
            if (pixel >= pixels) return {-1, 0, 0};
            return {line / rows.count * g.p * g.q,
                    rows.output(static_cast<int>(line % rows.count), g.pad_top, g.stride_h, g.dilation_h),
                    columns.output(static_cast<int>(pixel % columns.count), g.pad_left, g.stride_w, g.dilation_w)};
        });
        TapSource<OperandB, kVector> taps(g, rows, columns, w + std::int64_t{group} * g.group_k * g.r * g.s * g.group_c, first_channel);
        const int depth = rows.tap_count * columns.tap_count * g.group_k;
        typename Tile::Sums sums;
        multiply_mma_tile<Tile, kVector>(memory, gradients, taps, Tile::slabs(depth), sums);

        store_mma_pixels<Tile>(
            memory, sums,
            [&](int row) { return first_pixel + row < pixels ? phase.element(g, first_pixel + row) : -1; },
            first_channel, g.group_c, group * g.group_c, vectors_out, dx, epilogue);
    }
}

static_assert(mma_tiles_agree(JCUCONV_DGRAD, "conv2d_dgrad_mma_gemm"));

}  // namespace

Outcome conv2d_dgrad_mma_gemm(const Conv2dGeometry& g, jcuconv_type type, const Conv2dConfig& config, const void* dy, const void* w,
                              void* dx, const Conv2dEpilogue& epilogue, device::Stream stream) {
    const LaunchShape shape = conv2d_launch(g, JCUCONV_DGRAD, config);
    return with_mma_tile<JCUCONV_DGRAD>(type, config, [&]<class Tile, bool kVector>() {
        using T = typename Tile::T;
        return launch("conv2d_dgrad_mma_gemm", conv2d_dgrad_mma_gemm_kernel<Tile, kVector>, grid_of(shape), shape.threads,
                      shape.shared_bytes, stream, g, static_cast<const T*>(dy), static_cast<const T*>(w), static_cast<T*>(dx),
                      config.vec_out > 1, epilogue);
    });
}

}  // namespace jcuconv
