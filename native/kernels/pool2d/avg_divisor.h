// The divisor of an average over one window.
#pragma once

#include "core/pool2d_geometry.h"
#include "primitives/primitives.h"

namespace jcuconv {

// Elements of a window along one axis that count: those on pixels, and those on padding if `count_padding`. What lies beyond the
// padding, where ceil mode lets a window reach, never counts.
JCUCONV_DEVICE int counted(int window, int taps, int extent, int pad_low, int pad_high, int stride, bool count_padding) {
    const int low = count_padding ? -pad_low : 0, high = extent + (count_padding ? pad_high : 0);
    const int first = window * stride - pad_low, end = first + taps;
    return (end < high ? end : high) - (first > low ? first : low);
}

JCUCONV_DEVICE float avg_divisor(const Pool2dGeometry& g, int p, int q) {
    return static_cast<float>(counted(p, g.r, g.h, g.pad_top, g.pad_bottom, g.stride_h, g.count_padding)) *
           static_cast<float>(counted(q, g.s, g.w, g.pad_left, g.pad_right, g.stride_w, g.count_padding));
}

}  // namespace jcuconv
