#include "heuristics/pixel_split.h"

#include <algorithm>
#include <limits>

#include "core/arithmetic.h"
#include "heuristics/architecture.h"

namespace jcuconv {

namespace {

constexpr std::int64_t kMaxSplitPixels = std::int64_t{1} << 29;  // a part counts its pixels in 32 bits
constexpr std::int64_t kSplitUnit = 16;                          // parts start at multiples of this many

}  // namespace

PixelSplit choose_split(const Reduction& r, std::size_t workspace_limit, int blocks) {
    const auto part_bytes = static_cast<std::size_t>(r.elements) * sizeof(float);
    const std::int64_t wanted = ceil_div<std::int64_t>(blocks * kReferenceMultiprocessors, r.parallel);
    const std::int64_t useful = std::max<std::int64_t>(1, r.pixels / r.least);
    const auto affordable = static_cast<std::int64_t>(std::min<std::size_t>(workspace_limit / part_bytes, kMaxGridYz));
    const std::int64_t splits = std::max({std::int64_t{1}, std::min({wanted, useful, affordable, kMaxGridYz / r.batch}),
                                          ceil_div(r.pixels, kMaxSplitPixels)});
    PixelSplit split;
    split.split_pixels = round_up<std::int64_t>(ceil_div(r.pixels, splits), std::min(kSplitUnit, r.least));
    split.splits = static_cast<int>(ceil_div(r.pixels, split.split_pixels));
    split.workspace_bytes = split.splits > 1 ? static_cast<std::size_t>(split.splits) * part_bytes : 0;
    return split;
}

PixelSplit choose_waves(const Reduction& r, double block_cost, double part_cost, std::size_t workspace_limit) {
    const auto part_bytes = static_cast<std::size_t>(r.elements) * sizeof(float);
    const auto affordable = static_cast<std::int64_t>(std::min<std::size_t>(workspace_limit / part_bytes, kMaxGridYz));
    const std::int64_t most = std::min({r.pixels / r.least, affordable, std::int64_t{2 * kReferenceMultiprocessors}});
    PixelSplit best;
    double best_time = std::numeric_limits<double>::infinity();
    for (std::int64_t wanted = 1; wanted <= std::max<std::int64_t>(most, 1); ++wanted) {
        const std::int64_t part = ceil_div(r.pixels, wanted), parts = ceil_div(r.pixels, part);
        const std::int64_t waves = ceil_div<std::int64_t>(parts * r.parallel, kReferenceMultiprocessors);
        const double time = double(waves) * (double(part) + block_cost) + (parts > 1 ? double(parts) * part_cost : 0);
        if (time < best_time) {
            best_time = time;
            best = {static_cast<int>(parts), part, parts > 1 ? static_cast<std::size_t>(parts) * part_bytes : 0};
        }
    }
    return best;
}

PixelSplit choose_column_sums(std::int64_t pixels, int channels, std::size_t workspace_limit) {
    constexpr int kBlockChannels = 32;
    return choose_split({pixels, kMinSplitPixels, ceil_div(channels, kBlockChannels), 1, channels}, workspace_limit);
}

PixelSplit choose_moment_sums(std::int64_t pixels, int channels, int block_channels, std::size_t workspace_limit) {
    return choose_split({pixels, kMinSplitPixels, ceil_div(channels, block_channels), 1, 2 * std::int64_t{channels}},
                        workspace_limit);
}

}  // namespace jcuconv
