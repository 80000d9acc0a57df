#include "heuristics/conv2d_estimate.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/arithmetic.h"
#include "core/types.h"
#include "heuristics/architecture.h"
#include "heuristics/conv2d_launch.h"

namespace jcuconv {

namespace {

double ceiling_of(const Conv2dConfig& config, jcuconv_type type, const Ceilings& c) {
    if (config.algorithm == Conv2dAlgorithm::kWgmmaGemm) return c.wgmma_flop_per_us;
    if (config.algorithm != Conv2dAlgorithm::kMmaGemm && config.algorithm != Conv2dAlgorithm::kGroupedMma) return c.ffma_flop_per_us;
    if (type != JCUCONV_F32) return c.mma_flop_per_us;
    return c.mma_flop_per_us / (config.math == JCUCONV_MATH_TF32X3 ? 6 : 2);
}

// FLOP with what the tiles multiply beyond the matrix. Depthwise kernels pad nothing that counts.
double padded_flop(const Conv2dTask& t, const Conv2dConfig& config, const LaunchShape& shape) {
    const Conv2dGeometry& g = t.g;
    if (config.algorithm == Conv2dAlgorithm::kDepthwise) return 2.0 * static_cast<double>(g.pixels_out()) * g.k * g.r * g.s;
    if (config.algorithm == Conv2dAlgorithm::kGroupedMma) {
        const GroupedLayout& l = config.layout;
        const int columns = 8 * ceil_div(t.pass == JCUCONV_FPROP ? g.group_k : g.group_c, 8), rows = round_up(l.tile_h * l.tile_w, kGroupedRows);
        return 2.0 * static_cast<double>(grouped_tiles(g, t.pass, l) * shape.grid_z) * rows * g.groups * columns * l.chunks * l.steps * 16;
    }
    const int square = tile_extent(config.tile);
    const bool mma = config.algorithm == Conv2dAlgorithm::kMmaGemm, wgmma = config.algorithm == Conv2dAlgorithm::kWgmmaGemm;
    const MmaExtent tile = wgmma ? kWgmmaExtent : mma ? mma_extent(config.tile, t.pass) : MmaExtent{square, square};
    const int slab = wgmma ? kWgmmaDepth : mma ? kMmaSlabBytes / static_cast<int>(size_of(t.type)) : tile_depth(config.tile);
    // The channels of one tap; the slabs of wgmma never reach into the next one's.
    const auto of_tap = [&](int channels) { return double(wgmma ? round_up(channels, slab) : channels); };
    double depth = double(g.r) * g.s * of_tap(g.group_c);
    if (t.pass == JCUCONV_DGRAD) depth = std::ceil(double(g.r) / g.stride_h) * std::ceil(double(g.s) / g.stride_w) * of_tap(g.group_k);
    if (t.pass == JCUCONV_WGRAD)
        depth = double(config.split.split_pixels > 0 ? config.split.split_pixels * (wgmma ? slab : 1) : g.pixels_out());
    depth = std::ceil(depth / slab) * slab;
    return 2.0 * static_cast<double>(shape.grid_x * shape.grid_y * shape.grid_z) * tile.rows * tile.columns * depth;
}

}  // namespace

Conv2dEstimate estimate_conv2d(const Conv2dTask& t, const Conv2dConfig& config, const Ceilings& ceilings) {
    const Conv2dGeometry& g = t.g;
    const double size = size_of(t.type), filters = static_cast<double>(g.filter_elements());
    const double images = static_cast<double>(g.pixels_in()) * g.c * size +
                          static_cast<double>(g.pixels_stored()) * g.k * static_cast<double>(output_size(t));
    const LaunchShape shape = conv2d_launch(g, t.pass, config);
    const double peak = ceiling_of(config, t.type, ceilings);
    Conv2dEstimate e;
    e.flop = 2.0 * static_cast<double>(g.pixels_out()) * filters;
    e.bytes = images + filters * (t.pass == JCUCONV_WGRAD ? 4 : size);
    const double parts = config.split.splits > 1 ? 8.0 * config.split.splits * filters : 0;
    const double memory = e.bytes / ceilings.bytes_per_us;
    e.floor_us = std::max(memory, e.flop / peak);
    e.memory_bound = memory > e.flop / peak;
    const Architecture* hopper = std::find_if(std::begin(kArchitectures), std::end(kArchitectures), [](const Architecture& a) { return a.number == 90; });
    const int resident = std::max(1, resident_blocks(*hopper, shape)) * ceilings.multiprocessors;
    e.waves = static_cast<double>(shape.grid_x * shape.grid_y * shape.grid_z) / resident;
    // A last wave that is not full keeps the others waiting.
    const double idle = e.waves > 0 ? std::ceil(e.waves) / e.waves : 1;
    const double math = padded_flop(t, config, shape) * std::min(idle, static_cast<double>(resident)) / (peak * inner_loop_rate(config));
    constexpr double kCopyRate = 0.9;  // of the measured copies, for streams that are read once
    e.bytes += parts;
    e.expected_us = std::max(e.bytes / (ceilings.bytes_per_us * kCopyRate), math);
    return e;
}

std::string describe(const Conv2dEstimate& estimate) {
    char text[128];
    std::snprintf(text, sizeof text, "an H200 should take %.1f us, %.0f %% of its roofline (%s)", estimate.expected_us,
                  100 * estimate.part(), estimate.memory_bound ? "memory" : "math");
    return text;
}

}  // namespace jcuconv
