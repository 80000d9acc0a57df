// Launchers of the convolutions on tensor cores. Arguments as in conv2d.h.
#pragma once

#include "core/conv2d_geometry.h"
#include "core/device.h"
#include "heuristics/conv2d_config.h"

namespace jcuconv {

Outcome conv2d_fprop_mma_gemm(const Conv2dGeometry& g, jcuconv_type type, const Conv2dConfig& config, const void* x, const void* w,
                              void* y, const Conv2dEpilogue& epilogue, device::Stream stream);
Outcome conv2d_dgrad_mma_gemm(const Conv2dGeometry& g, jcuconv_type type, const Conv2dConfig& config, const void* dy, const void* w,
                              void* dx, const Conv2dEpilogue& epilogue, device::Stream stream);
Outcome conv2d_wgrad_mma_gemm(const Conv2dGeometry& g, jcuconv_type type, const Conv2dConfig& config, const void* x, const void* dy,
                              float* dw, bool accumulate, float* workspace, device::Stream stream);

// Of groups of few channels.
Outcome conv2d_fprop_grouped_mma(const Conv2dGeometry& g, jcuconv_type type, const Conv2dConfig& config, const void* x, const void* w,
                                 void* y, const Conv2dEpilogue& epilogue, device::Stream stream);
Outcome conv2d_dgrad_grouped_mma(const Conv2dGeometry& g, jcuconv_type type, const Conv2dConfig& config, const void* dy, const void* w,
                                 void* dx, const Conv2dEpilogue& epilogue, device::Stream stream);

// Of sm_90a, by TMA and wgmma.
Outcome conv2d_fprop_wgmma_gemm(const Conv2dGeometry& g, jcuconv_type type, const Conv2dConfig& config, const void* x, const void* w,
                                void* y, const Conv2dEpilogue& epilogue, device::Stream stream);
Outcome conv2d_dgrad_wgmma_gemm(const Conv2dGeometry& g, jcuconv_type type, const Conv2dConfig& config, const void* dy, const void* w,
                                void* dx, const Conv2dEpilogue& epilogue, device::Stream stream);
Outcome conv2d_wgrad_wgmma_gemm(const Conv2dGeometry& g, jcuconv_type type, const Conv2dConfig& config, const void* x, const void* dy,
                                float* dw, bool accumulate, float* workspace, device::Stream stream);

}  // namespace jcuconv
