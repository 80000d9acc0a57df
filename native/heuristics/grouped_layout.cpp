#include "heuristics/grouped_layout.h"

#include <algorithm>
#include <numeric>

#include "core/arithmetic.h"
#include "heuristics/pixel_split.h"

namespace jcuconv {

namespace {

constexpr int kChunk = 8, kPositionBytes = 2 * kGroupedChannels, kFragmentBytes = 256;

// One direction of the product: the outputs of a phase, how far the windows of neighbours lie apart, and the taps of a window.
struct Axis {
    int outputs, move, taps;
    std::int64_t step;

    // Positions that the windows of `tile` outputs stretch over.
    std::int64_t extent(int tile) const { return std::int64_t{tile - 1} * move + (taps - 1) * step + 1; }
};

Axis axis_of(jcuconv_pass pass, int outputs, int inputs, int taps, int stride, int dilation) {
    if (pass == JCUCONV_FPROP) return {outputs, stride, taps, dilation};
    const int period = stride / std::gcd(stride, dilation);  // taps of one phase
    return {ceil_div(inputs, stride), 1, ceil_div(taps, period), std::int64_t{period} * dilation / stride};
}

struct Problem {
    Axis vertical, horizontal;
    int in, out;  // channels per group
    std::int64_t phases;
};

Problem problem_of(const Conv2dGeometry& g, jcuconv_pass pass) {
    const bool forward = pass == JCUCONV_FPROP;
    return {axis_of(pass, g.p, g.h, g.r, g.stride_h, g.dilation_h), axis_of(pass, g.q, g.w, g.s, g.stride_w, g.dilation_w),
            forward ? g.group_c : g.group_k, forward ? g.group_k : g.group_c, forward ? 1 : std::int64_t{g.stride_h} * g.stride_w};
}

// Chunks that `channels` neighbours stretch over, whose first one is any multiple of `unit`.
int chunks_of(int channels, int unit) { return ceil_div(kChunk - std::gcd(unit, kChunk) + channels, kChunk); }

// The layout of a tile; pack is 0 if it does not fit.
GroupedLayout lay_out(const Problem& problem, int pack, int tile_h, int tile_w) {
    constexpr std::int64_t kMost = kGroupedSharedBytes;
    const Axis &v = problem.vertical, &h = problem.horizontal;
    GroupedLayout l;
    const std::int64_t taps = std::int64_t{v.taps} * h.taps;
    const std::int64_t plane_h = ceil_div<std::int64_t>(v.extent(tile_h), v.move), plane_w = ceil_div<std::int64_t>(h.extent(tile_w), h.move);
    if (taps > kMost || v.move * plane_h > kMost || h.move * plane_w > kMost) return l;
    // Output number i of the tile meets position i, modulo 8 and a constant: eight rows of ldmatrix lie in different banks.
    const std::int64_t pitch = h.move * plane_w + (8 + tile_w - h.move * plane_w % 8) % 8;
    const std::int64_t slab = v.move * plane_h * pitch * kPositionBytes;
    l.tile_h = tile_h, l.tile_w = tile_w;
    l.steps = static_cast<int>(ceil_div<std::int64_t>(taps, 2));
    l.chunks = chunks_of(problem.in, problem.in);
    const int column_tiles = pack * ceil_div(problem.out, 8);
    l.out_pitch = round_up(pack * problem.out, 16) + 8;  // pairs of four neighbouring rows share no bank
    const std::int64_t offsets = round_up<std::int64_t>(2 * l.steps * 4, 16);
    const std::int64_t filters = std::int64_t{column_tiles} * l.chunks * l.steps * kFragmentBytes;
    const int rows = round_up(tile_h * tile_w, kGroupedRows);
    if (slab + offsets + filters + std::int64_t{rows} * l.out_pitch * 4 > kMost) return l;
    l.pack = pack;
    l.plane_h = static_cast<int>(plane_h), l.plane_w = static_cast<int>(plane_w), l.pitch = static_cast<int>(pitch);
    l.offsets_at = static_cast<int>(slab);
    l.filters_at = static_cast<int>(slab + offsets);
    l.out_at = static_cast<int>(slab + offsets + filters);
    // Multiplying, loading, storing; counted by hand from the loops of the kernel.
    const double multiply = 18.0 * rows / kGroupedRows * ceil_div(column_tiles, 2) * l.chunks * l.steps;
    const double load = 0.8 * static_cast<double>(slab) / kPositionBytes, store = 0.06 * rows * pack * problem.out;
    const double tile_cost = multiply + load + store + 200;
    l.cost = tile_cost * ceil_div(v.outputs, tile_h) * ceil_div(h.outputs, tile_w) / pack;
    return l;
}

}  // namespace

GroupedLayout grouped_layout(const Conv2dGeometry& g, jcuconv_pass pass) {
    const Problem problem = problem_of(g, pass);
    const Axis &v = problem.vertical, &h = problem.horizontal;
    GroupedLayout best;
    for (int pack = std::min(g.groups, kGroupedChannels / std::max(problem.in, problem.out)); pack > 0; --pack) {
        if (chunks_of(pack * problem.in, pack * problem.in) * kChunk > kGroupedChannels) continue;
        // Tiles of equal parts; narrower than 4 they would load more of their rims than of themselves.
        for (int most_w = std::min(h.outputs, kGroupedTile); most_w > 0; most_w = most_w > 4 ? most_w - 1 : 0) {
            const int tile_w = ceil_div(h.outputs, ceil_div(h.outputs, most_w));
            most_w = tile_w;
            for (int most_h = std::min(v.outputs, kGroupedTile / tile_w); most_h > 0; --most_h) {
                const int tile_h = ceil_div(v.outputs, ceil_div(v.outputs, most_h));
                most_h = tile_h;
                const GroupedLayout layout = lay_out(problem, pack, tile_h, tile_w);
                if (layout.pack > 0 && (best.pack == 0 || layout.cost < best.cost)) best = layout;
                if (layout.pack > 0) break;  // a lower tile of this width has more rim
            }
        }
        if (best.pack > 0 && 2 * pack <= best.pack) break;  // few groups of a slab that is loaded anyway
    }
    if (best.pack == 0) return best;
    // So many that the filters are arranged rarely, so few that the blocks of most problems fill the GPU twice, four on a multiprocessor.
    constexpr std::int64_t kMost = 64, kBlocks = 8 * kReferenceMultiprocessors;
    const std::int64_t tiles = grouped_tiles(g, pass, best) * ceil_div(g.groups, best.pack) * problem.phases;
    best.tiles_per_block = static_cast<int>(std::clamp<std::int64_t>(ceil_div(tiles, kBlocks), 1, kMost));
    return best;
}

std::int64_t grouped_tiles(const Conv2dGeometry& g, jcuconv_pass pass, const GroupedLayout& layout) {
    const Problem problem = problem_of(g, pass);
    return std::int64_t{g.n} * ceil_div(problem.vertical.outputs, layout.tile_h) * ceil_div(problem.horizontal.outputs, layout.tile_w);
}

}  // namespace jcuconv
