// The tiles of the tensor-core kernels and how a block brings its operands in: numbers that launches are computed from.
#pragma once

#include "heuristics/conv2d_config.h"

namespace jcuconv {

constexpr int kMmaThreads = 128;   // of a block
constexpr int kMmaSlabBytes = 64;  // of the depth, per row and stage: two steps of mma
constexpr int kMmaStages = 3;      // so many that 48 KB, which every architecture gives unasked, hold a tile of 128 x 128

struct MmaExtent {
    int rows, columns;
};

// Filters are the columns of the product, in wgrad its rows: the smallest tile is narrow in that direction.
constexpr MmaExtent mma_extent(Conv2dTile tile, jcuconv_pass pass) {
    if (tile == Conv2dTile::kLarge) return {128, 128};
    if (tile == Conv2dTile::kMedium) return {64, 64};
    return pass == JCUCONV_WGRAD ? MmaExtent{32, 128} : MmaExtent{128, 32};
}

constexpr int mma_shared_bytes(MmaExtent tile) { return kMmaStages * kMmaSlabBytes * (tile.rows + tile.columns); }

}  // namespace jcuconv
