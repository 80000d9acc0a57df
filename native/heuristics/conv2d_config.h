// Problem -> launch configuration for convolutions: pure host functions, tested without a GPU.
#pragma once

#include <cstdint>
#include <string>

#include "core/conv2d_geometry.h"
#include "jcuconv/problem.h"
#include "kernels/common/column_sums.h"

namespace jcuconv {

enum class Conv2dTile { kLarge, kMedium, kSmall };

constexpr int tile_extent(Conv2dTile tile) { return tile == Conv2dTile::kLarge ? 128 : tile == Conv2dTile::kMedium ? 64 : 32; }

enum class Conv2dAlgorithm { kImplicitGemm, kDepthwise };

struct Conv2dConfig {
    Conv2dAlgorithm algorithm = Conv2dAlgorithm::kImplicitGemm;
    Conv2dTile tile = Conv2dTile::kSmall;  // of the implicit GEMM
    int vec = 1;  // elements per access: 4 or 1
    PixelSplit split;  // of wgrad
};

// `alignment`: what the caller promises for every tensor, in bytes. `workspace_limit`: upper bound for the workspace.
// The choice depends on the arguments only, never on the device, because the bits of wgrad depend on the choice.
Conv2dConfig choose_conv2d(const Conv2dGeometry& g, jcuconv_type type, jcuconv_pass pass, int alignment,
                           std::size_t workspace_limit);

// How a bias gradient is cut.
PixelSplit choose_column_sums(std::int64_t pixels, int channels, std::size_t workspace_limit);

// One line for logs: "implicit_gemm tile 64x64 vec 4 splits 3 workspace 1024".
std::string describe(const Conv2dConfig& config);

}  // namespace jcuconv
