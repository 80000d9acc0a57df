// The tile shapes shared by the three implicit-GEMM passes, and the table that turns a configuration into an instantiation.
#pragma once

#include "heuristics/architecture.h"
#include "heuristics/conv2d_launch.h"
#include "heuristics/kernel_budget.h"
#include "kernels/common/gemm_tile.h"

namespace jcuconv {

// Registers decide: 8 x 8 sums per thread reuse each shared value eight times, which the FFMA pipe needs to be the limit.
using LargeTile = GemmTile<128, 128, 8, 8, 8>;
// For layers that do not fill a GPU with 128 x 128 tiles.
using MediumTile = GemmTile<64, 64, 16, 4, 4>;
// For few filters or few pixels: less of the tile is padding.
using SmallTile = GemmTile<32, 32, 16, 4, 4>;

// heuristics/ computes launches from these numbers without seeing the kernels.
template <class Tile>
constexpr bool agrees_with_launch(Conv2dTile tile, std::string_view kernel) {
    return Tile::kRows == tile_extent(tile) && Tile::kColumns == tile_extent(tile) && Tile::kDepth == tile_depth(tile) &&
           sizeof(typename Tile::Shared) == gemm_shared_bytes(tile_extent(tile), tile_depth(tile)) &&
           Tile::kThreads == kernel_budget(kernel, tile_extent(tile)).threads;
}
constexpr bool tiles_agree_with_launch(std::string_view kernel) {
    return agrees_with_launch<LargeTile>(Conv2dTile::kLarge, kernel) &&
           agrees_with_launch<MediumTile>(Conv2dTile::kMedium, kernel) &&
           agrees_with_launch<SmallTile>(Conv2dTile::kSmall, kernel);
}

constexpr bool pointwise_tiles_agree_with_launch(std::string_view kernel) {
    return agrees_with_launch<LargeTile>(Conv2dTile::kLarge, kernel) &&
           agrees_with_launch<MediumTile>(Conv2dTile::kMedium, kernel);
}

// Blocks that a kernel promises to fit on a multiprocessor side by side: as many as the registers of its budget leave room for.
// Without a promise ptxas aims at a round number of registers, another one on each architecture, and spills to reach it.
template <class Tile>
constexpr int blocks_side_by_side(std::string_view kernel) {
    return kRegisters / (Tile::kThreads * kernel_budget(kernel, Tile::kRows).registers);
}

// Calls f.template operator()<T>() for the storage type.
template <class F>
Outcome with_storage_type(jcuconv_type type, F f) {
    switch (type) {
        case JCUCONV_F16: return f.template operator()<f16>();
        case JCUCONV_BF16: return f.template operator()<bf16>();
        default: return f.template operator()<float>();
    }
}

// Calls f.template operator()<T, Tile, kVec>() for the run-time configuration.
template <class F>
Outcome with_conv2d_tile(jcuconv_type type, const Conv2dConfig& config, F f) {
    return with_storage_type(type, [&]<class T>() -> Outcome {
        const auto with_vec = [&]<class Tile>() -> Outcome {
            return config.vec == 4 ? f.template operator()<T, Tile, 4>() : f.template operator()<T, Tile, 1>();
        };
        switch (config.tile) {
            case Conv2dTile::kLarge: return with_vec.template operator()<LargeTile>();
            case Conv2dTile::kMedium: return with_vec.template operator()<MediumTile>();
            default: return with_vec.template operator()<SmallTile>();
        }
    });
}

// The same for the kernels of 1x1 windows.
template <class F>
Outcome with_pointwise_tile(jcuconv_type type, const Conv2dConfig& config, F f) {
    return with_storage_type(type, [&]<class T>() -> Outcome {
        return config.tile == Conv2dTile::kLarge ? f.template operator()<T, LargeTile, 4>() : f.template operator()<T, MediumTile, 4>();
    });
}

}  // namespace jcuconv
