// The second stage of a split reduction: partial sums in workspace, part after part, are added in the order of the parts.
#pragma once

#include "core/device.h"

namespace jcuconv {

// out[i] (+)= workspace[0][i] + workspace[1][i] + ... for i < count.
Outcome add_split_sums(const float* workspace, int splits, std::int64_t count, float* out, bool accumulate,
                       device::Stream stream);

}  // namespace jcuconv
