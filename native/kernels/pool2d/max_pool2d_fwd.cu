// Max-pooling forward: y[n,p,q,c] = maximum of the window, argmax = its offset r*S+s.
//
// Layouts    x NHWC, y NPQC in the storage type with a channel pitch; argmax dense NPQC, uint8 or (r*s > 256) int32.
// Mapping    One thread per output pixel and kVec channels; neighbouring threads hold neighbouring channels.
// Rules      The first maximum in row-major order wins, NaN wins over numbers (the first NaN), padding never wins. Every window
//            holds at least one pixel: validation demands padding smaller than the window.
// Limits     kVec = 4 needs c and the pitches divisible by 4 and aligned tensors. Any window, stride, dilation.
// Resources  No shared memory. Floor: bytes of x + y + argmax; windows that overlap find their rows in the cache.
// Lost       A running column maximum down the rows: saves reads from the cache only, and needs one thread to walk a column.
#include "kernels/common/index.h"
#include "kernels/common/vec.h"
#include "kernels/common/with_type.h"
#include "kernels/pool2d/pool2d.h"

namespace jcuconv {

namespace {

template <class T, int kVec, class Offset>
JCUCONV_KERNEL(kItemThreads)
max_pool2d_fwd_kernel(const Pool2dGeometry g, std::int64_t items, const T* x, T* y, Offset* argmax) {
    std::int64_t index = item_index();
    if (index >= items) return;
    const int c = take_coordinate(index, g.c / kVec) * kVec;
    const std::int64_t pixel = index;
    const int q = take_coordinate(index, g.q), p = take_coordinate(index, g.p);
    const T* image = x + index * g.h * g.w * g.x_pitch + c;

    float best[kVec];
    int offset[kVec];
#pragma unroll
    for (int i = 0; i < kVec; ++i) offset[i] = -1;
    set_zero(best);
    for (int r = 0; r < g.r; ++r) {
        const int h = p * g.stride_h - g.pad_top + r * g.dilation_h;
        if (h < 0 || h >= g.h) continue;
        for (int s = 0; s < g.s; ++s) {
            const int w = q * g.stride_w - g.pad_left + s * g.dilation_w;
            if (w < 0 || w >= g.w) continue;
            float v[kVec];
            load_f32(image + (std::int64_t{h} * g.w + w) * g.x_pitch, v);
#pragma unroll
            for (int i = 0; i < kVec; ++i) {
                const bool first_nan = v[i] != v[i] && best[i] == best[i];
                if (offset[i] < 0 || v[i] > best[i] || first_nan) {
                    best[i] = v[i];
                    offset[i] = r * g.s + s;
                }
            }
        }
    }
    store_f32(y + pixel * g.y_pitch + c, best);
    if (argmax == nullptr) return;
    Pack<Offset, kVec> packed;
#pragma unroll
    for (int i = 0; i < kVec; ++i) packed.v[i] = static_cast<Offset>(offset[i]);
    store_global(reinterpret_cast<Pack<Offset, kVec>*>(argmax + pixel * g.c + c), packed);
}

}  // namespace

Outcome max_pool2d_fwd(const Pool2dGeometry& g, jcuconv_type type, int vec, const void* x, void* y, void* argmax,
                       device::Stream stream) {
    const bool wide = g.r * g.s > kMaxByteWindow;
    return with_type_and_vec(type, wide ? 1 : vec, [&]<class T, int kVec>() {
        const std::int64_t items = g.pixels_out() * (g.c / kVec);
        const auto run = [&]<class Offset>(Offset* offsets) {
            return launch("max_pool2d_fwd", max_pool2d_fwd_kernel<T, kVec, Offset>, item_grid(items), kItemThreads, 0, stream, g,
                          items, static_cast<const T*>(x), static_cast<T*>(y), offsets);
        };
        if constexpr (kVec == 1) {  // windows so large are rare, and reuse makes up for scalars
            if (wide) return run(static_cast<std::int32_t*>(argmax));
        }
        return run(static_cast<std::uint8_t*>(argmax));
    });
}

}  // namespace jcuconv
