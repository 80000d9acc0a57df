// Launchers of the elementwise kernels over dense tensors. `vec` is 4 or 1.
#pragma once

#include "core/device.h"
#include "jcuconv/problem.h"

namespace jcuconv {

Outcome activation_fwd(jcuconv_activation_kind kind, std::int64_t count, jcuconv_type type, int vec, const void* x, void* y,
                       device::Stream stream);
Outcome activation_bwd(jcuconv_activation_kind kind, std::int64_t count, jcuconv_type type, int vec, const void* y,
                       const void* dy, void* dx, device::Stream stream);
Outcome add(std::int64_t count, jcuconv_type type, int vec, const void* x, const void* x2, void* y, device::Stream stream);

}  // namespace jcuconv
