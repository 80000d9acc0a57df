// Launchers of the depthwise convolution: one filter per channel, c = k = groups. Arguments as in conv2d.h.
#pragma once

#include "core/conv2d_geometry.h"
#include "core/device.h"
#include "heuristics/conv2d_config.h"

namespace jcuconv {

Outcome depthwise_fprop(const Conv2dGeometry& g, jcuconv_type type, const Conv2dConfig& config, const void* x, const void* w,
                        void* y, const Conv2dEpilogue& epilogue, device::Stream stream);
Outcome depthwise_dgrad(const Conv2dGeometry& g, jcuconv_type type, const Conv2dConfig& config, const void* dy, const void* w,
                        void* dx, const Conv2dEpilogue& epilogue, device::Stream stream);
Outcome depthwise_wgrad(const Conv2dGeometry& g, jcuconv_type type, const Conv2dConfig& config, const void* x, const void* dy,
                        float* dw, bool accumulate, float* workspace, device::Stream stream);

}  // namespace jcuconv
