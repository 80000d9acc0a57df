// Launchers of the 1x1 convolutions that visit every pixel once. Arguments as in conv2d.h.
#pragma once

#include "core/conv2d_geometry.h"
#include "core/device.h"
#include "heuristics/conv2d_config.h"

namespace jcuconv {

Outcome conv2d_fprop_pointwise_gemm(const Conv2dGeometry& g, jcuconv_type type, const Conv2dConfig& config, const void* x,
                                    const void* w, void* y, const Conv2dEpilogue& epilogue, device::Stream stream);
Outcome conv2d_dgrad_pointwise_gemm(const Conv2dGeometry& g, jcuconv_type type, const Conv2dConfig& config, const void* dy,
                                    const void* w, void* dx, const Conv2dEpilogue& epilogue, device::Stream stream);
Outcome conv2d_wgrad_pointwise_gemm(const Conv2dGeometry& g, jcuconv_type type, const Conv2dConfig& config, const void* x,
                                    const void* dy, float* dw, bool accumulate, float* workspace, device::Stream stream);

}  // namespace jcuconv
