// Dispatch of the convolution passes by the algorithm that the configuration names.
#include "kernels/conv2d/conv2d.h"

#include "kernels/conv2d/conv2d_implicit_gemm.h"
#include "kernels/conv2d/conv2d_mma_gemm.h"
#include "kernels/conv2d/conv2d_pointwise_gemm.h"
#include "kernels/depthwise/depthwise.h"

namespace jcuconv {

namespace {

// Indexed by Conv2dAlgorithm; kGroupedMma refuses wgrad.
constexpr decltype(&conv2d_fprop_implicit_gemm) kFprop[] = {conv2d_fprop_implicit_gemm, depthwise_fprop,
                                                              conv2d_fprop_pointwise_gemm, conv2d_fprop_mma_gemm,
                                                              conv2d_fprop_grouped_mma, conv2d_fprop_wgmma_gemm};
constexpr decltype(&conv2d_dgrad_phased_gemm) kDgrad[] = {conv2d_dgrad_phased_gemm, depthwise_dgrad, conv2d_dgrad_pointwise_gemm,
                                                           conv2d_dgrad_mma_gemm, conv2d_dgrad_grouped_mma, conv2d_dgrad_wgmma_gemm};
constexpr decltype(&conv2d_wgrad_split_gemm) kWgrad[] = {conv2d_wgrad_split_gemm, depthwise_wgrad, conv2d_wgrad_pointwise_gemm,
                                                           conv2d_wgrad_mma_gemm, nullptr, conv2d_wgrad_wgmma_gemm};

int row(const Conv2dConfig& config) { return static_cast<int>(config.algorithm); }

}  // namespace

Outcome conv2d_fprop(const Conv2dGeometry& g, jcuconv_type type, const Conv2dConfig& config, const void* x, const void* w, void* y,
                     const Conv2dEpilogue& epilogue, device::Stream stream) {
    return kFprop[row(config)](g, type, config, x, w, y, epilogue, stream);
}

Outcome conv2d_dgrad(const Conv2dGeometry& g, jcuconv_type type, const Conv2dConfig& config, const void* dy, const void* w,
                     void* dx, const Conv2dEpilogue& epilogue, device::Stream stream) {
    return kDgrad[row(config)](g, type, config, dy, w, dx, epilogue, stream);
}

Outcome conv2d_wgrad(const Conv2dGeometry& g, jcuconv_type type, const Conv2dConfig& config, const void* x, const void* dy,
                     float* dw, bool accumulate, float* workspace, device::Stream stream) {
    return kWgrad[row(config)](g, type, config, x, dy, dw, accumulate, workspace, stream);
}

}  // namespace jcuconv
