// Threads per block of each convolution kernel, and the registers that a thread of it may use. The compiler is held to the
// registers by native/dist.sh on every architecture, the launchers to the threads by static assertions, and heuristics_test
// proves that blocks of this size fit every architecture. native/dist.sh reads this table as text: one row per line.
#pragma once

#include <string_view>

namespace jcuconv {

struct KernelBudget {
    std::string_view kernel;
    int tile;       // rows of the GemmTile, 0 for kernels without one
    int threads;    // per block, at most
    int registers;  // per thread, at most
};

constexpr KernelBudget kKernelBudgets[] = {
    {"conv2d_fprop_implicit_gemm", 128, 256, 168},
    {"conv2d_fprop_implicit_gemm", 64, 256, 128},
    {"conv2d_fprop_implicit_gemm", 32, 64, 168},
    {"conv2d_dgrad_phased_gemm", 128, 256, 168},
    {"conv2d_dgrad_phased_gemm", 64, 256, 128},
    {"conv2d_dgrad_phased_gemm", 32, 64, 168},
    {"conv2d_wgrad_split_gemm", 128, 256, 168},
    {"conv2d_wgrad_split_gemm", 64, 256, 128},
    {"conv2d_wgrad_split_gemm", 32, 64, 168},
    {"conv2d_fprop_pointwise_gemm", 128, 256, 128},
    {"conv2d_fprop_pointwise_gemm", 64, 256, 80},
    {"conv2d_dgrad_pointwise_gemm", 128, 256, 128},
    {"conv2d_dgrad_pointwise_gemm", 64, 256, 80},
    {"conv2d_wgrad_pointwise_gemm", 128, 256, 144},
    {"conv2d_wgrad_pointwise_gemm", 64, 256, 80},
    {"conv2d_fprop_mma_gemm", 128, 128, 255},
    {"conv2d_fprop_mma_gemm", 64, 128, 208},
    {"conv2d_fprop_mma_gemm", 32, 128, 208},
    {"conv2d_dgrad_mma_gemm", 128, 128, 255},
    {"conv2d_dgrad_mma_gemm", 64, 128, 208},
    {"conv2d_dgrad_mma_gemm", 32, 128, 208},
    {"conv2d_wgrad_mma_gemm", 128, 128, 255},
    {"conv2d_wgrad_mma_gemm", 64, 128, 208},
    {"conv2d_wgrad_mma_gemm", 32, 128, 208},
    {"conv2d_fprop_wgmma_gemm", 0, 384, 168},
    {"conv2d_dgrad_wgmma_gemm", 0, 384, 168},
    {"conv2d_wgrad_wgmma_gemm", 0, 384, 168},
    {"conv2d_fprop_grouped_mma", 0, 128, 128},
    {"conv2d_dgrad_grouped_mma", 0, 128, 128},
    {"depthwise_fprop", 0, 256, 96},
    {"depthwise_dgrad", 0, 256, 80},
    {"depthwise_wgrad", 0, 256, 80},
    {"add_split_sums", 0, 256, 64},
};

// The row of a kernel. Used in constant expressions, where a missing row stops the compiler.
constexpr const KernelBudget& kernel_budget(std::string_view kernel, int tile = 0) {
    for (const KernelBudget& row : kKernelBudgets)
        if (row.kernel == kernel && row.tile == tile) return row;
    throw "no such kernel";
}

}  // namespace jcuconv
