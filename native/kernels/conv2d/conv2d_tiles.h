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

// Calls f.template operator()<T, Tile, kVec>() for the run-time configuration. fp16 never comes here; bf16 does on sm_75 alone, and one tile
// has to do.
template <class F>
Outcome with_conv2d_tile(jcuconv_type type, const Conv2dConfig& config, F f) {
    const auto with_vec = [&]<class T, class Tile>() -> Outcome {
        return config.vec == 4 ? f.template operator()<T, Tile, 4>() : f.template operator()<T, Tile, 1>();
    };
    if (type == JCUCONV_BF16) return with_vec.template operator()<bf16, MediumTile>();
    switch (config.tile) {
        case Conv2dTile::kLarge: return with_vec.template operator()<float, LargeTile>();
        case Conv2dTile::kMedium: return with_vec.template operator()<float, MediumTile>();
        default: return with_vec.template operator()<float, SmallTile>();
    }
}

constexpr int kPointwiseVec = 4;

// Calls f.template operator()<Tile>() for the kernels of 1x1 windows, which are for fp32.
template <class F>
Outcome with_pointwise_tile(const Conv2dConfig& config, F f) {
    return config.tile == Conv2dTile::kLarge ? f.template operator()<LargeTile>() : f.template operator()<MediumTile>();
}

}  // namespace jcuconv
