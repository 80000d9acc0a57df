// LRN backward: dx[c] = dy[c] * scale[c]^-beta - 2 * factor * beta * x[c] * sum over the window of dy * x * scale^(-beta-1).
//
// Layouts    x, dy, dx NHWC in the storage type; dx has the pitch of x, dy the pitch of y.
// Mapping    As forward with two windows: the scales of a halo of kHalf channels are formed again from a halo of 2 * kHalf.
// Limits     As forward.
// Resources  No shared memory. Floor: bytes of x + dy + dx. Reading a saved scale instead would add an fp32 tensor.
// Lost       The formula with y in place of x * scale^-beta reads a fourth tensor and divides by scale.
#include "kernels/common/index.h"
#include "kernels/common/with_type.h"
#include "kernels/lrn/window.h"

namespace jcuconv {

namespace {

// The promise of 2 blocks gives ptxas 128 registers; left alone it aims at a rounder number on some architectures and spills.
template <class T, int kVec, int kHalf>
JCUCONV_KERNEL(kItemThreads, 2)
lrn_bwd_kernel(const LrnGeometry g, std::int64_t items, const T* x, const T* dy, T* dx) {
    constexpr int kInner = kVec + 2 * kHalf, kOuter = kInner + 2 * kHalf;
    std::int64_t pixel = item_index();
    if (pixel >= items) return;
    const int c = take_coordinate(pixel, g.c / kVec) * kVec;
    float v[kOuter], squares[kOuter], gradient[kInner], terms[kInner], power[kVec];
    set_zero(power);
    load_channels(x + pixel * g.x_pitch, c - 2 * kHalf, g.c, v);
    load_channels(dy + pixel * g.y_pitch, c - kHalf, g.c, gradient);
#pragma unroll
    for (int i = 0; i < kOuter; ++i) squares[i] = v[i] * v[i];
#pragma unroll
    for (int i = 0; i < kInner; ++i) {
        const float scale = g.k + g.factor * window_sum<kHalf>(squares, i + kHalf, g.half);
        const float p = inverse_power(scale, g.beta);
        terms[i] = gradient[i] * v[i + kHalf] * p / scale;
        if (i >= kHalf && i < kHalf + kVec) power[i - kHalf] = p;
    }
    float out[kVec];
#pragma unroll
    for (int i = 0; i < kVec; ++i)
        out[i] = gradient[i + kHalf] * power[i] -
                 2.0f * g.factor * g.beta * v[i + 2 * kHalf] * window_sum<kHalf>(terms, i + kHalf, g.half);
    store_f32(dx + pixel * g.x_pitch + c, out);
}

}  // namespace

Outcome lrn_bwd(const LrnGeometry& g, jcuconv_type type, int vec, const void* x, const void* dy, void* dx,
                device::Stream stream) {
    return with_type_and_vec(type, vec, [&]<class T, int kVec>() {
        const std::int64_t items = g.pixels * (g.c / kVec);
        constexpr int kNarrow = narrow_lrn_half<kVec>;
        const auto kernel = g.half <= kNarrow ? lrn_bwd_kernel<T, kVec, kNarrow> : lrn_bwd_kernel<T, kVec, kMaxLrnHalf>;
        return launch("lrn_bwd", kernel, item_grid(items), kItemThreads, 0, stream, g, items, static_cast<const T*>(x),
                      static_cast<const T*>(dy), static_cast<T*>(dx));
    });
}

}  // namespace jcuconv
