// Convolution weight gradient on tensor cores: dw[k,r,s,c] = sum over n,p,q of dy[n,p,q,k] * x[n, p*u - pad + r*d, ..., c].
//
// Layouts    x NHWC, dy NPQK in the storage type (fp16, bf16, or fp32 as tf32 or in three terms); dw KRSC and workspace
//            [splits][k][r][s][c/groups] fp32. Channels at a pitch.
// Mapping    GEMM with rows = filters of `pack` neighbouring groups, columns = (r,s,c) of their channels, depth = output pixels (n,p,q),
//            cut into `splits` parts that run side by side and are added by add_split_sums in fixed order. Of the product of several
//            groups only the blocks on the diagonal are stored: a sum meets one filter and one channel, so nothing of another group gets
//            into it, not even an infinity. Grid: x column tiles, y filter tiles, z = pack of groups * splits + split.
// Limits     As fprop; vectors need k, c, those of a pack and both pitches divisible by 8 (fp32: 4). p*q < 2^30 and pixels per split < 2^30.
//            Packs * splits <= 65535.
// Resources  As fprop. Both operands lie depth by depth, so both pass the transposing ldmatrix. Cost: 2*n*p*q*k*r*s*c/groups FLOP; floor
//            max(bytes of x + dy + dw, FLOP over the mma.sync rate), plus 8 * splits bytes per element of dw. A pack multiplies 32 filters
//            by all its channels, 32/(k/groups) times the FLOP, as one group in a padded tile would, but loads vectors.
// Lost       Nothing yet: not measured. A tile of x with its halo, shared by all taps, would read x once instead of r*s times.
#include "kernels/common/grid.h"
#include "kernels/common/split_sums.h"
#include "kernels/conv2d/conv2d_mma_gemm.h"
#include "kernels/conv2d/conv2d_mma_sources.h"
#include "kernels/conv2d/conv2d_mma_tiles.h"
#include "kernels/conv2d/conv2d_pixel_range.h"

namespace jcuconv {

namespace {

// Rows: filters, neighbours in memory. Depth: pixels at a fixed distance.
template <class Operand>
struct GradientSource {
    using T = typename Operand::T;

    const T* first;  // pixel 0 of the split, this thread's first filter
    std::int64_t pitch;
    int left, depth, at = 0, chosen = 0;

    JCUCONV_DEVICE GradientSource(const T* dy, std::int64_t pixel_pitch, int first_filter, int filters, int pixels)
        : first(dy + first_filter + Operand::row()), pitch(pixel_pitch), left(filters - first_filter - Operand::row()), depth(pixels) {}

    JCUCONV_DEVICE const T* element(int slot) const {
        const int pixel = at + Operand::depth(slot);
        return chosen < left && pixel < depth ? first + pixel * pitch + chosen : nullptr;
    }
    JCUCONV_DEVICE const T* anywhere() const { return first - Operand::row(); }
    JCUCONV_DEVICE void select(int i) { chosen = i; }
    JCUCONV_DEVICE void step() { at += Operand::kDepth; }
};

// Rows: (r,s,c), neighbours in memory along c. Depth: pixels.
template <class Operand, bool kVector>
struct ColumnSource {
    using T = typename Operand::T;

    const Conv2dGeometry& g;
    const T* images;  // first image of the split, at the first channel
    int channels;     // per tap
    int depth;        // pixels of the split
    int q[Operand::kSlots], p[Operand::kSlots], image[Operand::kSlots];
    int first_tap, first_channel;
    int tap, channel, dh, dw;  // of the chosen element

    JCUCONV_DEVICE ColumnSource(const Conv2dGeometry& geometry, const PixelRange& range, const T* x, int all_channels, int first_column)
        : g(geometry), images(x + range.image * geometry.h * geometry.w * geometry.x_pitch), channels(all_channels), depth(range.count) {
        const int column = first_column + Operand::row();
        first_tap = column / channels, first_channel = column % channels;
        turn_to(first_tap, first_channel);
#pragma unroll
        for (int slot = 0; slot < Operand::kSlots; ++slot) {
            const int pixel = range.offset + Operand::depth(slot), line = pixel / g.q;
            q[slot] = pixel % g.q, p[slot] = line % g.p, image[slot] = line / g.p;
        }
        at = Operand::depth(0);
    }

    JCUCONV_DEVICE void turn_to(int new_tap, int new_channel) {
        tap = new_tap, channel = new_channel;
        dh = tap / g.s * g.dilation_h - g.pad_top, dw = tap % g.s * g.dilation_w - g.pad_left;
    }

    JCUCONV_DEVICE const T* element(int slot) const {
        const int h = p[slot] * g.stride_h + dh, w = q[slot] * g.stride_w + dw;
        const bool inside = tap < g.r * g.s && at + slot * Operand::kDepthsPerSlot < depth &&
                            static_cast<unsigned>(h) < static_cast<unsigned>(g.h) && static_cast<unsigned>(w) < static_cast<unsigned>(g.w);
        return inside ? images + ((std::int64_t{image[slot]} * g.h + h) * g.w + w) * g.x_pitch + channel : nullptr;
    }
    JCUCONV_DEVICE const T* anywhere() const { return images; }

