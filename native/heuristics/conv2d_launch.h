// Configuration -> launch of the convolution kernels. The launchers obey it, heuristics_test holds it against every architecture.
#pragma once

#include "core/conv2d_geometry.h"
#include "heuristics/conv2d_config.h"
#include "heuristics/launch_shape.h"
#include "heuristics/mma_extent.h"

namespace jcuconv {

// Floats of padding behind a row of a GemmTile in shared memory: rows stay 16-byte aligned, and neighbouring depths lie four
// banks apart.
constexpr int kGemmPad = 4;

// Bytes of shared memory of a square GemmTile: two slabs of both operands.
constexpr int gemm_shared_bytes(int extent, int depth) { return 2 * 2 * depth * (extent + kGemmPad) * 4; }

// What a thread or a block of the depthwise kernels covers.
constexpr int kDepthwiseStrip = 4;   // outputs of a thread, fprop
constexpr int kDepthwiseLanes = 32;  // channels of a block, wgrad
constexpr int kDepthwiseTaps = 9;    // taps of a block, wgrad

LaunchShape conv2d_launch(const Conv2dGeometry& g, jcuconv_pass pass, const Conv2dConfig& config);

// The launch that adds the parts of a split wgrad.
LaunchShape split_sums_launch(std::int64_t elements);

}  // namespace jcuconv
