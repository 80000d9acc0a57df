// Channel scale forward: y[n,h,w,c] = x[n,h,w,c] * gate[n,c], rounded once.
//
// Layouts    x, y NHWC dense, gates [n][c], all in the storage type.
// Mapping    One thread per kVec neighbouring channels of a pixel.
// Limits     kVec = 4 needs c divisible by 4 and aligned tensors.
// Resources  No shared memory. Floor: bytes of x + y; the gates of an image come from the cache.
// Lost       Nothing yet: in the epilogue of the convolution before it would save reading x, but the gates depend on all of x.
#include "kernels/channel_scale/channel_scale.h"

#include "kernels/common/index.h"
#include "kernels/common/vec.h"
#include "kernels/common/with_type.h"

namespace jcuconv {

namespace {

template <class T, int kVec>
JCUCONV_KERNEL(kItemThreads)
channel_scale_fwd_kernel(const ChannelScaleGeometry g, std::int64_t items, const T* x, const T* gates, T* y) {
    const std::int64_t item = item_index();
    if (item >= items) return;
    std::int64_t pixel = item;
    const int c = take_coordinate(pixel, g.c / kVec) * kVec;
    const std::int64_t image = pixel / g.pixels;
    float value[kVec], gate[kVec];
    load_f32(x + item * kVec, value);
    load_f32(gates + image * g.c + c, gate);
#pragma unroll
    for (int i = 0; i < kVec; ++i) value[i] *= gate[i];
    store_f32(y + item * kVec, value);
}

}  // namespace

Outcome channel_scale_fwd(const ChannelScaleGeometry& g, jcuconv_type type, int vec, const void* x, const void* gates, void* y,
                          device::Stream stream) {
    return with_type_and_vec(type, vec, [&]<class T, int kVec>() {
        const std::int64_t items = g.n * g.pixels * (g.c / kVec);
        return launch("channel_scale_fwd", channel_scale_fwd_kernel<T, kVec>, item_grid(items), kItemThreads, 0, stream, g, items,
                      static_cast<const T*>(x), static_cast<const T*>(gates), static_cast<T*>(y));
    });
}

}  // namespace jcuconv
