// Activations forward: y = f(x) with f = max(0, x), tanh(x) or 1 / (1 + exp(-x)).
//
// Layouts    x, y dense in the storage type; y may be x.
// Mapping    One thread per kVec neighbouring elements.
// Limits     kVec = 4 needs a count divisible by 4 and aligned tensors.
// Resources  No shared memory. Floor: bytes of x + y.
// Lost       Nothing yet: a convolution's epilogue applies ReLU for free, so this serves what cannot be fused.
#include "kernels/common/index.h"
#include "kernels/common/vec.h"
#include "kernels/common/with_type.h"
#include "kernels/elementwise/elementwise.h"

namespace jcuconv {

namespace {

JCUCONV_DEVICE float activate(jcuconv_activation_kind kind, float x) {
    switch (kind) {
        case JCUCONV_TANH: return tanh_f32(x);
        case JCUCONV_SIGMOID: {
            const float e = exp_f32(x < 0.0f ? x : -x);  // at most 1: cannot overflow
            return (x < 0.0f ? e : 1.0f) / (1.0f + e);
        }
        default: return x < 0.0f ? 0.0f : x;  // a NaN stays a NaN
    }
}

template <class T, int kVec>
JCUCONV_KERNEL(kItemThreads)
activation_fwd_kernel(jcuconv_activation_kind kind, std::int64_t items, const T* x, T* y) {
    const std::int64_t item = item_index();
    if (item >= items) return;
    float v[kVec];
    load_f32(x + item * kVec, v);
#pragma unroll
    for (int i = 0; i < kVec; ++i) v[i] = activate(kind, v[i]);
    store_f32(y + item * kVec, v);
}

}  // namespace

Outcome activation_fwd(jcuconv_activation_kind kind, std::int64_t count, jcuconv_type type, int vec, const void* x, void* y,
                       device::Stream stream) {
    return with_type_and_vec(type, vec, [&]<class T, int kVec>() {
        return launch("activation_fwd", activation_fwd_kernel<T, kVec>, item_grid(count / kVec), kItemThreads, 0, stream, kind,
                      count / kVec, static_cast<const T*>(x), static_cast<T*>(y));
    });
}

}  // namespace jcuconv
