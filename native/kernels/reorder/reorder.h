// Launchers that change the layout or the type of a dense tensor.
#pragma once

#include "core/device.h"
#include "core/types.h"

namespace jcuconv {

// y[i] = x[i], rounded to the type of y.
Outcome convert(std::int64_t count, jcuconv_type from, jcuconv_type to, const void* x, void* y, device::Stream stream);

// For each of n matrices: y[column][row] = x[row][column], rounded to the type of y.
Outcome transpose(std::int64_t n, int rows, int columns, jcuconv_type from, jcuconv_type to, const void* x, void* y,
                  device::Stream stream);

}  // namespace jcuconv
