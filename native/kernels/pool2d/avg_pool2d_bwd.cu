// Average pooling backward: dx[n,h,w,c] = sum of dy / divisor over the windows that hold (h,w).
//
// Layouts    dy NPQC, dx NHWC in the storage type with a channel pitch.
// Mapping    One thread per input pixel and kVec channels, visiting its windows in the order of their taps.
// Limits     As forward.
// Resources  No shared memory. Floor: bytes of dy + dx.
// Lost       Scattering: as in max-pooling, atomics would let the order of arrival decide the bits.
#include "kernels/common/index.h"
#include "kernels/common/vec.h"
#include "kernels/common/with_type.h"
#include "kernels/pool2d/avg_divisor.h"
#include "kernels/pool2d/pool2d.h"
#include "kernels/common/windows.h"

namespace jcuconv {

namespace {

template <class T, int kVec>
JCUCONV_KERNEL(kItemThreads)
avg_pool2d_bwd_kernel(const Pool2dGeometry g, std::int64_t items, const T* dy, T* dx) {
    std::int64_t index = item_index();
    if (index >= items) return;
    const int c = take_coordinate(index, g.c / kVec) * kVec;
    const std::int64_t pixel = index;
    const int w = take_coordinate(index, g.w), h = take_coordinate(index, g.h);
    const T* gradients = dy + index * g.p * g.q * g.y_pitch + c;

    float sum[kVec];
    set_zero(sum);
    for (int r = 0; r < g.r; ++r) {
        const int p = window_at(h, r, g.pad_top, g.stride_h, 1, g.p);
        if (p < 0) continue;
        for (int s = 0; s < g.s; ++s) {
            const int q = window_at(w, s, g.pad_left, g.stride_w, 1, g.q);
            if (q < 0) continue;
            float gradient[kVec];
            load_f32(gradients + (std::int64_t{p} * g.q + q) * g.y_pitch, gradient);
            const float divisor = avg_divisor(g, p, q);
#pragma unroll
            for (int i = 0; i < kVec; ++i) sum[i] += gradient[i] / divisor;
        }
    }
    store_f32(dx + pixel * g.x_pitch + c, sum);
}

}  // namespace

Outcome avg_pool2d_bwd(const Pool2dGeometry& g, jcuconv_type type, int vec, const void* dy, void* dx, device::Stream stream) {
    return with_type_and_vec(type, vec, [&]<class T, int kVec>() {
        const std::int64_t items = g.pixels_in() * (g.c / kVec);
        return launch("avg_pool2d_bwd", avg_pool2d_bwd_kernel<T, kVec>, item_grid(items), kItemThreads, 0, stream, g, items,
                      static_cast<const T*>(dy), static_cast<T*>(dx));
    });
}

}  // namespace jcuconv
