// Launchers of the elementwise kernels and copies. `vec` is 4 or 1.
#pragma once

#include "core/device.h"
#include "jcuconv/problem.h"

namespace jcuconv {

Outcome activation_fwd(jcuconv_activation_kind kind, std::int64_t count, jcuconv_type type, int vec, const void* x, void* y,
                       device::Stream stream);
Outcome activation_bwd(jcuconv_activation_kind kind, std::int64_t count, jcuconv_type type, int vec, const void* y,
                       const void* dy, void* dx, device::Stream stream);
// flag = 1 if an element is infinite or NaN, else 0.
Outcome finite_check(std::int64_t count, jcuconv_type type, const void* x, std::int32_t* flag, device::Stream stream);
// Copies `c` channels of every pixel, bit for bit. `element`: bytes of one.
Outcome copy_channels(std::int64_t pixels, int c, std::size_t element, int vec, const void* x, std::int64_t x_pitch, void* y,
                      std::int64_t y_pitch, device::Stream stream);
Outcome add(std::int64_t count, jcuconv_type type, int vec, const void* x, const void* x2, void* y, device::Stream stream);

}  // namespace jcuconv
