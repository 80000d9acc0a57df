// Average pooling forward: y[n,p,q,c] = sum of the window / number of elements that count. A window over the whole image is the
// global average.
//
// Layouts    x NHWC, y NPQC in the storage type with a channel pitch.
// Mapping    One thread per output pixel and kVec channels, summing in row-major order.
// Limits     kVec = 4 needs c and the pitches divisible by 4 and aligned tensors. Dilation 1.
// Resources  No shared memory. Floor: bytes of x + y.
// Lost       Several threads per window for global pooling: faster at batch 1, but another order of sums for the same window.
#include "kernels/common/index.h"
#include "kernels/common/vec.h"
#include "kernels/common/with_type.h"
#include "kernels/pool2d/avg_divisor.h"
#include "kernels/pool2d/pool2d.h"

namespace jcuconv {

namespace {

template <class T, int kVec>
JCUCONV_KERNEL(kItemThreads)
avg_pool2d_fwd_kernel(const Pool2dGeometry g, std::int64_t items, const T* x, T* y) {
    std::int64_t index = item_index();
    if (index >= items) return;
    const int c = take_coordinate(index, g.c / kVec) * kVec;
    const std::int64_t pixel = index;
    const int q = take_coordinate(index, g.q), p = take_coordinate(index, g.p);
    const T* image = x + index * g.h * g.w * g.x_pitch + c;

    float sum[kVec];
    set_zero(sum);
    for (int r = 0; r < g.r; ++r) {
        const int h = p * g.stride_h - g.pad_top + r;
        if (h < 0 || h >= g.h) continue;
        for (int s = 0; s < g.s; ++s) {
            const int w = q * g.stride_w - g.pad_left + s;
            if (w < 0 || w >= g.w) continue;
            float v[kVec];
            load_f32(image + (std::int64_t{h} * g.w + w) * g.x_pitch, v);
#pragma unroll
            for (int i = 0; i < kVec; ++i) sum[i] += v[i];
        }
    }
    const float divisor = avg_divisor(g, p, q);
#pragma unroll
    for (int i = 0; i < kVec; ++i) sum[i] /= divisor;
    store_f32(y + pixel * g.y_pitch + c, sum);
}

}  // namespace

Outcome avg_pool2d_fwd(const Pool2dGeometry& g, jcuconv_type type, int vec, const void* x, void* y, device::Stream stream) {
    return with_type_and_vec(type, vec, [&]<class T, int kVec>() {
        const std::int64_t items = g.pixels_out() * (g.c / kVec);
        return launch("avg_pool2d_fwd", avg_pool2d_fwd_kernel<T, kVec>, item_grid(items), kItemThreads, 0, stream, g, items,
                      static_cast<const T*>(x), static_cast<T*>(y));
    });
}

}  // namespace jcuconv
