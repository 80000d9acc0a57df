// How the tensor-core convolutions of small groups cut their problem, and what lies where in a block's shared memory.
//
// A block takes `pack` neighbouring groups and, one after the other, some tiles of tile_h x tile_w outputs. Of a tile it loads every
// position of the images that a window meets, once: the slab.
#pragma once

#include "core/conv2d_geometry.h"
#include "jcuconv/problem.h"

namespace jcuconv {

constexpr int kGroupedThreads = 128;
constexpr int kGroupedChannels = 32;             // of a position in the slab, in 64 bytes; also most outputs per pixel of a block
constexpr int kGroupedRows = 64;                 // outputs that a warp takes at a time
constexpr int kGroupedTile = 2 * kGroupedRows;   // outputs of a tile, at most
constexpr int kGroupedSharedBytes = 48 * 1024;   // what every architecture gives unasked

struct GroupedLayout {
    int pack = 0;  // 0: no tile fits
    int tile_h = 0, tile_w = 0, tiles_per_block = 0;
    // The slab holds the position at row i, column j of its rectangle at
    // (i % move_h * plane_h + i / move_h) * pitch + j % move_w * plane_w + j / move_w: what neighbouring outputs meet are neighbours then.
    int plane_h = 0, plane_w = 0, pitch = 0;
    int steps = 0;      // of two taps each
    int chunks = 0;     // of eight channels, over which a group stretches at most
    int out_pitch = 0;  // floats between the outputs of two pixels
    int offsets_at = 0, filters_at = 0, out_at = 0;  // bytes; the slab lies first
    double cost = 0;    // instructions of a warp, about, for all outputs of a group

    bool operator==(const GroupedLayout&) const = default;
};

// The best layout of fprop or dgrad; without one, or where a group has more channels than a slab, pack is 0.
GroupedLayout grouped_layout(const Conv2dGeometry& g, jcuconv_pass pass);

// Tiles of the largest phase.
std::int64_t grouped_tiles(const Conv2dGeometry& g, jcuconv_pass pass, const GroupedLayout& layout);

}  // namespace jcuconv
