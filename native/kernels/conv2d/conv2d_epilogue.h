// The end of a convolution: sum -> bias -> ReLU -> (accumulate) -> one rounding to the storage type.
#pragma once

#include "core/conv2d_geometry.h"
#include "kernels/common/vec.h"

namespace jcuconv {

// Stores kVec neighbouring channels of one pixel.
template <int kVec, class T>
JCUCONV_DEVICE void store_conv2d(T* pixel, int channel, const float* sums, const Conv2dEpilogue& epilogue) {
    float values[kVec], old[kVec];
    set_zero(old);
    if (epilogue.accumulate) load_f32(pixel + channel, old);
#pragma unroll
    for (int i = 0; i < kVec; ++i) {
        values[i] = sums[i];
        if (epilogue.bias != nullptr) values[i] += load_global(epilogue.bias + channel + i);
        // Written so that a NaN stays a NaN.
        if (epilogue.relu && values[i] < 0.0f) values[i] = 0.0f;
        if (epilogue.accumulate) values[i] += old[i];
    }
    store_f32(pixel + channel, values);
}

}  // namespace jcuconv
