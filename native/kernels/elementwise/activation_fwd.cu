// Activations forward: y = f(x) with f = max(0, x), tanh(x) or 1 / (1 + exp(-x)).
//
// Layouts    x, y dense in the storage type; y may be x.
// Mapping    Four elements per thread (kernels/common/fours.h).
// Limits     vec = 4 needs a count divisible by 4 and aligned tensors; count < 2^31 * 1024.
// Resources  No shared memory. Floor: bytes of x + y.
// Lost       Nothing yet: a convolution's epilogue applies the same functions for free, so this serves what cannot be fused.
#include "kernels/common/activate.h"
#include "kernels/common/fours.h"
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

template <class T>
JCUCONV_KERNEL(kItemThreads)
activation_fwd_kernel(jcuconv_activation_kind kind, std::int64_t count, int vec, const T* x, T* y) {
    const Four four = four_of_thread(vec);
    if (four.first >= count) return;
    float v[4];
    load_four(x, count, four, v);
#pragma unroll
    for (int i = 0; i < 4; ++i) v[i] = activate(kind, v[i]);
    store_four(y, count, four, v);
}

}  // namespace

Outcome activation_fwd(jcuconv_activation_kind kind, std::int64_t count, jcuconv_type type, int vec, const void* x, void* y,
                       device::Stream stream) {
    return with_type_and_vec(type, 1, [&]<class T, int>() {
        return launch("activation_fwd", activation_fwd_kernel<T>, four_grid(count), kItemThreads, 0, stream, kind, count, vec,
                      static_cast<const T*>(x), static_cast<T*>(y));
    });
}

}  // namespace jcuconv
