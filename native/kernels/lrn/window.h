// A run of neighbouring channels of one pixel in registers, zero where there is no channel.
#pragma once

#include "kernels/common/vec.h"
#include "kernels/lrn/lrn.h"

namespace jcuconv {

// The half window that a kernel for narrow windows is compiled for: two, which serves the usual ones of three and five. Scalars, of odd
// channel counts, have one kernel for all windows.
template <int kVec>
constexpr int narrow_lrn_half = kVec > 1 ? 2 : kMaxLrnHalf;

// run[i] = pixel[first + i]
template <class T, int kLength>
JCUCONV_DEVICE void load_channels(const T* pixel, int first, int channels, float (&run)[kLength]) {
#pragma unroll
    for (int i = 0; i < kLength; ++i) {
        const int c = first + i;
        run[i] = c >= 0 && c < channels ? to_f32(load_global(pixel + c)) : 0.0f;
    }
}

// One vector of channels, zero if there is none: vectors lie wholly inside or outside.
template <int kVec, class T>
JCUCONV_DEVICE void load_vector(const T* pixel, int first, int channels, float (&run)[kVec]) {
    if (first >= 0 && first < channels) {
        load_f32(pixel + first, run);
    } else {
        set_zero(run);
    }
}

// Sum of v[center - half .. center + half]. Formed anew for each channel: sliding it (add one, subtract one) would let rounding
// errors drift along the channels and could make the sum of squares negative. kSquares: of their squares.
template <int kHalf, bool kSquares = false, int kLength>
JCUCONV_DEVICE float window_sum(const float (&v)[kLength], int center, int half) {
    float sum = 0.0f;
#pragma unroll
    for (int o = -kHalf; o <= kHalf; ++o)
        if (o >= -half && o <= half) sum += kSquares ? v[center + o] * v[center + o] : v[center + o];
    return sum;
}

// scale^-beta; the usual exponent 3/4 needs two roots instead of a power.
JCUCONV_DEVICE float inverse_power(float scale, float beta) {
    if (beta == 0.75f) {
        const float root = sqrt_f32(scale);
        return 1.0f / (root * sqrt_f32(root));
    }
    return pow_f32(scale, -beta);
}

}  // namespace jcuconv
