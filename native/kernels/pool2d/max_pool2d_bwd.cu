// Max-pooling backward: dx[n,h,w,c] = sum of dy over the windows whose maximum lay at (h,w).
//
// Layouts    dy NPQC, dx NHWC in the storage type with a channel pitch; argmax dense NPQC, uint8 or int32.
// Mapping    One thread per input pixel and kVec channels. It visits the windows that hold its pixel, at most
//            ceil(r/stride_h) * ceil(s/stride_w), in order of their taps, and adds dy where argmax names its own tap.
// Limits     As forward.
// Resources  No shared memory. Floor: bytes of dy + argmax + dx.
// Lost       Scattering dy to its maximum: needs atomics where windows overlap (order decides the bits) and a cleared dx.
#include "kernels/common/index.h"
#include "kernels/common/vec.h"
#include "kernels/common/with_type.h"
#include "kernels/pool2d/pool2d.h"
#include "kernels/common/windows.h"

namespace jcuconv {

namespace {

// The promise of 4 blocks gives ptxas 64 registers; left alone it aims at a rounder number on some architectures and spills.
template <class T, int kVec, class Offset>
JCUCONV_KERNEL(kItemThreads, 4)
max_pool2d_bwd_kernel(const Pool2dGeometry g, std::int64_t items, const T* dy, const Offset* argmax, T* dx) {
    std::int64_t index = item_index();
    if (index >= items) return;
    const int c = take_coordinate(index, g.c / kVec) * kVec;
    const std::int64_t pixel = index;
    const int w = take_coordinate(index, g.w), h = take_coordinate(index, g.h);
    const std::int64_t first_window = index * g.p * g.q;

    float sum[kVec];
    set_zero(sum);
    for (int r = 0; r < g.r; ++r) {
        const int p = window_at(h, r, g.pad_top, g.stride_h, g.dilation_h, g.p);
        if (p < 0) continue;
        for (int s = 0; s < g.s; ++s) {
            const int q = window_at(w, s, g.pad_left, g.stride_w, g.dilation_w, g.q);
            if (q < 0) continue;
            const std::int64_t window = first_window + std::int64_t{p} * g.q + q;
            const auto offsets = load_global(reinterpret_cast<const Pack<Offset, kVec>*>(argmax + window * g.c + c));
            float gradient[kVec];
            load_f32(dy + window * g.y_pitch + c, gradient);
#pragma unroll
            for (int i = 0; i < kVec; ++i)
                if (offsets.v[i] == r * g.s + s) sum[i] += gradient[i];
        }
    }
    store_f32(dx + pixel * g.x_pitch + c, sum);
}

}  // namespace

Outcome max_pool2d_bwd(const Pool2dGeometry& g, jcuconv_type type, int vec, const void* dy, const void* argmax, void* dx,
                       device::Stream stream) {
    const bool wide = g.r * g.s > kMaxByteWindow;
    return with_type_and_vec(type, wide ? 1 : vec, [&]<class T, int kVec>() {
        const std::int64_t items = g.pixels_in() * (g.c / kVec);
        const auto run = [&]<class Offset>(const Offset* offsets) {
            return launch("max_pool2d_bwd", max_pool2d_bwd_kernel<T, kVec, Offset>, item_grid(items), kItemThreads, 0, stream, g,
                          items, static_cast<const T*>(dy), offsets, static_cast<T*>(dx));
        };
        if constexpr (kVec == 1) {
            if (wide) return run(static_cast<const std::int32_t*>(argmax));
        }
        return run(static_cast<const std::uint8_t*>(argmax));
    });
}

}  // namespace jcuconv
