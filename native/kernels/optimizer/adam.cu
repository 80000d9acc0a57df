// Adam with decoupled weight decay, see jcuconv_optimizer.
//
// Layouts    w, dw, m, v flat fp32; w_storage flat in the storage type, or absent; hyper fp32 [9].
// Mapping    One thread per parameter.
// Limits     count < 2^31 * 256. The bias corrections 1 - beta^t come from device memory like the rate.
// Resources  No shared memory. Floor: bytes of w, dw, m, v read and of w, m, v, w_storage written.
// Lost       As in sgd.cu.
#include "kernels/common/index.h"
#include "kernels/common/with_type.h"
#include "kernels/optimizer/optimizer.h"

namespace jcuconv {

namespace {

template <class T>
JCUCONV_KERNEL(kItemThreads)
adam_kernel(std::int64_t count, const OptimizerTensors t, T* w_storage) {
    const std::int64_t i = item_index();
    if (i >= count) return;
    const auto hyper = [&](int index) { return load_global(t.hyper + index); };
    const float w = load_global(t.w + i);
    if (hyper(kApply) == 0.0f) {
        if (w_storage != nullptr) store_global(w_storage + i, from_f32<T>(w));
        return;
    }
    const float g = hyper(kGradientScale) * load_global(t.dw + i);
    const float beta1 = hyper(kMomentum), beta2 = hyper(kBeta2);
    const float m = beta1 * load_global(t.m + i) + (1.0f - beta1) * g;
    const float v = beta2 * load_global(t.v + i) + (1.0f - beta2) * g * g;
    store_global(t.m + i, m);
    store_global(t.v + i, v);
    const float step = m / hyper(kCorrection1) / (sqrt_f32(v / hyper(kCorrection2)) + hyper(kEps));
    const float updated = w - hyper(kLearningRate) * (step + hyper(kWeightDecay) * w);
    store_global(t.w + i, updated);
    if (w_storage != nullptr) store_global(w_storage + i, from_f32<T>(updated));
}

}  // namespace

Outcome adam(std::int64_t count, jcuconv_type storage, const OptimizerTensors& t, device::Stream stream) {
    return with_type_and_vec(storage, 1, [&]<class T, int>() {
        return launch("adam", adam_kernel<T>, item_grid(count), kItemThreads, 0, stream, count, t, static_cast<T*>(t.w_storage));
    });
}

}  // namespace jcuconv
