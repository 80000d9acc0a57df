// LRN forward, see lrn.h.
//
// Layouts    x, y NHWC in the storage type with a channel pitch; scale dense fp32, optional.
// Mapping    One thread per pixel and kVec channels; it keeps kVec channels and a halo of kHalf on both sides in registers.
// Limits     Windows of up to 17 channels: kHalf = 2 serves up to 5, kHalf = 8 the rest. kVec = 4 needs c and the pitch of y
//            divisible by 4 and an aligned y.
// Resources  No shared memory. Floor: bytes of x + y (+ scale); the halo comes from the cache.
// Lost       A ring that one thread slides over all channels of a pixel: reads x once, but neighbouring threads then read
//            addresses a whole pixel apart.
#include "kernels/common/index.h"
#include "kernels/common/with_type.h"
#include "kernels/lrn/window.h"

namespace jcuconv {

namespace {

template <class T, int kVec, int kHalf>
JCUCONV_KERNEL(kItemThreads)
lrn_fwd_kernel(const LrnGeometry g, std::int64_t items, const T* x, T* y, float* scales) {
    std::int64_t pixel = item_index();
    if (pixel >= items) return;
    const int c = take_coordinate(pixel, g.c / kVec) * kVec;
    float v[kVec + 2 * kHalf], squares[kVec + 2 * kHalf];
    load_channels(x + pixel * g.x_pitch, c - kHalf, g.c, v);
#pragma unroll
    for (int i = 0; i < kVec + 2 * kHalf; ++i) squares[i] = v[i] * v[i];
    float out[kVec], scale[kVec];
#pragma unroll
    for (int i = 0; i < kVec; ++i) {
        scale[i] = g.k + g.factor * window_sum<kHalf>(squares, i + kHalf, g.half);
        out[i] = v[i + kHalf] * inverse_power(scale[i], g.beta);
    }
    store_f32(y + pixel * g.y_pitch + c, out);
    if (scales != nullptr) store_f32(scales + pixel * g.c + c, scale);
}

}  // namespace

Outcome lrn_fwd(const LrnGeometry& g, jcuconv_type type, int vec, const void* x, void* y, float* scale, device::Stream stream) {
    return with_type_and_vec(type, vec, [&]<class T, int kVec>() {
        const std::int64_t items = g.pixels * (g.c / kVec);
        const auto kernel = g.half <= 2 ? lrn_fwd_kernel<T, kVec, 2> : lrn_fwd_kernel<T, kVec, kMaxLrnHalf>;
        return launch("lrn_fwd", kernel, item_grid(items), kItemThreads, 0, stream, g, items, static_cast<const T*>(x),
                      static_cast<T*>(y), scale);
    });
}

}  // namespace jcuconv
