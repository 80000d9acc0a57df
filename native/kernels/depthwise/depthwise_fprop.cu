// Depthwise convolution forward: y[n,p,q,c] = sum over r,s of x[n, p*u - pad + r*d, ..., c] * w[c,r,s], then the epilogue.
//
// Layouts    x NHWC, y NPQC with a channel pitch, w [c][r][s], all in the storage type, y also in fp32; bias fp32.
// Mapping    One thread per kVec channels and a strip of four outputs along q: a weight is loaded once for the strip.
//            Neighbouring threads hold neighbouring channels.
// Limits     c = k = groups. Any window, stride, dilation, padding. kVec = 4 needs c and the pitches divisible by 4 and aligned
//            tensors.
// Resources  No shared memory. Cost: 2*n*p*q*c*r*s FLOP, floor bytes of x + y: bound by memory below about 7x7.
// Lost       A window of inputs in registers needs s and the stride as constants: six instantiations per type for the common
//            sizes. To be tried when a GPU can tell whether the cache serves the repeated reads.
#include "heuristics/conv2d_launch.h"
#include "heuristics/kernel_budget.h"
#include "kernels/common/grid.h"
#include "kernels/common/index.h"
#include "kernels/common/with_type.h"
#include "kernels/conv2d/conv2d_epilogue.h"
#include "kernels/depthwise/depthwise.h"

namespace jcuconv {

namespace {

constexpr int kStrip = kDepthwiseStrip;

// Without a promise of blocks, and so of registers, ptxas aims at too few on sm_120 and spills: at 40 for single channels, at 64 for four.
template <class T, int kVec>
JCUCONV_KERNEL(kItemThreads, kVec == 1 ? 4 : 2)
depthwise_fprop_kernel(const Conv2dGeometry g, std::int64_t items, const T* x, const T* w, T* y, const Conv2dEpilogue epilogue) {
    std::int64_t index = item_index();
    if (index >= items) return;
    const int c = take_coordinate(index, g.c / kVec) * kVec;
    const int q0 = take_coordinate(index, (g.q + kStrip - 1) / kStrip) * kStrip, p = take_coordinate(index, g.p);
    const T* image = x + index * g.h * g.w * g.x_pitch + c;
    float sum[kStrip][kVec];
#pragma unroll
    for (int j = 0; j < kStrip; ++j) set_zero(sum[j]);
    for (int r = 0; r < g.r; ++r) {
        const int row = p * g.stride_h - g.pad_top + r * g.dilation_h;
        if (row < 0 || row >= g.h) continue;
#pragma unroll 1  // the strip is unrolling enough; more of it runs out of convergence barriers and spills them
        for (int s = 0; s < g.s; ++s) {
            float weight[kVec];
#pragma unroll
            for (int i = 0; i < kVec; ++i) weight[i] = to_f32(load_global(w + (std::int64_t{c + i} * g.r + r) * g.s + s));
#pragma unroll
            for (int j = 0; j < kStrip; ++j) {
                const int column = (q0 + j) * g.stride_w - g.pad_left + s * g.dilation_w;
                float v[kVec];
                set_zero(v);
                if (q0 + j < g.q && column >= 0 && column < g.w)
                    load_f32(image + (std::int64_t{row} * g.w + column) * g.x_pitch, v);
#pragma unroll
                for (int i = 0; i < kVec; ++i) sum[j][i] += v[i] * weight[i];
            }
        }
    }
#pragma unroll
    for (int j = 0; j < kStrip; ++j)
        if (q0 + j < g.q)
            with_output(y, epilogue, [&](auto* to) {
                store_conv2d<kVec>(to, ((index * g.p + p) * g.q + q0 + j) * g.y_pitch, c, sum[j], epilogue);
            });
}

static_assert(kernel_budget("depthwise_fprop").threads == kItemThreads);

}  // namespace

Outcome depthwise_fprop(const Conv2dGeometry& g, jcuconv_type type, const Conv2dConfig& config, const void* x, const void* w,
                        void* y, const Conv2dEpilogue& epilogue, device::Stream stream) {
    const LaunchShape shape = conv2d_launch(g, JCUCONV_FPROP, config);
    return with_type_and_vec(type, config.vec, [&]<class T, int kVec>() {
        const std::int64_t items = std::int64_t{g.n} * g.p * ceil_div(g.q, kStrip) * (g.c / kVec);
        return launch("depthwise_fprop", depthwise_fprop_kernel<T, kVec>, grid_of(shape), shape.threads,
                      shape.shared_bytes, stream, g, items, static_cast<const T*>(x), static_cast<const T*>(w),
                      static_cast<T*>(y), epilogue);
    });
}

}  // namespace jcuconv
