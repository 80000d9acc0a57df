// Activations backward, from the output: dx = dy * f'(x), where f' is (y > 0), 1 - y^2 or y * (1 - y).
//
// Layouts    y, dy, dx dense in the storage type; dx may be dy.
// Mapping    One thread per kVec neighbouring elements.
// Limits     kVec = 4 needs a count divisible by 4 and aligned tensors.
// Resources  No shared memory. Floor: bytes of y + dy + dx.
// Lost       From x instead of y: then x could not be overwritten by y, which costs a tensor per layer.
#include "kernels/common/index.h"
#include "kernels/common/vec.h"
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

template <class T, int kVec>
JCUCONV_KERNEL(kItemThreads)
activation_bwd_kernel(jcuconv_activation_kind kind, std::int64_t items, const T* y, const T* dy, T* dx) {
    const std::int64_t item = item_index();
    if (item >= items) return;
    float value[kVec], slope[kVec];
    load_f32(y + item * kVec, value);
    load_f32(dy + item * kVec, slope);
#pragma unroll
    for (int i = 0; i < kVec; ++i) slope[i] = gradient(kind, value[i], slope[i]);
    store_f32(dx + item * kVec, slope);
}

}  // namespace

Outcome activation_bwd(jcuconv_activation_kind kind, std::int64_t count, jcuconv_type type, int vec, const void* y,
                       const void* dy, void* dx, device::Stream stream) {
    return with_type_and_vec(type, vec, [&]<class T, int kVec>() {
        return launch("activation_bwd", activation_bwd_kernel<T, kVec>, item_grid(count / kVec), kItemThreads, 0, stream, kind,
                      count / kVec, static_cast<const T*>(y), static_cast<const T*>(dy), static_cast<T*>(dx));
    });
}

}  // namespace jcuconv
