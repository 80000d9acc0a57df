// Stochastic gradient descent, with or without momentum, see jcuconv_optimizer.
//
// Layouts    w, dw, m flat fp32; w_storage flat in the storage type, or absent; hyper fp32 [9].
// Mapping    One thread per parameter.
// Limits     count < 2^31 * 256. The rate is read from device memory, so that a captured graph outlives its changes.
// Resources  No shared memory. Floor: bytes of w, dw, m read and of w, m, w_storage written.
// Lost       One launch per layer: small layers would cost a launch of 2 us for 50 ns of work.
#include "kernels/common/index.h"
#include "kernels/common/with_type.h"
#include "kernels/optimizer/optimizer.h"

namespace jcuconv {

namespace {

template <class T>
JCUCONV_KERNEL(kItemThreads)
sgd_kernel(std::int64_t count, const OptimizerTensors t, T* w_storage) {
    const std::int64_t i = item_index();
    if (i >= count) return;
    const float w = load_global(t.w + i);
    if (load_global(t.hyper + kApply) == 0.0f) {
        if (w_storage != nullptr) store_global(w_storage + i, from_f32<T>(w));
        return;
    }
    float step = load_global(t.hyper + kGradientScale) * load_global(t.dw + i) + load_global(t.hyper + kWeightDecay) * w;
    if (t.m != nullptr) {
        step += load_global(t.hyper + kMomentum) * load_global(t.m + i);
        store_global(t.m + i, step);
    }
    const float updated = w - load_global(t.hyper + kLearningRate) * step;
    store_global(t.w + i, updated);
    if (w_storage != nullptr) store_global(w_storage + i, from_f32<T>(updated));
}

}  // namespace

Outcome sgd(std::int64_t count, jcuconv_type storage, const OptimizerTensors& t, device::Stream stream) {
    return with_type_and_vec(storage, 1, [&]<class T, int>() {
        return launch("sgd", sgd_kernel<T>, item_grid(count), kItemThreads, 0, stream, count, t, static_cast<T*>(t.w_storage));
    });
}

}  // namespace jcuconv
