// The phases of a strided data gradient: rows (or columns) of the input that meet the same taps. Kernels and heuristics/ count alike.
#pragma once

#include "core/conv2d_geometry.h"

#if defined(__CUDACC__)
#define JCUCONV_ANYWHERE __host__ __device__ __forceinline__
#else
#define JCUCONV_ANYWHERE inline
#endif

namespace jcuconv {

// One phase along one axis: positions first, first + stride, ... of the input and the taps tap_first, + tap_step, ... that meet them.
struct PhaseAxis {
    int first, count;
    int tap_first, tap_step, tap_count;

    JCUCONV_ANYWHERE PhaseAxis(int phase, int extent, int taps, int pad, int stride, int dilation) {
        first = (phase + stride - pad % stride) % stride;
        count = first < extent ? (extent - first + stride - 1) / stride : 0;
        tap_first = -1;
        tap_step = taps;
        tap_count = 0;
        // At most `taps` short steps, once per block; the remainders repeat, so the first two hits give the step.
        for (int tap = 0; tap < taps; ++tap) {
            if ((phase + (dilation % stride) * (stride - tap % stride)) % stride != 0) continue;
            if (tap_count == 0) tap_first = tap;
            if (tap_count == 1) tap_step = tap - tap_first;
            ++tap_count;
        }
    }

    // The output position that the first tap takes to position number `i` of the phase; it may lie outside. The division is exact.
    JCUCONV_ANYWHERE int output(int i, int pad, int stride, int dilation) const {
        return (first + i * stride + pad - tap_first * dilation) / stride;
    }

    // How far the output of the next tap lies from it.
    JCUCONV_ANYWHERE int output_step(int stride, int dilation) const { return tap_count > 1 ? -(tap_step * dilation / stride) : 0; }

    // Without pixels, or with pixels that no tap meets.
    JCUCONV_ANYWHERE bool idle() const { return count == 0 || tap_count == 0; }

    // Where the last tap takes the phase's first position.
    JCUCONV_ANYWHERE int lowest(int pad, int stride, int dilation) const {
        return output(0, pad, stride, dilation) + (tap_count - 1) * output_step(stride, dilation);
    }
};

// Both axes of one of the stride_h * stride_w phases.
struct Phase {
    PhaseAxis rows, columns;

    JCUCONV_ANYWHERE Phase(const Conv2dGeometry& g, int index)
        : rows(index / g.stride_w, g.h, g.r, g.pad_top, g.stride_h, g.dilation_h),
          columns(index % g.stride_w, g.w, g.s, g.pad_left, g.stride_w, g.dilation_w) {}

    // The element of dx at which pixel number `pixel` of the phase begins.
    JCUCONV_ANYWHERE std::int64_t element(const Conv2dGeometry& g, std::int64_t pixel) const {
        const std::int64_t line = pixel / columns.count;
        const std::int64_t h = rows.first + line % rows.count * g.stride_h, w = columns.first + pixel % columns.count * g.stride_w;
        return ((line / rows.count * g.h + h) * g.w + w) * g.x_pitch;
    }
};

}  // namespace jcuconv
