// The end of a convolution: sum -> steps of the epilogue -> (accumulate) -> one rounding to the storage type.
#pragma once

#include "core/conv2d_geometry.h"
#include "kernels/common/activate.h"
#include "kernels/common/vec.h"

namespace jcuconv {

// Stores kVec neighbouring channels, from `channel` on, of the pixel that starts at element `pixel` of the output.
template <int kVec, class T>
JCUCONV_DEVICE void store_conv2d(T* out, std::int64_t pixel, int channel, const float* sums, const Conv2dEpilogue& epilogue) {
    float values[kVec], other[kVec];
    set_zero(other);
#pragma unroll
    for (int i = 0; i < kVec; ++i) values[i] = sums[i];
#pragma unroll 1  // the code of one step serves all places
    for (std::uint32_t steps = epilogue.steps; steps != 0; steps >>= kEpilogueStepBits) {
        const auto step = static_cast<jcuconv_epilogue>(steps & ((1u << kEpilogueStepBits) - 1u));
        if (step == JCUCONV_EPILOGUE_RESIDUAL) load_f32(static_cast<const T*>(epilogue.residual) + pixel + channel, other);
#pragma unroll
        for (int i = 0; i < kVec; ++i) {
            switch (step) {
                case JCUCONV_EPILOGUE_BIAS: values[i] += load_global(epilogue.bias + channel + i); break;
                case JCUCONV_EPILOGUE_SCALE: values[i] *= load_global(epilogue.scale + channel + i); break;
                case JCUCONV_EPILOGUE_RESIDUAL: values[i] += other[i]; break;
                case JCUCONV_EPILOGUE_RELU: values[i] = relu(values[i]); break;
                case JCUCONV_EPILOGUE_TANH: values[i] = tanh_f32(values[i]); break;
                default: values[i] = sigmoid(values[i]);
            }
        }
    }
    T* to = out + pixel + channel;
    if (epilogue.accumulate) {
        load_f32(to, other);
#pragma unroll
        for (int i = 0; i < kVec; ++i) values[i] += other[i];
    }
    store_f32(to, values);
}

// Stores kVec neighbouring elements of a filter gradient, or adds to them.
template <int kVec>
JCUCONV_DEVICE void store_gradient(float* to, const float* sums, bool accumulate) {
    float values[kVec];
    set_zero(values);
    if (accumulate) load_f32(to, values);
#pragma unroll
    for (int i = 0; i < kVec; ++i) values[i] += sums[i];
    store_f32(to, values);
}

// Calls f with the output as a pointer to what it holds.
template <class T, class F>
JCUCONV_DEVICE void with_output(T* out, const Conv2dEpilogue& epilogue, F f) {
    if constexpr (sizeof(T) < sizeof(float)) {
        if (epilogue.y_f32) return f(reinterpret_cast<float*>(out));
    }
    f(out);
}

}  // namespace jcuconv
