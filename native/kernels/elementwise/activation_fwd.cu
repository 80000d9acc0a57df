// Activations forward: y = f(x) with f = max(0, x), tanh(x) or 1 / (1 + exp(-x)).
//
// Layouts    x, y dense in the storage type; y may be x.
// Mapping    One thread per kVec neighbouring elements.
// Limits     kVec = 4 needs a count divisible by 4 and aligned tensors.
// Resources  No shared memory. Floor: bytes of x + y.
// Lost       Nothing yet: a convolution's epilogue applies the same functions for free, so this serves what cannot be fused.
#include "kernels/common/activate.h"
#include "kernels/common/index.h"
#include "kernels/common/vec.h"
#include "kernels/common/with_type.h"
#include "kernels/elementwise/elementwise.h"

namespace jcuconv {

namespace {

JCUCONV_DEVICE float activate(jcuconv_activation_kind kind, float x) {
    switch (kind) {
        case JCUCONV_TANH: return tanh_f32(x);
        case JCUCONV_SIGMOID: return sigmoid(x);
        default: return relu(x);
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
