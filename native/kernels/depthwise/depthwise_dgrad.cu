// Depthwise data gradient: dx[n,h,w,c] = sum over the windows that hold (h,w) of dy[n,p,q,c] * w[c,r,s]. Also the forward pass of
// the transposed depthwise convolution, hence the epilogue.
//
// Layouts    As forward, with dy in place of y and dx in place of x.
// Mapping    One thread per input pixel and kVec channels, visiting its windows in the order of their taps.
// Limits     As forward.
// Resources  No shared memory. Cost: 2*n*p*q*c*r*s FLOP, floor bytes of dy + dx.
// Lost       Scattering every dy to its window: atomics, whose order would decide the bits.
#include "heuristics/conv2d_launch.h"
#include "heuristics/kernel_budget.h"
#include "kernels/common/grid.h"
#include "kernels/common/index.h"
#include "kernels/common/windows.h"
#include "kernels/common/with_type.h"
#include "kernels/conv2d/conv2d_epilogue.h"
#include "kernels/depthwise/depthwise.h"

namespace jcuconv {

namespace {

template <class T, int kVec>
JCUCONV_KERNEL(kItemThreads)
depthwise_dgrad_kernel(const Conv2dGeometry g, std::int64_t items, const T* dy, const T* w, T* dx, const Conv2dEpilogue epilogue) {
    std::int64_t index = item_index();
    if (index >= items) return;
    const int c = take_coordinate(index, g.c / kVec) * kVec;
    const std::int64_t pixel = index;
    const int column = take_coordinate(index, g.w), row = take_coordinate(index, g.h);
    const T* image = dy + index * g.p * g.q * g.y_pitch + c;
    float sum[kVec];
    set_zero(sum);
    for (int r = 0; r < g.r; ++r) {
        const int p = window_at(row, r, g.pad_top, g.stride_h, g.dilation_h, g.p);
        if (p < 0) continue;
        for (int s = 0; s < g.s; ++s) {
            const int q = window_at(column, s, g.pad_left, g.stride_w, g.dilation_w, g.q);
            if (q < 0) continue;
            float gradient[kVec];
            load_f32(image + (std::int64_t{p} * g.q + q) * g.y_pitch, gradient);
#pragma unroll
            for (int i = 0; i < kVec; ++i)
                sum[i] += gradient[i] * to_f32(load_global(w + (std::int64_t{c + i} * g.r + r) * g.s + s));
        }
    }
    store_conv2d<kVec>(dx, pixel * g.x_pitch, c, sum, epilogue);
}

static_assert(kernel_budget("depthwise_dgrad").threads == kItemThreads);

}  // namespace

Outcome depthwise_dgrad(const Conv2dGeometry& g, jcuconv_type type, const Conv2dConfig& config, const void* dy, const void* w,
                        void* dx, const Conv2dEpilogue& epilogue, device::Stream stream) {
    const LaunchShape shape = conv2d_launch(g, JCUCONV_DGRAD, config);
    return with_type_and_vec(type, config.vec, [&]<class T, int kVec>() {
        const std::int64_t items = g.pixels_in() * (g.c / kVec);
        return launch("depthwise_dgrad", depthwise_dgrad_kernel<T, kVec>, grid_of(shape), shape.threads,
                      shape.shared_bytes, stream, g, items, static_cast<const T*>(dy), static_cast<const T*>(w),
                      static_cast<T*>(dx), epilogue);
    });
}

}  // namespace jcuconv
