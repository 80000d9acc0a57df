// Launchers of the pooling kernels. `vec` is 4 or 1 elements per access.
#pragma once

#include "core/device.h"
#include "core/pool2d_geometry.h"
#include "core/types.h"

namespace jcuconv {

// Windows of more elements need a wider offset: int32 instead of one byte.
constexpr int kMaxByteWindow = 256;

// `argmax` (dense n p q c, uint8 or int32) may be null: inference needs none.
Outcome max_pool2d_fwd(const Pool2dGeometry& g, jcuconv_type type, int vec, const void* x, void* y, void* argmax,
                       device::Stream stream);
Outcome max_pool2d_bwd(const Pool2dGeometry& g, jcuconv_type type, int vec, const void* dy, const void* argmax, void* dx,
                       device::Stream stream);
Outcome avg_pool2d_fwd(const Pool2dGeometry& g, jcuconv_type type, int vec, const void* x, void* y, device::Stream stream);
Outcome avg_pool2d_bwd(const Pool2dGeometry& g, jcuconv_type type, int vec, const void* dy, void* dx, device::Stream stream);

}  // namespace jcuconv