    JCUCONV_DEVICE void select(int i) {
        if (i == 0) return turn_to(first_tap, first_channel);
        if (channel + 1 < channels) {
            ++channel;
        } else {
            turn_to(tap + 1, 0);
        }
    }

    JCUCONV_DEVICE void step() {
        at += Operand::kDepth;
#pragma unroll
        for (int slot = 0; slot < Operand::kSlots; ++slot) {
            q[slot] += Operand::kDepth;
            while (q[slot] >= g.q) {
                q[slot] -= g.q;
                if (++p[slot] == g.p) p[slot] = 0, ++image[slot];
            }
        }
    }

  private:
    int at;  // depth of slot 0
};

template <class Tile, bool kVector>
JCUCONV_KERNEL(kMmaThreads, kMmaBlocks<Tile, kVector>)
conv2d_wgrad_mma_gemm_kernel(const Conv2dGeometry g, int pack, int splits, std::int64_t split_pixels, const typename Tile::T* x,
                             const typename Tile::T* dy, float* result, bool accumulate, bool vectors_out) {
    if constexpr (!runs_mma_tile<Tile>()) {
        refuse("this architecture's tensor cores do not know the type, or lack the registers for the tile");
    } else {
        using OperandA = RowOperand<typename Tile::T, Tile::kRows>;
        using OperandB = RowOperand<typename Tile::T, Tile::kColumns>;
        const int group = static_cast<int>(block_index().z) / splits * pack, split = static_cast<int>(block_index().z) % splits;
        const int members = pack < g.groups - group ? pack : g.groups - group, filters = members * g.group_k, channels = members * g.group_c;
        const int first_column = static_cast<int>(block_index().x) * Tile::kColumns;
        const int first_filter = static_cast<int>(block_index().y) * Tile::kRows;
        const PixelRange range(g, split, split_pixels);
        const std::int64_t first_pixel = range.image * g.p * g.q + range.offset;

        auto& memory = shared<MmaShared<Tile, OperandA, OperandB>>();
        GradientSource<OperandA> gradients(dy + first_pixel * g.y_pitch + group * g.group_k, g.y_pitch, first_filter, filters,
                                           range.count);
        ColumnSource<OperandB, kVector> columns(g, range, x + group * g.group_c, channels, first_column);
        typename Tile::Sums sums;
        multiply_mma_tile<Tile, kVector>(memory, gradients, columns, Tile::slabs(range.count), sums);

        const int taps = g.r * g.s;
        float* out = result + (std::int64_t{split} * g.k + std::int64_t{group} * g.group_k) * taps * g.group_c;
        drain_mma_tile<Tile, 4>(memory, sums, [&](int row, int column, const float* drained) {
            const int filter = first_filter + row, first = first_column + column;
            if (filter >= filters) return;
            const int first_of_group = filter / g.group_k * g.group_c;
            // Null for columns past the last tap and for channels of another group than the filter's.
            const auto element = [&](int at) -> float* {
                const int tap = at / channels, channel = at % channels - first_of_group;
                if (tap >= taps || channel < 0 || channel >= g.group_c) return nullptr;
                return out + (std::int64_t{filter} * taps + tap) * g.group_c + channel;
            };
            float values[4];
            load_drained(drained, values);
            if (vectors_out) {
                if (float* to = element(first)) store_gradient<4>(to, values, accumulate);
            } else {
#pragma unroll
                for (int i = 0; i < 4; ++i)
                    if (float* to = element(first + i)) store_gradient<1>(to, values + i, accumulate);
            }
        });
    }
}

static_assert(mma_tiles_agree(JCUCONV_WGRAD, "conv2d_wgrad_mma_gemm"));

}  // namespace

Outcome conv2d_wgrad_mma_gemm(const Conv2dGeometry& g, jcuconv_type type, const Conv2dConfig& config, const void* x, const void* dy,
                              float* dw, bool accumulate, float* workspace, device::Stream stream) {
    const bool split = config.split.splits > 1;
    const LaunchShape shape = conv2d_launch(g, JCUCONV_WGRAD, config);
    JCUCONV_TRY(with_mma_tile<JCUCONV_WGRAD>(type, config, [&]<class Tile, bool kVector>() {
        using T = typename Tile::T;
        return launch("conv2d_wgrad_mma_gemm", conv2d_wgrad_mma_gemm_kernel<Tile, kVector>, grid_of(shape), shape.threads,
                      shape.shared_bytes, stream, g, config.pack, config.split.splits, config.split.split_pixels, static_cast<const T*>(x),
                      static_cast<const T*>(dy), split ? workspace : dw, !split && accumulate, config.vec_out > 1);
    }));
    return split ? add_split_sums(workspace, config.split.splits, g.filter_elements(), dw, accumulate, stream) : Outcome();
}

}  // namespace jcuconv
