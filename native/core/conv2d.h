// Convolution: validation, output sizes, plans. The transposed convolution uses the same pieces with its roles exchanged.
#pragma once

#include "core/conv2d_geometry.h"
#include "core/plan.h"
#include "heuristics/conv2d_config.h"

namespace jcuconv {

// Validates the numbers and derives what the kernels use.
Outcome conv2d_geometry(const jcuconv_conv2d& problem, Conv2dGeometry* geometry);

std::uint64_t conv2d_x_bytes(const Conv2dGeometry& g, jcuconv_type type);
std::uint64_t conv2d_y_bytes(const Conv2dGeometry& g, jcuconv_type type);
std::uint64_t conv2d_w_bytes(const Conv2dGeometry& g, jcuconv_type type);

// dw is fp32 whatever the storage type; the implicit GEMM writes it with the vectors of its configuration.
inline int filter_gradient_alignment(const Conv2dConfig& config) {
    const bool gemm = config.algorithm == Conv2dAlgorithm::kImplicitGemm;
    return (gemm ? config.vec : 1) * static_cast<int>(sizeof(float));
}

Outcome check_conv2d_request(jcuconv_pass pass, bool bias, bool relu, bool accumulate);

Outcome make_bgrad_plan(const char* operation, jcuconv_type type, std::int64_t pixels, int channels, std::int64_t pitch,
                        int alignment, bool accumulate, std::uint64_t workspace_limit, Plan* plan);

}  // namespace jcuconv
