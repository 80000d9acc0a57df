// LRN forward, see lrn.h.
//
// Layouts    x, y NHWC in the storage type with a channel pitch; scale dense fp32, optional.
// Mapping    One thread per run of 16 channels of a pixel. Its window lies in registers and moves on by kVec channels at a time: kVec
//            new ones are read, the sums are formed anew. So a run reads its channels once, and a halo of kHalf on both sides.
// Limits     Windows of up to 17 channels: kHalf = 2 serves up to 5 of vectors, kHalf = 8 the rest. kVec = 4 needs c and the pitches divisible
//            by 4 and aligned tensors.
// Resources  No shared memory. Floor: bytes of x + y (+ scale); the halo comes from the cache.
// Lost       One thread per vector with its own halo: two to five times the reads and a division of the index per vector. One run per
//            pixel: no halo, but neighbouring threads then read addresses a whole pixel apart. A run unrolled without moves in
//            registers: 16 copies of the power.
#include "core/arithmetic.h"
#include "kernels/common/index.h"
#include "kernels/common/with_type.h"
#include "kernels/lrn/window.h"

namespace jcuconv {

namespace {

constexpr int kRun = 16;  // channels of a thread

template <class T, int kVec, int kHalf>
JCUCONV_KERNEL(kItemThreads)
lrn_fwd_kernel(const LrnGeometry g, std::int64_t items, const T* x, T* y, float* scales) {
    static_assert(kRun % kVec == 0, "whole vectors in a run");
    constexpr int kHalo = (kHalf + kVec - 1) / kVec * kVec;  // whole vectors
    std::int64_t pixel = item_index();
    if (pixel >= items) return;
    const int first = take_coordinate(pixel, (g.c + kRun - 1) / kRun) * kRun;
    const T* from = x + pixel * g.x_pitch;
    float v[2 * kHalo + kVec], next[kVec];  // v[kHalo] is channel c
#pragma unroll
    for (int i = 0; i < 2 * kHalo; i += kVec) {
        load_vector(from, first - kHalo + i, g.c, next);
#pragma unroll
        for (int e = 0; e < kVec; ++e) v[i + e] = next[e];
    }
#pragma unroll 1
    for (int c = first; c < first + kRun && c < g.c; c += kVec) {
        load_vector(from, c + kHalo, g.c, next);
        float out[kVec], scale[kVec];
#pragma unroll
        for (int i = 0; i < kVec; ++i) v[2 * kHalo + i] = next[i];
#pragma unroll
        for (int i = 0; i < kVec; ++i) {
            scale[i] = g.k + g.factor * window_sum<kHalf, true>(v, kHalo + i, g.half);
            out[i] = v[kHalo + i] * inverse_power(scale[i], g.beta);
        }
        store_f32(y + pixel * g.y_pitch + c, out);
        if (scales != nullptr) store_f32(scales + pixel * g.c + c, scale);
#pragma unroll
        for (int i = 0; i < 2 * kHalo; ++i) v[i] = v[i + kVec];
    }
}

}  // namespace

Outcome lrn_fwd(const LrnGeometry& g, jcuconv_type type, int vec, const void* x, void* y, float* scale, device::Stream stream) {
    return with_type_and_vec(type, vec, [&]<class T, int kVec>() {
        const std::int64_t items = g.pixels * ceil_div(g.c, kRun);
        constexpr int kNarrow = narrow_lrn_half<kVec>;
        const auto kernel = g.half <= kNarrow ? lrn_fwd_kernel<T, kVec, kNarrow> : lrn_fwd_kernel<T, kVec, kMaxLrnHalf>;
        return launch("lrn_fwd", kernel, item_grid(items), kItemThreads, 0, stream, g, items, static_cast<const T*>(x),
                      static_cast<T*>(y), scale);
    });
}

}  // namespace jcuconv
