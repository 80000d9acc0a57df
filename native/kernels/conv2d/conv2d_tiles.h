// The tile shapes shared by the three implicit-GEMM passes, and the table that turns a configuration into an instantiation.
#pragma once

#include "heuristics/conv2d_config.h"
#include "kernels/common/gemm_tile.h"

namespace jcuconv {

// Registers decide: 8 x 8 sums per thread reuse each shared value eight times, which the FFMA pipe needs to be the limit.
using LargeTile = GemmTile<128, 128, 8, 8, 8>;
// For layers that do not fill a GPU with 128 x 128 tiles.
using MediumTile = GemmTile<64, 64, 16, 4, 4>;
// For few filters or few pixels: less of the tile is padding.
using SmallTile = GemmTile<32, 32, 16, 4, 4>;

static_assert(LargeTile::kRows == tile_extent(Conv2dTile::kLarge) && LargeTile::kColumns == LargeTile::kRows);
static_assert(MediumTile::kRows == tile_extent(Conv2dTile::kMedium) && MediumTile::kColumns == MediumTile::kRows);
static_assert(SmallTile::kRows == tile_extent(Conv2dTile::kSmall) && SmallTile::kColumns == SmallTile::kRows);

// Calls f.template operator()<T, Tile, kVec>() for the run-time configuration.
template <class F>
Outcome with_conv2d_tile(jcuconv_type type, const Conv2dConfig& config, F f) {
    const auto with_type = [&]<class T>() -> Outcome {
        const auto with_vec = [&]<class Tile>() -> Outcome {
            return config.vec == 4 ? f.template operator()<T, Tile, 4>() : f.template operator()<T, Tile, 1>();
        };
        switch (config.tile) {
            case Conv2dTile::kLarge: return with_vec.template operator()<LargeTile>();
            case Conv2dTile::kMedium: return with_vec.template operator()<MediumTile>();
            default: return with_vec.template operator()<SmallTile>();
        }
    };
    switch (type) {
        case JCUCONV_F16: return with_type.template operator()<f16>();
        case JCUCONV_BF16: return with_type.template operator()<bf16>();
        default: return with_type.template operator()<float>();
    }
}

}  // namespace jcuconv
