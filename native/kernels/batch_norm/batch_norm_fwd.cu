// Batch normalization forward: y = gamma * (x - mean) / sqrt(var + eps) + beta, with the statistics of the batch or the running ones.
//
// Layouts    x, y NHWC in the storage type at their own pitches; gamma, beta, mean, var fp32 [c].
// Mapping    One thread per kVec channels of four neighbouring pixels: the parameters are read and the root is taken once for them.
//            Neighbouring threads hold neighbouring channels.
// Limits     kVec = 4 needs c and the pitches divisible by 4 and aligned tensors.
// Resources  No shared memory. Floor: bytes of x + y.
// Lost       gamma / sqrt(...) and beta - mean * ... as one factor and one shift: one operation less for a memory-bound kernel, and the
//            difference to the mean would be formed after rounding.
#include "kernels/batch_norm/batch_norm.h"
#include "kernels/common/index.h"
#include "kernels/common/vec.h"
#include "kernels/common/with_type.h"

namespace jcuconv {

namespace {

constexpr int kRun = 4;  // pixels of a thread

template <class T, int kVec>
JCUCONV_KERNEL(kItemThreads)
batch_norm_fwd_kernel(const BatchNormGeometry g, std::int64_t items, const T* x, const float* gamma, const float* beta,
                      const float* mean, const float* var, T* y) {
    std::int64_t run = item_index();
    if (run >= items) return;
    const int c = take_coordinate(run, g.c / kVec) * kVec;
    float factor[kVec], center[kVec], shift[kVec];
#pragma unroll
    for (int i = 0; i < kVec; ++i) {
        factor[i] = load_global(gamma + c + i) / sqrt_f32(load_global(var + c + i) + g.eps);
        center[i] = load_global(mean + c + i);
        shift[i] = load_global(beta + c + i);
    }
#pragma unroll
    for (int j = 0; j < kRun; ++j) {
        const std::int64_t pixel = run * kRun + j;
        if (pixel >= g.pixels) break;
        float v[kVec];
        load_f32(x + pixel * g.x_pitch + c, v);
#pragma unroll
        for (int i = 0; i < kVec; ++i) v[i] = (v[i] - center[i]) * factor[i] + shift[i];
        store_f32(y + pixel * g.y_pitch + c, v);
    }
}

}  // namespace

Outcome batch_norm_fwd(const BatchNormGeometry& g, jcuconv_type type, int vec, const void* x, const float* gamma,
                       const float* beta, const float* mean, const float* var, void* y, device::Stream stream) {
    return with_type_and_vec(type, vec, [&]<class T, int kVec>() {
        const std::int64_t items = ceil_div<std::int64_t>(g.pixels, kRun) * (g.c / kVec);
        return launch("batch_norm_fwd", batch_norm_fwd_kernel<T, kVec>, item_grid(items), kItemThreads, 0, stream, g, items,
                      static_cast<const T*>(x), gamma, beta, mean, var, static_cast<T*>(y));
    });
}

}  // namespace jcuconv
