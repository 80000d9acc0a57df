#include "heuristics/conv2d_config.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "core/arithmetic.h"
#include "core/types.h"
#include "heuristics/architecture.h"
#include "heuristics/mma_extent.h"

namespace jcuconv {

namespace {

struct GemmSize {
    std::int64_t rows, columns, batch;
};

// `pack`: groups that wgrad multiplies together.
GemmSize gemm_size(const Conv2dGeometry& g, jcuconv_pass pass, int pack = 1) {
    switch (pass) {
        case JCUCONV_DGRAD:
            return {std::int64_t{g.n} * ceil_div(g.h, g.stride_h) * ceil_div(g.w, g.stride_w), g.group_c,
                    std::int64_t{g.groups} * g.stride_h * g.stride_w};
        case JCUCONV_WGRAD: return {std::int64_t{pack} * g.group_k, std::int64_t{pack} * g.r * g.s * g.group_c, ceil_div(g.groups, pack)};
        default: return {g.pixels_out(), g.group_k, g.groups};
    }
}

struct TileRow {
    Conv2dTile tile;
    double rate;  // part of the FFMA peak that the inner loop can reach: shared-memory reads per product decide
};
// Estimates from reads per FMA (1/8, 1/4, 1/4) and threads per block, until a GPU was measured.
constexpr TileRow kTiles[] = {{Conv2dTile::kLarge, 0.80}, {Conv2dTile::kMedium, 0.55}, {Conv2dTile::kSmall, 0.35}};

// Of the mma.sync peak; estimates from shared-memory reads per product and from warps per scheduler, likewise.
constexpr TileRow kMmaTiles[] = {{Conv2dTile::kLarge, 0.85}, {Conv2dTile::kMedium, 0.50}, {Conv2dTile::kSmall, 0.50}};
// Of wgmma's: its tile loads a byte into shared memory for 64 FLOP, and nothing is stored under the next tile's loads. An estimate too.
constexpr double kWgmmaRate = 0.70;

// Where operands wait in registers there is no large tile, for fp32 as scalars the medium one alone: kernels/conv2d/conv2d_mma_tiles.h.
constexpr std::span<const TileRow> kMmaTilesInRegisters = std::span(kMmaTiles).subspan(1), kMmaTilesOfScalars = kMmaTilesInRegisters.first(1);

std::int64_t blocks(const GemmSize& size, MmaExtent tile) {
    return ceil_div<std::int64_t>(size.rows, tile.rows) * ceil_div<std::int64_t>(size.columns, tile.columns) * size.batch;
}

MmaExtent square(Conv2dTile tile, jcuconv_pass) { return {tile_extent(tile), tile_extent(tile)}; }

// Smallest time: whole waves of blocks times the work of a block. A reduction can be split, so it fills any device.
Conv2dTile choose_tile(const GemmSize& size, jcuconv_pass pass, std::span<const TileRow> rows = kTiles,
                       MmaExtent (*extent)(Conv2dTile, jcuconv_pass) = square) {
    Conv2dTile best = Conv2dTile::kSmall;
    double best_time = std::numeric_limits<double>::infinity();
    for (const TileRow& row : rows) {
        const MmaExtent tile = extent(row.tile, pass);
        const auto count = static_cast<double>(blocks(size, tile));
        const bool can_split = pass == JCUCONV_WGRAD;
        const double waves = can_split ? count / kReferenceMultiprocessors : std::ceil(count / kReferenceMultiprocessors);
        const double time = waves * tile.rows * tile.columns / row.rate;
        if (time < best_time) {
            best = row.tile;
            best_time = time;
        }
    }
    return best;
}

// Four elements per access, where pitches and alignment allow it and `channels` (of a group) are whole vectors.
int vector_of(const Conv2dTask& t, bool whole_channels) {
    const bool whole = whole_channels && t.g.x_pitch % 4 == 0 && t.g.y_pitch % 4 == 0;
    return whole && t.alignment >= 4 * static_cast<int>(output_size(t)) ? 4 : 1;
}

// How a reduction over pixels is cut; what no wgrad is stays whole.
PixelSplit split_of(const Conv2dTask& t, const Conv2dConfig& config, int per_multiprocessor = kSplitBlocks) {
    constexpr int kDepthwiseChannels = 32;  // of a block
    if (t.pass != JCUCONV_WGRAD) return {};
    const bool depthwise = config.algorithm == Conv2dAlgorithm::kDepthwise, wgmma = config.algorithm == Conv2dAlgorithm::kWgmmaGemm;
    GemmSize size = gemm_size(t.g, t.pass, config.pack);
    if (wgmma) size.columns = wgmma_columns(t.g);
    const MmaExtent tile = wgmma                                                ? kWgmmaExtent
                           : config.algorithm == Conv2dAlgorithm::kMmaGemm ? mma_extent(config.tile, t.pass)
                                                                           : square(config.tile, t.pass);
    const std::int64_t parallel = depthwise ? ceil_div(t.g.c, kDepthwiseChannels) : blocks(size, tile);
    const std::int64_t least = wgmma ? kMinSplitPixels / kWgmmaDepth : kMinSplitPixels;
    return choose_split({reduction_size(t.g, config), least, parallel, depthwise ? 1 : size.batch, t.g.filter_elements()},
                        t.workspace_limit, per_multiprocessor);
}

Conv2dConfig gemm(Conv2dAlgorithm algorithm, const Conv2dTask& t) {
    Conv2dConfig config;
    config.algorithm = algorithm;
    config.vec = vector_of(t, t.g.group_c % 4 == 0 && t.g.group_k % 4 == 0);
    // bf16 meets this kernel on one architecture only: one tile is compiled for it.
    config.tile = t.type == JCUCONV_F32 ? choose_tile(gemm_size(t.g, t.pass), t.pass) : Conv2dTile::kMedium;
    config.split = split_of(t, config);
    return config;
}

// Elements in 16 bytes of what fprop on tensor cores stores, 1 where these do not fit.
int fprop_stores(const Conv2dTask& t) {
    const int chunk = 16 / static_cast<int>(output_size(t));
    return t.alignment >= 16 && t.g.group_k % chunk == 0 && t.g.y_pitch % chunk == 0 ? chunk : 1;
}

// A warp drains 16 rows of sums at a time, and a thread of the exact product owns 4 neighbours: more rows of a window never meet.
constexpr int kMostPooledLog2 = 4, kMostPooledExactLog2 = 2;
constexpr const char* kStoresSums = "it stores sums, not the maximum of a window of them";

// All tensor cores since sm_75, the first architecture there is code for, take fp16; from sm_80 on bf16 and tf32. fp32 goes there only if
// the caller asks.
const char* mma_refuses(const Conv2dTask& t) {
    if (t.g.pool_log2 > kMostPooledLog2) return "a max-pool of more than 16 sums";
    if (t.type == JCUCONV_F16) return nullptr;
    if (t.type == JCUCONV_F32 && t.math == JCUCONV_MATH_EXACT) return "exact fp32 is asked for";
    return t.architecture >= 80 ? nullptr : "tensor cores before sm_80 take fp16 alone";
}

// Groups of few filters that wgrad multiplies together: as many as fill the rows of its narrowest tile, if possible such that their
// channels and filters are whole vectors. fp32 multiplies group by group.
int wgrad_pack(const Conv2dTask& t) {
    constexpr int kChunk = 8, kRows = mma_extent(Conv2dTile::kSmall, JCUCONV_WGRAD).rows;
    const Conv2dGeometry& g = t.g;
    if (t.pass != JCUCONV_WGRAD || t.type == JCUCONV_F32) return 1;
    const int most = std::clamp(kRows / g.group_k, 1, g.groups);
    for (int pack = most; pack > 0; --pack)
        if (std::int64_t{pack} * g.group_c % kChunk == 0 && pack * g.group_k % kChunk == 0) return pack;
    return most;
}

std::span<const TileRow> mma_tiles(const Conv2dTask& t, const Conv2dConfig& config) {
    if (config.vec == 1 && t.type == JCUCONV_F32) return kMmaTilesOfScalars;
    const bool in_registers = config.vec == 1 || t.architecture < 80 || config.math == JCUCONV_MATH_TF32X3 ||
                              (t.type == JCUCONV_F32 && t.pass == JCUCONV_WGRAD);
    return in_registers ? kMmaTilesInRegisters : std::span<const TileRow>(kMmaTiles);
}

Conv2dConfig mma_gemm(const Conv2dTask& t) {
    const Conv2dGeometry& g = t.g;
    const int chunk = 16 / static_cast<int>(size_of(t.type));
    const auto whole = [&](std::int64_t extent) { return extent % chunk == 0; };
    Conv2dConfig config;
    config.algorithm = Conv2dAlgorithm::kMmaGemm;
    config.pack = wgrad_pack(t);
    const bool aligned = t.alignment >= 16;
    // A last pack of fewer groups ends with the pixel's channels.
    const bool input = whole(std::int64_t{config.pack} * g.group_c) && whole(g.c) && whole(g.x_pitch);
    const bool output = whole(std::int64_t{config.pack} * g.group_k) && whole(g.k) && whole(g.y_pitch);
    config.math = t.type == JCUCONV_F32 ? t.math : JCUCONV_MATH_EXACT;
    // fprop loads channels c of x and of w, dgrad channels k of dy and c of w, wgrad k of dy and c of x.
    const bool loads = t.pass == JCUCONV_FPROP ? input : t.pass == JCUCONV_DGRAD ? output && whole(g.group_c) : input && output;
    config.vec = aligned && loads ? chunk : 1;
    // wgrad stores four fp32 elements, whatever the storage type.
    const bool stores = t.pass == JCUCONV_DGRAD ? input : g.group_c % 4 == 0;
    config.vec_out = t.pass == JCUCONV_FPROP ? fprop_stores(t) : aligned && stores ? (t.pass == JCUCONV_WGRAD ? 4 : chunk) : 1;
    config.tile = choose_tile(gemm_size(g, t.pass, config.pack), t.pass, mma_tiles(t, config), mma_extent);
    config.split = split_of(t, config);
    return config;
}

// Of the multiplications at the tensor cores' rate: clearing registers and addresses cost more. An estimate.
constexpr double kGroupedRate = 0.45;

// Groups of few channels: vectors of x (or dy) across the groups, filters in pairs, and a tile that fits into shared memory.
const char* grouped_refuses(const Conv2dTask& t) {
    const Conv2dGeometry& g = t.g;
    const bool forward = t.pass == JCUCONV_FPROP;
    if (g.groups == 1) return "a single group";
    if (t.y_f32) return "an fp32 output of 16-bit operands";
    if (g.pool_log2 > 0) return kStoresSums;
    if (t.type == JCUCONV_F32) return "fp32";
    if (t.pass == JCUCONV_WGRAD) return "the weight gradient";
    if (const char* why = mma_refuses(t)) return why;
    if (std::max(g.group_c, g.group_k) > kGroupedChannels) return "groups of more than 32 channels";
    if (t.alignment < 16) return "tensors not aligned to 16 bytes";
    if ((forward ? g.c : g.k) % 8 != 0 || (forward ? g.x_pitch : g.y_pitch) % 8 != 0) return "channels are no multiple of 8";
    if ((forward ? g.group_k : g.group_c) % 2 != 0) return "an odd number of channels per group";
    const GroupedLayout layout = grouped_layout(g, t.pass);
    if (layout.pack == 0) return "a window that does not fit into shared memory";
    const bool fits = ceil_div(g.groups, layout.pack) <= kMaxGridYz && std::int64_t{g.stride_h} * g.stride_w <= kMaxGridYz &&
                      ceil_div<std::int64_t>(grouped_tiles(g, t.pass, layout), layout.tiles_per_block) <= kMaxGridX;
    return fits ? nullptr : "more groups or tiles than a grid";
}

// Where a group fills most of a tile of 32 columns, or a slab alone.
const char* grouped_declines(const Conv2dTask& t) {
    if ((t.pass == JCUCONV_FPROP ? t.g.group_k : t.g.group_c) > 16) return "a group fills most of a tile";
    return grouped_layout(t.g, t.pass).pack > 1 ? nullptr : "no two groups fit into a slab";
}

Conv2dConfig grouped(const Conv2dTask& t) {
    const Conv2dGeometry& g = t.g;
    const bool forward = t.pass == JCUCONV_FPROP;
    Conv2dConfig config;
    config.algorithm = Conv2dAlgorithm::kGroupedMma;
    config.layout = grouped_layout(g, t.pass);
    config.pack = config.layout.pack;
    config.vec = 8;
    const std::int64_t pitch = forward ? g.y_pitch : g.x_pitch;
    config.vec_out = (forward ? g.k : g.c) % 8 == 0 && config.pack * (forward ? g.group_k : g.group_c) % 8 == 0 && pitch % 8 == 0 ? 8 : 1;
    return config;
}

bool fit(const Im2colCorners& corners) {
    constexpr int kMostCorner = 127;
    for (const int corner : {corners.lower[0], corners.lower[1], corners.upper[0], corners.upper[1]})
        if (corner < -kMostCorner - 1 || corner > kMostCorner) return false;
    return true;
}

bool phases_fit(const Conv2dGeometry& g) {
    for (int index = 0; index < g.stride_h * g.stride_w; ++index) {
        const Phase phase(g, index);
        if (!phase.rows.idle() && !phase.columns.idle() && !fit(phase_corners(g, phase))) return false;
    }
    return true;
}

// TMA and wgmma: 16 bits, one group, what a tensor map can say.
const char* wgmma_refuses(const Conv2dTask& t) {
    constexpr int kMostTraversal = 8, kMostOffset = 255;
    constexpr std::int64_t kMostStride = std::int64_t{1} << 40;
    const Conv2dGeometry& g = t.g;
    if (t.architecture != 90) return "no sm_90";
    if (g.pool_log2 > 0) return kStoresSums;
    if (t.type == JCUCONV_F32) return "fp32";
    if (g.groups != 1) return "groups";
    if (t.alignment < 16) return "tensors not aligned to 16 bytes";
    const bool dgrad = t.pass == JCUCONV_DGRAD, wgrad = t.pass == JCUCONV_WGRAD;
    // What is loaded: x but in dgrad, dy but in fprop, w but in wgrad.
    const bool in_eights = (dgrad || g.x_pitch % 8 == 0) && (t.pass == JCUCONV_FPROP || g.y_pitch % 8 == 0) && (wgrad || g.c % 8 == 0);
    if (!in_eights) return "channels are no multiple of 8";
    if (dgrad && std::int64_t{g.stride_h} * g.stride_w > kWgmmaPhases) return "more than 4 phases";
    if (g.stride_h > kMostTraversal || g.stride_w > kMostTraversal) return "strides above 8";
    const auto image_fits = [](std::int64_t h, std::int64_t w, std::int64_t pitch) { return h * w <= kMostStride / (2 * pitch) - 1; };
    const bool fits = (g.r - 1) * g.dilation_h <= kMostOffset && (g.s - 1) * g.dilation_w <= kMostOffset &&
                      (dgrad || image_fits(g.h, g.w, g.x_pitch)) && (t.pass == JCUCONV_FPROP || image_fits(g.p, g.q, g.y_pitch)) &&
                      (wgrad || std::int64_t{g.r} * g.s * g.c < kMostStride / 2);
    if (!fits) return "a window or an image beyond what a tensor map can say";
    return (dgrad ? phases_fit(g) : fit(im2col_corners(g))) ? nullptr : "padding beyond what a tensor map can say";
}

std::int64_t wgmma_blocks(const Conv2dTask& t) {
    GemmSize size = gemm_size(t.g, t.pass);
    if (t.pass == JCUCONV_WGRAD) size.columns = wgmma_columns(t.g);
    return blocks(size, kWgmmaExtent);
}

Conv2dConfig wgmma_gemm(const Conv2dTask& t) {
    const Conv2dGeometry& g = t.g;
    Conv2dConfig config;
    config.algorithm = Conv2dAlgorithm::kWgmmaGemm;
    config.tile = Conv2dTile::kLarge;
    config.vec = 8;
    if (t.pass == JCUCONV_FPROP) config.vec_out = fprop_stores(t);
    if (t.pass == JCUCONV_DGRAD) config.vec_out = g.x_pitch % 8 == 0 ? 8 : 1;
    if (t.pass == JCUCONV_WGRAD) {
        // In slabs, of half a microsecond each: filling the stages and storing the tile, and reading four bytes of each element. Estimates.
        constexpr double kBlockSlabs = 6, kSlabsPerElement = 2e-6;
        constexpr std::int64_t kLeastSlabs = kMinSplitPixels / kWgmmaDepth;
        config.vec_out = g.c % 4 == 0 ? 4 : 1;
        config.split = choose_waves({reduction_size(g, config), kLeastSlabs, wgmma_blocks(t), 1, g.filter_elements()}, kBlockSlabs,
                                    kSlabsPerElement * double(g.filter_elements()), t.workspace_limit);
    }
    return config;
}

// With its one tile: where little of it is padding and it fills half the GPU at least.
const char* wgmma_declines(const Conv2dTask& t) {
    const Conv2dGeometry& g = t.g;
    const auto wasted = [](std::int64_t used, std::int64_t extent, int unit) { return 3 * round_up<std::int64_t>(extent, unit) > 4 * used; };
    const bool dgrad = t.pass == JCUCONV_DGRAD, wgrad = t.pass == JCUCONV_WGRAD;
    const std::int64_t used = wgrad ? std::int64_t{g.r} * g.s * g.c : dgrad ? g.c : g.k, depth = dgrad ? g.k : g.c;
    if (wgrad && wasted(g.k, g.k, kWgmmaExtent.rows)) return "more than a quarter of the tiles' rows would be padding";
    if (wasted(used, wgrad ? wgmma_columns(g) : used, kWgmmaExtent.columns)) return "more than a quarter of the tiles' columns would be padding";
    if (!wgrad && wasted(depth, depth, kWgmmaDepth)) return "more than a quarter of the tiles' depth would be padding";
    return 2 * wgmma_blocks(t) * wgmma_gemm(t).split.splits >= kReferenceMultiprocessors ? nullptr : "too few tiles for half of a GPU";
}

constexpr std::int64_t kMaxItems = kMaxGridX * 256;  // threads of a grid

const char* never(const Conv2dTask&) { return nullptr; }

// FMA kernels are compiled for what no tensor core computes: fp32, and bf16 where it has none.
const char* fma_refuses(const Conv2dTask& t) {
    if (t.g.pool_log2 > kMostPooledExactLog2) return "a max-pool of more than 4 sums";
    return t.type == JCUCONV_F32 || (t.type == JCUCONV_BF16 && t.architecture < 80) ? nullptr : "16 bits, for which tensor cores are";
}

Conv2dConfig implicit_gemm(const Conv2dTask& t) { return gemm(Conv2dAlgorithm::kImplicitGemm, t); }

const char* depthwise_refuses(const Conv2dTask& t) {
    constexpr std::int64_t kMaxTaps = 9 * kMaxGridYz;  // of depthwise_wgrad
    if (t.g.group_c != 1 || t.g.group_k != 1) return "groups of more than one channel";
    if (t.g.pool_log2 > 0) return kStoresSums;
    const bool fits = std::int64_t{t.g.r} * t.g.s <= kMaxTaps && std::max(t.g.pixels_in(), t.g.pixels_out()) <= kMaxItems / t.g.c;
    return fits ? nullptr : "more taps or pixels than a grid has threads";
}

// With one channel per group a GEMM tile would be one column wide and 31 columns idle. A single channel is left to the GEMM.
const char* depthwise_declines(const Conv2dTask& t) { return t.g.groups > 1 ? nullptr : "a single group"; }

Conv2dConfig depthwise(const Conv2dTask& t) {
    Conv2dConfig config;
    config.algorithm = Conv2dAlgorithm::kDepthwise;
    config.vec = vector_of(t, t.g.c % 4 == 0);
    config.split = split_of(t, config);
    return config;
}

// A 1x1 window that visits every pixel once: y is a matrix product of x and w as they lie in memory.
const char* pointwise_refuses(const Conv2dTask& t) {
    const Conv2dGeometry& g = t.g;
    const bool every_pixel_once = g.r == 1 && g.s == 1 && g.p == g.h && g.q == g.w && g.stride_h == 1 && g.stride_w == 1 &&
                                  g.pad_top == 0 && g.pad_left == 0;
    if (t.type != JCUCONV_F32) return "16 bits, for which tensor cores are";
    if (g.pool_log2 > 0) return kStoresSums;
    if (!every_pixel_once) return "no 1x1 window over every pixel";
    return vector_of(t, g.group_c % 4 == 0 && g.group_k % 4 == 0) == 4 ? nullptr : "no vectors of four: channels, pitches or alignment";
}

Conv2dConfig pointwise(const Conv2dTask& t) {
    Conv2dConfig config = gemm(Conv2dAlgorithm::kPointwise, t);
    if (config.tile == Conv2dTile::kSmall) config.tile = Conv2dTile::kMedium;
    config.split = split_of(t, config);
    return config;
}

// Where a small tile is the best one there is little work, and the general kernel has that tile.
const char* pointwise_declines(const Conv2dTask& t) {
    return choose_tile(gemm_size(t.g, t.pass), t.pass) != Conv2dTile::kSmall ? nullptr : "so little work that small tiles are better";
}

// What a row is compiled for; empty if nothing about it is open.
std::span<const TileRow> tiles_of(const Conv2dTask& t, const Conv2dConfig& config) {
    switch (config.algorithm) {
        case Conv2dAlgorithm::kImplicitGemm: return t.type == JCUCONV_F32 ? std::span(kTiles) : std::span(kTiles).subspan(1, 1);
        case Conv2dAlgorithm::kPointwise: return std::span(kTiles).first(2);
        case Conv2dAlgorithm::kMmaGemm: return mma_tiles(t, config);
        case Conv2dAlgorithm::kWgmmaGemm: return std::span(kTiles).first(1);  // its only one
        case Conv2dAlgorithm::kDepthwise: return std::span(kTiles).last(1);   // it has none: what Conv2dConfig begins with
        default: return {};
    }
}

struct Row {
    Conv2dAlgorithm algorithm;
    const char* name;
    const char* (*refuses)(const Conv2dTask&);   // why it cannot do it, null if it can
    const char* (*declines)(const Conv2dTask&);  // why a later row does it better, null if none does; asked only if it can
    Conv2dConfig (*configure)(const Conv2dTask&);
};

// Best first; one of the last row and the tensor cores' takes any task, but for the size of a max-pool's windows.
constexpr Row kRows[] = {
    {Conv2dAlgorithm::kDepthwise, "depthwise", depthwise_refuses, depthwise_declines, depthwise},
    {Conv2dAlgorithm::kGroupedMma, "grouped_mma", grouped_refuses, grouped_declines, grouped},
    {Conv2dAlgorithm::kWgmmaGemm, "wgmma_gemm", wgmma_refuses, wgmma_declines, wgmma_gemm},
    {Conv2dAlgorithm::kMmaGemm, "mma_gemm", mma_refuses, never, mma_gemm},
    {Conv2dAlgorithm::kPointwise, "pointwise", pointwise_refuses, pointwise_declines, pointwise},
    {Conv2dAlgorithm::kImplicitGemm, "implicit_gemm", fma_refuses, never, implicit_gemm},
};
static_assert(std::size(kRows) == std::size(kConv2dAlgorithms));

const Row& row_of(Conv2dAlgorithm algorithm) {
    for (const Row& row : kRows)
        if (row.algorithm == algorithm) return row;
    return kRows[std::size(kRows) - 1];
}

}  // namespace

bool conv2d_legal(Conv2dAlgorithm algorithm, const Conv2dTask& task) { return row_of(algorithm).refuses(task) == nullptr; }

Conv2dConfig configure_conv2d(Conv2dAlgorithm algorithm, const Conv2dTask& task) { return row_of(algorithm).configure(task); }

Conv2dConfig choose_conv2d(const Conv2dTask& task) {
    for (const Row& row : kRows)
        if (row.refuses(task) == nullptr && row.declines(task) == nullptr) return row.configure(task);
    return implicit_gemm(task);
}

std::vector<Conv2dConfig> conv2d_choices(const Conv2dTask& task) {
    constexpr int kBlocks[] = {0, 1, kSplitBlocks, 4};  // per multiprocessor
    std::vector<Conv2dConfig> choices;
    const auto add = [&](const Conv2dConfig& config) {
        // As many parts of another length are no other choice.
        const auto alike = [&](const Conv2dConfig& c) {
            return c.algorithm == config.algorithm && c.tile == config.tile && c.split.splits == config.split.splits;
        };
        if (std::none_of(choices.begin(), choices.end(), alike)) choices.push_back(config);
    };
    for (const Row& row : kRows) {
        if (row.refuses(task) != nullptr) continue;
        Conv2dConfig config = row.configure(task);
        add(config);
        for (const TileRow& tile : tiles_of(task, config)) {
            config.tile = tile.tile;
            for (const int per_multiprocessor : kBlocks) {
                config.split = split_of(task, config, per_multiprocessor);
                add(config);
            }
        }
    }
    return choices;
}

std::string explain_conv2d(const Conv2dTask& task) {
    std::string passed;
    for (const Row& row : kRows) {
        const char* refusal = row.refuses(task);
        const char* why = refusal != nullptr ? refusal : row.declines(task);
        if (why == nullptr) break;
        passed += (passed.empty() ? "" : "; ") + std::string("not ") + row.name + ": " + why;
    }
    return passed;
}

std::int64_t reduction_size(const Conv2dGeometry& g, const Conv2dConfig& config) {
    return config.algorithm == Conv2dAlgorithm::kWgmmaGemm ? ceil_div<std::int64_t>(g.pixels_out(), kWgmmaDepth) : g.pixels_out();
}

const char* name_of(Conv2dAlgorithm algorithm) { return row_of(algorithm).name; }

double inner_loop_rate(const Conv2dConfig& config) {
    if (config.algorithm == Conv2dAlgorithm::kDepthwise) return 1;
    if (config.algorithm == Conv2dAlgorithm::kWgmmaGemm) return kWgmmaRate;
    if (config.algorithm == Conv2dAlgorithm::kGroupedMma) return kGroupedRate;
    for (const TileRow& row : std::span<const TileRow>(config.algorithm == Conv2dAlgorithm::kMmaGemm ? kMmaTiles : kTiles))
        if (row.tile == config.tile) return row.rate;
    return 1;
}

std::string describe(const Conv2dConfig& config) {
    std::string text = name_of(config.algorithm);
    const auto extent = std::to_string(tile_extent(config.tile));
    if (config.algorithm == Conv2dAlgorithm::kMmaGemm) {
        constexpr const char* kMath[] = {"", " tf32", " tf32x3"};
        text += kMath[config.math] + std::string(" tile ") + (config.tile == Conv2dTile::kSmall ? "128x32" : extent + "x" + extent);
    } else if (config.algorithm != Conv2dAlgorithm::kDepthwise && config.algorithm != Conv2dAlgorithm::kGroupedMma) {
        text += " tile " + extent + "x" + extent;
    }
    if (config.pack > 1) text += " pack " + std::to_string(config.pack);
    return text + " vec " + std::to_string(config.vec) + " splits " + std::to_string(config.split.splits) + " workspace " +
           std::to_string(config.split.workspace_bytes);
}

}  // namespace jcuconv
