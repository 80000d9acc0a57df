// The numbers of a validated pooling as the kernels want them.
#pragma once

#include <cstdint>

namespace jcuconv {

struct Pool2dGeometry {
    int n, h, w, c, r, s, p, q;
    int pad_top, pad_bottom, pad_left, pad_right;
    int stride_h, stride_w, dilation_h, dilation_w;
    bool count_padding;  // average: padding counts in the divisor
    std::int64_t x_pitch, y_pitch;

    std::int64_t pixels_in() const { return std::int64_t{n} * h * w; }
    std::int64_t pixels_out() const { return std::int64_t{n} * p * q; }
};

}  // namespace jcuconv
