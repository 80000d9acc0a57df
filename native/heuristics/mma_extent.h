// The tiles of the tensor-core kernels and how a block brings its operands in: numbers that launches are computed from.
#pragma once

#include "heuristics/conv2d_config.h"
#include "heuristics/conv2d_phases.h"

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

// The tile of the Hopper kernels: two warpgroups below each other, which wgmma's rows ask for, and a third that loads.
constexpr MmaExtent kWgmmaExtent{128, 128};
constexpr int kWgmmaThreads = 384;
constexpr int kWgmmaDepth = 64;  // of a slab: 128 bytes, what the widest swizzle permutes
constexpr int kWgmmaHalf = 64;   // rows of a tile's half, or columns: a warpgroup's, and 128 bytes where they are neighbours
constexpr int kWgmmaStages = 6;
constexpr int kWgmmaStageBytes = (kWgmmaExtent.rows + kWgmmaExtent.columns) * kWgmmaDepth * 2;
constexpr int kWgmmaSharedBytes = (kWgmmaStages * (kWgmmaStageBytes + 16) + 1023) / 1024 * 1024;  // with two mbarriers each

// Of the box of pixels that an im2col load walks over, W first: exactly p * q of them, whatever padding is left over.
struct Im2colCorners {
    int lower[2], upper[2];
};
constexpr Im2colCorners im2col_corners(const Conv2dGeometry& g) {
    return {{-g.pad_left, -g.pad_top}, {(g.q - 1) * g.stride_w - g.pad_left + 1 - g.w, (g.p - 1) * g.stride_h - g.pad_top + 1 - g.h}};
}

// Columns of wgrad: each tap's channels in whole halves of a tile.
constexpr std::int64_t wgmma_columns(const Conv2dGeometry& g) {
    return std::int64_t{g.r} * g.s * ((g.c + kWgmmaHalf - 1) / kWgmmaHalf) * kWgmmaHalf;
}

// The phases of dgrad that one launch takes: each has a tensor map of its own among the kernel's parameters.
constexpr int kWgmmaPhases = 4;

// Where the pixels of a phase of dgrad meet its last tap, which of all its taps lies lowest in dy: exactly as many positions as pixels.
inline Im2colCorners phase_corners(const Conv2dGeometry& g, const Phase& phase) {
    const PhaseAxis &rows = phase.rows, &columns = phase.columns;
    const int w = columns.lowest(g.pad_left, g.stride_w, g.dilation_w), h = rows.lowest(g.pad_top, g.stride_h, g.dilation_h);
    return {{w, h}, {w + columns.count - g.q, h + rows.count - g.p}};
}

constexpr int mma_shared_bytes(MmaExtent tile) { return kMmaStages * kMmaSlabBytes * (tile.rows + tile.columns); }

}  // namespace jcuconv
