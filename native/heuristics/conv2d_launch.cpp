#include "heuristics/conv2d_launch.h"

#include "core/arithmetic.h"
#include "heuristics/kernel_budget.h"

namespace jcuconv {

namespace {

LaunchShape launch_of(const KernelBudget& budget) {
    LaunchShape shape;
    shape.threads = budget.threads;
    shape.registers = budget.registers;
    return shape;
}

LaunchShape items(std::string_view kernel, std::int64_t count) {
    LaunchShape shape = launch_of(kernel_budget(kernel));
    shape.grid_x = ceil_div<std::int64_t>(count, shape.threads);
    return shape;
}

LaunchShape gemm(const Conv2dGeometry& g, jcuconv_pass pass, const Conv2dConfig& config) {
    constexpr std::string_view kGeneral[] = {"conv2d_fprop_implicit_gemm", "conv2d_dgrad_phased_gemm", "conv2d_wgrad_split_gemm"};
    constexpr std::string_view kPointwise[] = {"conv2d_fprop_pointwise_gemm", "conv2d_dgrad_pointwise_gemm",
                                               "conv2d_wgrad_pointwise_gemm"};
    constexpr std::string_view kMma[] = {"conv2d_fprop_mma_gemm", "conv2d_dgrad_mma_gemm", "conv2d_wgrad_mma_gemm"};
    constexpr std::string_view kWgmma[] = {"conv2d_fprop_wgmma_gemm", "conv2d_dgrad_wgmma_gemm", "conv2d_wgrad_wgmma_gemm"};
    const bool mma = config.algorithm == Conv2dAlgorithm::kMmaGemm, wgmma = config.algorithm == Conv2dAlgorithm::kWgmmaGemm;
    const auto& kernels = mma ? kMma : config.algorithm == Conv2dAlgorithm::kPointwise ? kPointwise : kGeneral;
    const int square = tile_extent(config.tile);
    const MmaExtent tile = wgmma ? kWgmmaExtent : mma ? mma_extent(config.tile, pass) : MmaExtent{square, square};
    LaunchShape shape = launch_of(wgmma ? kernel_budget(kWgmma[pass]) : kernel_budget(kernels[pass], square));
    shape.shared_bytes = wgmma ? kWgmmaSharedBytes : mma ? mma_shared_bytes(tile) : gemm_shared_bytes(square, tile_depth(config.tile));
    if (pass == JCUCONV_FPROP) {
        shape.grid_x = ceil_div<std::int64_t>(g.pixels_out(), tile.rows);
        shape.grid_y = ceil_div<std::int64_t>(g.group_k, tile.columns);
        shape.grid_z = g.groups;
    } else if (pass == JCUCONV_DGRAD) {
        shape.grid_x = ceil_div<std::int64_t>(std::int64_t{g.n} * ceil_div(g.h, g.stride_h) * ceil_div(g.w, g.stride_w), tile.rows);
        shape.grid_y = ceil_div<std::int64_t>(g.group_c, tile.columns);
        shape.grid_z = std::int64_t{g.groups} * g.stride_h * g.stride_w;
    } else {
        const std::int64_t columns = wgmma ? wgmma_columns(g) : std::int64_t{g.r} * g.s * g.group_c * config.pack;
        shape.grid_x = ceil_div<std::int64_t>(columns, tile.columns);
        shape.grid_y = ceil_div<std::int64_t>(std::int64_t{g.group_k} * config.pack, tile.rows);
        shape.grid_z = std::int64_t{ceil_div(g.groups, config.pack)} * config.split.splits;
    }
    return shape;
}

LaunchShape grouped(const Conv2dGeometry& g, jcuconv_pass pass, const GroupedLayout& layout) {
    const bool forward = pass == JCUCONV_FPROP;
    LaunchShape shape = launch_of(kernel_budget(forward ? "conv2d_fprop_grouped_mma" : "conv2d_dgrad_grouped_mma"));
    shape.shared_bytes = kGroupedSharedBytes;
    shape.grid_x = ceil_div<std::int64_t>(grouped_tiles(g, pass, layout), layout.tiles_per_block);
    shape.grid_y = ceil_div(g.groups, layout.pack);
    shape.grid_z = forward ? 1 : std::int64_t{g.stride_h} * g.stride_w;
    return shape;
}

LaunchShape depthwise(const Conv2dGeometry& g, jcuconv_pass pass, const Conv2dConfig& config) {
    if (pass == JCUCONV_FPROP)
        return items("depthwise_fprop", std::int64_t{g.n} * g.p * ceil_div(g.q, kDepthwiseStrip) * (g.c / config.vec));
    if (pass == JCUCONV_DGRAD) return items("depthwise_dgrad", g.pixels_in() * (g.c / config.vec));
    LaunchShape shape = launch_of(kernel_budget("depthwise_wgrad"));
    shape.grid_x = ceil_div(g.c, kDepthwiseLanes);
    shape.grid_y = ceil_div(g.r * g.s, kDepthwiseTaps);
    shape.grid_z = config.split.splits;
    shape.shared_bytes = shape.threads * kDepthwiseTaps * static_cast<int>(sizeof(float));
    return shape;
}

}  // namespace

LaunchShape conv2d_launch(const Conv2dGeometry& g, jcuconv_pass pass, const Conv2dConfig& config) {
    if (config.algorithm == Conv2dAlgorithm::kGroupedMma) return grouped(g, pass, config.layout);
    return config.algorithm == Conv2dAlgorithm::kDepthwise ? depthwise(g, pass, config) : gemm(g, pass, config);
}

LaunchShape split_sums_launch(std::int64_t elements) { return items("add_split_sums", elements); }

}  // namespace jcuconv
