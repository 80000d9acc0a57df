// How a reduction over pixels is cut into parts that run side by side.
#pragma once

#include <cstddef>
#include <cstdint>

namespace jcuconv {

// The GPU that choices are made for, whatever the one at hand: bits must not depend on the device.
constexpr int kReferenceMultiprocessors = 132;

// A reduction cut into parts whose results are added in order. splits > 1 needs workspace.
struct PixelSplit {
    int splits = 1;
    std::int64_t split_pixels = 0;  // of a part; tiles or strips of pixels where a kernel counts in those
    std::size_t workspace_bytes = 0;

    bool operator==(const PixelSplit&) const = default;
};

struct Reduction {
    std::int64_t pixels;    // or tiles, or strips
    std::int64_t least;     // of them in a part, below which a part costs more to add up than it saves
    std::int64_t parallel;  // blocks that one part already gives
    std::int64_t batch;     // places along z of the grid that one part takes
    std::int64_t elements;  // of the result
};

constexpr std::int64_t kMinSplitPixels = 256;

constexpr int kSplitBlocks = 2;  // per multiprocessor

// Enough parts for so many blocks per multiprocessor, as far as the workspace and the grid allow; with 0 as few as there can be.
PixelSplit choose_split(const Reduction& reduction, std::size_t workspace_limit, int blocks = kSplitBlocks);

// For kernels of which a multiprocessor holds one block: as many parts as take the least time in whole waves of blocks, as far as the workspace
// and the grid allow. What a block costs beside its pixels, and what a part costs those who add, count in pixels too.
PixelSplit choose_waves(const Reduction& reduction, double block_cost, double part_cost, std::size_t workspace_limit);

// For the kernels that sum channels over pixels.
PixelSplit choose_column_sums(std::int64_t pixels, int channels, std::size_t workspace_limit);

// For the kernels of batch normalization, which form two numbers per channel in blocks of `block_channels`.
PixelSplit choose_moment_sums(std::int64_t pixels, int channels, int block_channels, std::size_t workspace_limit);

}  // namespace jcuconv
