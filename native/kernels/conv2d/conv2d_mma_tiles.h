// The tiles of the tensor-core convolutions, and the table that turns a configuration into an instantiation.
#pragma once

#include "heuristics/conv2d_launch.h"
#include "heuristics/kernel_budget.h"
#include "kernels/common/mma_tile.h"
#include "kernels/conv2d/conv2d_epilogue.h"
#include "kernels/conv2d/conv2d_output_rows.h"

namespace jcuconv {

// A warp of 64 x 64 reads 4 KiB of shared memory for 131,072 FLOP, one of 64 x 32 a half more per FLOP: on sm_90 that already is the limit.
template <class Math>
using LargeMmaTile = MmaTile<Math, 128, 128, 64, 64>;
// For layers that do not fill a GPU with 128 x 128 tiles; also where the three-term product would need too many registers.
template <class Math>
using MediumMmaTile = MmaTile<Math, 64, 64, 32, 32>;
// For few filters: less of the tile is padding.
template <class Math>
using NarrowMmaTile = MmaTile<Math, 128, 32, 32, 32>;
// The same in wgrad, where filters are the rows.
template <class Math>
using FlatMmaTile = MmaTile<Math, 32, 128, 32, 32>;

// Blocks that must fit on a multiprocessor side by side: registers for a warp of 64 x 64 sums, or of 32 x 32; scalars and split operands wait
// in registers too.
template <class Tile, bool kVector>
constexpr int kMmaBlocks = Tile::kWarpRows == 64 || !kVector ? 2 : 3;

// Whether this architecture can run the kernel; heuristics/ chooses no other. Where copies go through registers, a large tile does not fit.
template <class Tile>
JCUCONV_DEVICE constexpr bool runs_mma_tile() {
    return has_mma<typename Tile::Math::Unit>() && (has_cp_async() || Tile::kWarpRows < 64);
}

template <class Tile>
constexpr bool mma_tile_agrees(Conv2dTile tile, jcuconv_pass pass, std::string_view kernel) {
    const MmaExtent extent = mma_extent(tile, pass);
    return Tile::kRows == extent.rows && Tile::kColumns == extent.columns &&
           Tile::kThreads == kernel_budget(kernel, tile_extent(tile)).threads;
}

constexpr bool mma_tiles_agree(jcuconv_pass pass, std::string_view kernel) {
    const bool small = pass == JCUCONV_WGRAD ? mma_tile_agrees<FlatMmaTile<MathF16>>(Conv2dTile::kSmall, pass, kernel)
                                             : mma_tile_agrees<NarrowMmaTile<MathF16>>(Conv2dTile::kSmall, pass, kernel);
    return small && mma_tile_agrees<LargeMmaTile<MathF16>>(Conv2dTile::kLarge, pass, kernel) &&
           mma_tile_agrees<MediumMmaTile<MathF16>>(Conv2dTile::kMedium, pass, kernel);
}

// Calls f.template operator()<Tile, kVector>() for the run-time configuration. Where operands wait in registers, as scalars, in two parts or
// because 4-byte elements have no transposing ldmatrix, they do not fit beside the sums of a large tile. fp32 with odd channel counts is rare
// on tensor cores: the medium tile serves it alone.
template <jcuconv_pass kPass, class F>
Outcome with_mma_tile(jcuconv_type type, const Conv2dConfig& config, F f) {
    const auto with_math = [&]<class Math>() -> Outcome {
        constexpr bool kFloat = sizeof(typename Math::Storage) == 4;
        const auto with_vector = [&]<class Tile, bool kScalars = true>() -> Outcome {
            if constexpr (kScalars) {
                if (config.vec == 1) return f.template operator()<Tile, false>();
            }
            return f.template operator()<Tile, true>();
        };
        if constexpr (Math::kTerms == 1 && !(kPass == JCUCONV_WGRAD && kFloat)) {
            if (config.tile == Conv2dTile::kLarge) return f.template operator()<LargeMmaTile<Math>, true>();
        }
        if (config.tile != Conv2dTile::kSmall) return with_vector.template operator()<MediumMmaTile<Math>>();
        if constexpr (kPass == JCUCONV_WGRAD) {
            return with_vector.template operator()<FlatMmaTile<Math>, !kFloat>();
        } else {
            return with_vector.template operator()<NarrowMmaTile<Math>, !kFloat>();
        }
    };
    switch (type) {
        case JCUCONV_F16: return with_math.template operator()<MathF16>();
        case JCUCONV_BF16: return with_math.template operator()<MathBf16>();
        default:
            return config.math == JCUCONV_MATH_TF32 ? with_math.template operator()<MathTf32>()
                                                    : with_math.template operator()<MathTf32x3>();
    }
}

// Rows are pixels, columns channels of the output: locate(row) gives the element at which the pixel begins, negative for none. Of windows of
// 2^`pool` rows, at most 16, the maximum is stored, where the first one belongs (conv2d_output_rows.h).
template <class Tile, class Shared, class T, class Locate, class Sync = SyncBlock>
JCUCONV_DEVICE void store_mma_pixels(Shared& shared, const typename Tile::Sums& sums, Locate locate, int first_channel, int channels,
                                     int group_channel, bool vectors, T* out, const Conv2dEpilogue& epilogue, Sync sync = {}, int pool = 0) {
    constexpr int kOut = kMmaChunk<T>;
    drain_mma_tile<Tile, kOut>(shared, sums, [&](int row, int column, const float* drained) {
        const std::int64_t pixel = locate(row);
        const int channel = first_channel + column;
        if (pixel < 0 || channel >= channels) return;
        if (vectors) {
            float values[kOut], next[kOut];
            load_drained(drained, values);
#pragma unroll 1
            for (int other = 1; other < 1 << pool; ++other) {
                load_drained(drained + other * kDrainPitch<Tile>, next);
#pragma unroll
                for (int i = 0; i < kOut; ++i) values[i] = pooled(values[i], next[i]);
            }
            store_conv2d<kOut>(out, pixel, group_channel + channel, values, epilogue);
        } else {
#pragma unroll 1
            for (int i = 0; i < kOut && channel + i < channels; ++i) {
                float value = load_shared(drained + i);
#pragma unroll 1
                for (int other = 1; other < 1 << pool; ++other)
                    value = pooled(value, load_shared(drained + other * kDrainPitch<Tile> + i));
                store_conv2d<1>(out, pixel, group_channel + channel + i, &value, epilogue);
            }
        }
    }, sync, pool);
}

}  // namespace jcuconv
