// Activations backward, from the output: dx = dy * f'(x), where f' is (y > 0), 1 - y^2 or y * (1 - y).
//
// Layouts    y, dy, dx dense in the storage type; dx may be dy.
// Mapping    Four elements per thread (kernels/common/fours.h).
// Limits     vec = 4 needs a count divisible by 4 and aligned tensors; count < 2^31 * 1024.
// Resources  No shared memory. Floor: bytes of y + dy + dx.
// Lost       From x instead of y: then x could not be overwritten by y, which costs a tensor per layer.
#include "kernels/common/fours.h"
#include "kernels/common/with_type.h"
#include "kernels/elementwise/elementwise.h"

namespace jcuconv {

namespace {

JCUCONV_DEVICE float gradient(jcuconv_activation_kind kind, float y, float dy) {
    switch (kind) {
        case JCUCONV_TANH: return dy * (1.0f - y * y);
        case JCUCONV_SIGMOID: return dy * (y * (1.0f - y));
        default: return y > 0.0f ? dy : 0.0f;
    }
}

template <class T>
JCUCONV_KERNEL(kItemThreads)
activation_bwd_kernel(jcuconv_activation_kind kind, std::int64_t count, int vec, const T* y, const T* dy, T* dx) {
    const Four four = four_of_thread(vec);
    if (four.first >= count) return;
    float value[4], slope[4];
    load_four(y, count, four, value);
    load_four(dy, count, four, slope);
#pragma unroll
    for (int i = 0; i < 4; ++i) slope[i] = gradient(kind, value[i], slope[i]);
    store_four(dx, count, four, slope);
}

}  // namespace

Outcome activation_bwd(jcuconv_activation_kind kind, std::int64_t count, jcuconv_type type, int vec, const void* y,
                       const void* dy, void* dx, device::Stream stream) {
    return with_type_and_vec(type, 1, [&]<class T, int>() {
        return launch("activation_bwd", activation_bwd_kernel<T>, four_grid(count), kItemThreads, 0, stream, kind, count, vec,
                      static_cast<const T*>(y), static_cast<const T*>(dy), static_cast<T*>(dx));
    });
}

}  // namespace jcuconv
