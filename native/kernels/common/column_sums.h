// Sums over all pixels, per channel: the bias gradient.
#pragma once

#include "core/device.h"
#include "core/types.h"
#include "heuristics/pixel_split.h"

namespace jcuconv {

// dbias (+)= sum of dy over all pixels; `workspace` holds splits x channels fp32 values when splits > 1.
Outcome column_sums(jcuconv_type type, std::int64_t pixels, int channels, std::int64_t pitch, const PixelSplit& split,
                    const void* dy, float* dbias, bool accumulate, float* workspace, device::Stream stream);

}  // namespace jcuconv
