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

// dw is fp32 whatever the storage type; the kernels write it with the vectors of their configuration.
inline int filter_gradient_alignment(const Conv2dConfig& config) {
    const bool tensor_cores = config.algorithm == Conv2dAlgorithm::kMmaGemm || config.algorithm == Conv2dAlgorithm::kWgmmaGemm;
    const int vec = config.algorithm == Conv2dAlgorithm::kDepthwise ? 1 : tensor_cores ? config.vec_out : config.vec;
    return vec * static_cast<int>(sizeof(float));
}

// The configuration for the current device, once `math` is known to be a jcuconv_math and `choice` one of those that there are; what follows
// from it for the plan: workspace, reason, choices.
Outcome configure(const Conv2dGeometry& g, jcuconv_type type, jcuconv_pass pass, int alignment, std::uint64_t workspace_limit, int math,
                  bool y_f32, int choice, Conv2dConfig* config, Plan* plan);

// What a caller asks of a pass besides the convolution itself.
struct Conv2dRequest {
    Conv2dEpilogue epilogue{};  // without addresses
    bool bias = false, scale = false, residual = false;
    bool dbias = false;

    // The epilogue of one execution.
    Conv2dEpilogue bound(const Tensors& tensors) const;
};

// Validates the request and refuses what does not belong to the pass.
Outcome conv2d_request(jcuconv_pass pass, const std::int32_t (&epilogue)[JCUCONV_EPILOGUE_STEPS], int accumulate, int dbias,
                       Conv2dRequest* request);

// Adds the arguments that the epilogue reads: a bias and a scale of `channels`, a residual with the bytes of the output.
void add_epilogue_arguments(const Conv2dRequest& request, int channels, const Argument& y, Plan* plan);

// Refuses any `choice` but 0 where there are no choices.
Outcome make_bgrad_plan(const char* operation, jcuconv_type type, std::int64_t pixels, int channels, std::int64_t pitch,
                        int alignment, bool accumulate, int choice, std::uint64_t workspace_limit, Plan* plan);

// Makes a wgrad plan write the bias gradient too: a second launch, which may use the same workspace because it runs after the first.
Outcome add_bgrad(jcuconv_type type, std::int64_t pixels, int channels, std::int64_t pitch, int alignment, bool accumulate,
                  std::uint64_t workspace_limit, Plan* plan);

}  // namespace jcuconv
