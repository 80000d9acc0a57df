// Launchers of the convolution kernels. Arguments were validated by the plan; each call only queues work on the stream.
// Tensors named void* have the storage type; bias, dw, dbias and workspace are fp32.
#pragma once

#include "core/conv2d_geometry.h"
#include "core/device.h"
#include "heuristics/conv2d_config.h"

namespace jcuconv {

Outcome conv2d_fprop(const Conv2dGeometry& g, jcuconv_type type, const Conv2dConfig& config, const void* x, const void* w, void* y,
                     const Conv2dEpilogue& epilogue, device::Stream stream);

Outcome conv2d_dgrad(const Conv2dGeometry& g, jcuconv_type type, const Conv2dConfig& config, const void* dy, const void* w,
                     void* dx, const Conv2dEpilogue& epilogue, device::Stream stream);

// dw (+)= sums over all pixels. `workspace` holds config.split.splits x |dw| fp32 values when there is more than one split.
Outcome conv2d_wgrad(const Conv2dGeometry& g, jcuconv_type type, const Conv2dConfig& config, const void* x, const void* dy,
                     float* dw, bool accumulate, float* workspace, device::Stream stream);

}  // namespace jcuconv
