// The numbers of a validated convolution as the kernels want them. Plain data, passed to kernels by value.
#pragma once

#include <cstdint>

#include "jcuconv/problem.h"

namespace jcuconv {

// x is N H W with `c` channels, `x_pitch` elements from pixel to pixel; y is N P Q with `k` channels, `y_pitch` apart;
// w is K R S C/G. Cross-correlation: y[n,p,q,k] = sum x[n, p*stride_h - pad_top + r*dilation_h, ...] * w[k,r,s,c]. Of windows of 2^pool_h_log2
// by 2^pool_w_log2 such sums only the maximum goes into y; p and q count the sums, without those that fill no window.
struct Conv2dGeometry {
    int n, h, w, c, k, r, s, p, q;
    int pad_top, pad_left;
    int stride_h, stride_w, dilation_h, dilation_w;
    int groups, group_c, group_k;
    std::int64_t x_pitch, y_pitch;
    int pool_h_log2 = 0, pool_w_log2 = 0, pool_log2 = 0;  // the last one is the sum of both

    std::int64_t pixels_in() const { return std::int64_t{n} * h * w; }
    std::int64_t pixels_out() const { return std::int64_t{n} * p * q; }
    std::int64_t pixels_stored() const { return pixels_out() >> pool_log2; }  // of y
    std::int64_t filter_elements() const { return std::int64_t{k} * r * s * group_c; }
};

// What happens to a sum before it is stored.
struct Conv2dEpilogue {
    std::uint32_t steps;   // jcuconv_epilogue in four bits each, the first one lowest: a kernel shifts them out, without an array
    const float* bias;     // one per output channel; null without that step
    const float* scale;    // likewise
    const void* residual;  // at the output's pitch and type; null without that step
    bool accumulate;       // last: add to what the output holds
    bool y_f32;            // output and residual are fp32, where the storage type is not
};

constexpr int kEpilogueStepBits = 4;
static_assert(JCUCONV_EPILOGUE_STEPS * kEpilogueStepBits <= 32, "the list is one word");

}  // namespace jcuconv
