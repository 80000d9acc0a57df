#include "heuristics/conv2d_config.h"

#include <algorithm>
#include <limits>

#include "core/arithmetic.h"
#include "core/types.h"

namespace jcuconv {

namespace {

// The GPU that choices are made for, whatever the one at hand: bits must not depend on the device.
constexpr int kReferenceMultiprocessors = 132;
// Below this a part of a reduction costs more to add up than it saves.
constexpr std::int64_t kMinSplitPixels = 256;
constexpr std::int64_t kMaxSplitPixels = std::int64_t{1} << 29;  // a split counts its pixels in 32 bits
constexpr std::int64_t kMaxGridZ = 65535;

struct GemmSize {
    std::int64_t rows, columns, batch;
};

GemmSize gemm_size(const Conv2dGeometry& g, jcuconv_pass pass) {
    switch (pass) {
        case JCUCONV_DGRAD:
            return {std::int64_t{g.n} * ceil_div(g.h, g.stride_h) * ceil_div(g.w, g.stride_w), g.group_c,
                    std::int64_t{g.groups} * g.stride_h * g.stride_w};
        case JCUCONV_WGRAD: return {g.group_k, std::int64_t{g.r} * g.s * g.group_c, g.groups};
        default: return {g.pixels_out(), g.group_k, g.groups};
    }
}

struct TileRow {
    Conv2dTile tile;
    double rate;  // part of the FFMA peak that the inner loop can reach: shared-memory reads per product decide
};
// Estimates from reads per FMA (1/8, 1/4, 1/4) and threads per block, until a GPU was measured.
constexpr TileRow kTiles[] = {{Conv2dTile::kLarge, 0.80}, {Conv2dTile::kMedium, 0.55}, {Conv2dTile::kSmall, 0.35}};

std::int64_t blocks(const GemmSize& size, Conv2dTile tile) {
    const std::int64_t t = tile_extent(tile);
    return ceil_div(size.rows, t) * ceil_div(size.columns, t) * size.batch;
}

// Smallest time: whole waves of blocks times the work of a block. A reduction can be split, so it fills any device.
Conv2dTile choose_tile(const GemmSize& size, bool can_split) {
    Conv2dTile best = Conv2dTile::kSmall;
    double best_time = std::numeric_limits<double>::infinity();
    for (const TileRow& row : kTiles) {
        const auto count = static_cast<double>(blocks(size, row.tile));
        const double waves = can_split ? count / kReferenceMultiprocessors
                                       : static_cast<double>(ceil_div<std::int64_t>(blocks(size, row.tile), kReferenceMultiprocessors));
        const double time = waves * tile_extent(row.tile) * tile_extent(row.tile) / row.rate;
        if (time < best_time) {
            best = row.tile;
            best_time = time;
        }
    }
    return best;
}

// `parallel`: blocks that one split already gives; `batch`: grid slots that one split takes; `elements`: of the result.
PixelSplit choose_split(std::int64_t pixels, std::int64_t parallel, std::int64_t batch, std::int64_t elements,
                        std::size_t workspace_limit) {
    const auto part_bytes = static_cast<std::size_t>(elements) * sizeof(float);
    const std::int64_t wanted = ceil_div<std::int64_t>(2 * kReferenceMultiprocessors, parallel);
    const std::int64_t useful = std::max<std::int64_t>(1, pixels / kMinSplitPixels);
    const auto affordable = static_cast<std::int64_t>(std::min<std::size_t>(workspace_limit / part_bytes, kMaxGridZ));
    const std::int64_t splits = std::max({std::int64_t{1}, std::min({wanted, useful, affordable, kMaxGridZ / batch}),
                                          ceil_div(pixels, kMaxSplitPixels)});
    PixelSplit split;
    split.split_pixels = round_up<std::int64_t>(ceil_div(pixels, splits), 16);
    split.splits = static_cast<int>(ceil_div(pixels, split.split_pixels));
    split.workspace_bytes = split.splits > 1 ? static_cast<std::size_t>(split.splits) * part_bytes : 0;
    return split;
}

}  // namespace

Conv2dConfig choose_conv2d(const Conv2dGeometry& g, jcuconv_type type, jcuconv_pass pass, int alignment,
                           std::size_t workspace_limit) {
    Conv2dConfig config;
    constexpr std::int64_t kMaxItems = std::int64_t{INT32_MAX} * 256;  // threads of a grid
    constexpr int kMaxTaps = 9 * 65535;                                // of depthwise_wgrad
    // With one channel per group a GEMM tile would be one column wide and 31 columns idle. A single channel is left to the
    // GEMM, and so are several filters per channel.
    const bool depthwise = g.groups > 1 && g.group_c == 1 && g.group_k == 1 && std::int64_t{g.r} * g.s <= kMaxTaps &&
                           std::max(g.pixels_in(), g.pixels_out()) <= kMaxItems / g.c;
    const bool whole_channels = depthwise ? g.c % 4 == 0 : g.group_c % 4 == 0 && g.group_k % 4 == 0;
    const bool whole_vectors = whole_channels && g.x_pitch % 4 == 0 && g.y_pitch % 4 == 0;
    config.vec = whole_vectors && alignment >= 4 * static_cast<int>(size_of(type)) ? 4 : 1;
    if (depthwise) {
        config.algorithm = Conv2dAlgorithm::kDepthwise;
        constexpr int kBlockChannels = 32;
        if (pass == JCUCONV_WGRAD)
            config.split = choose_split(g.pixels_out(), ceil_div(g.c, kBlockChannels), 1, g.filter_elements(), workspace_limit);
        return config;
    }
    const GemmSize size = gemm_size(g, pass);
    config.tile = choose_tile(size, pass == JCUCONV_WGRAD);
    if (pass == JCUCONV_WGRAD)
        config.split = choose_split(g.pixels_out(), blocks(size, config.tile), g.groups, g.filter_elements(), workspace_limit);
    return config;
}

PixelSplit choose_column_sums(std::int64_t pixels, int channels, std::size_t workspace_limit) {
    constexpr int kBlockChannels = 32;
    return choose_split(pixels, ceil_div(channels, kBlockChannels), 1, channels, workspace_limit);
}

std::string describe(const Conv2dConfig& config) {
    const auto extent = std::to_string(tile_extent(config.tile));
    const bool gemm = config.algorithm == Conv2dAlgorithm::kImplicitGemm;
    return (gemm ? "implicit_gemm tile " + extent + "x" + extent : std::string("depthwise")) + " vec " + std::to_string(config.vec) + " splits " +
           std::to_string(config.split.splits) + " workspace " + std::to_string(config.split.workspace_bytes);
}

}  // namespace jcuconv
