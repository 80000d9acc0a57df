// Batch normalization backward, with x^ = (x - mean) / sqrt(var + eps) and sums over all pixels of a channel:
// dbeta = sum of dy, dgamma = sum of dy * x^, dx = gamma / sqrt(var + eps) * (dy - dbeta / pixels - x^ * dgamma / pixels).
//
// Layouts    x, dy, dx NHWC in the storage type, dx at the pitch of x; parameters and their gradients fp32 [c]; workspace
//            [splits][c] parts of dbeta, then [splits][c] parts of dgamma.
// Mapping    Sums: a block takes 32 * kVec channels and one split of the pixels as in batch_norm_statistics; warps are added in order
//            through shared memory, splits by add_split_sums. Then one thread per kVec channels of four neighbouring pixels.
// Limits     kVec = 4 needs c and the pitches divisible by 4 and aligned tensors. splits <= 65535.
// Resources  8 KB shared memory (kVec = 4). Floor: bytes of x + dy twice, of dx once.
// Lost       Nothing yet: the second reading could be spared by the convolution that consumes dx.
#include "core/arithmetic.h"
#include "kernels/batch_norm/batch_norm.h"
#include "kernels/common/index.h"
#include "kernels/common/split_sums.h"
#include "kernels/common/vec.h"
#include "kernels/common/with_type.h"

namespace jcuconv {

namespace {

constexpr int kLanes = kBatchNormLanes, kWarps = kBatchNormWarps;
constexpr int kRun = 4;  // pixels of a thread that computes dx

template <int kVec>
struct Shared {
    float dbeta[kWarps][kVec][kLanes], dgamma[kWarps][kVec][kLanes];
};

JCUCONV_DEVICE float inverse_deviation(const BatchNormGeometry& g, const float* var, int c) {
    return 1.0f / sqrt_f32(load_global(var + c) + g.eps);
}

template <class T, int kVec>
JCUCONV_KERNEL(kLanes* kWarps)
batch_norm_sums_kernel(const BatchNormGeometry g, std::int64_t split_pixels, const BatchNormBackward t, float* dbeta, float* dgamma) {
    auto& s = shared<Shared<kVec>>();
    const int lane = thread_index() % kLanes, warp = thread_index() / kLanes;
    const int c = (static_cast<int>(block_index().x) * kLanes + lane) * kVec;
    const std::int64_t first = std::int64_t{block_index().y} * split_pixels;
    const std::int64_t end = first + split_pixels < g.pixels ? first + split_pixels : g.pixels;
    const T* x = static_cast<const T*>(t.x) + c;
    const T* dy = static_cast<const T*>(t.dy) + c;
    float plain[kVec], weighted[kVec];
    set_zero(plain);
    set_zero(weighted);
    if (c < g.c) {
        float mean[kVec];
#pragma unroll
        for (int i = 0; i < kVec; ++i) mean[i] = load_global(t.mean + c + i);
#pragma unroll 4  // several pixels in flight
        for (std::int64_t pixel = first + warp; pixel < end; pixel += kWarps) {
            float value[kVec], gradient[kVec];
            load_f32(x + pixel * g.x_pitch, value);
            load_f32(dy + pixel * g.y_pitch, gradient);
#pragma unroll
            for (int i = 0; i < kVec; ++i) {
                plain[i] += gradient[i];
                weighted[i] += gradient[i] * (value[i] - mean[i]);
            }
        }
    }
#pragma unroll
    for (int i = 0; i < kVec; ++i) {
        s.dbeta[warp][i][lane] = plain[i];
        s.dgamma[warp][i][lane] = weighted[i];
    }
    sync_threads();
    if (warp != 0 || c >= g.c) return;
    const std::int64_t to = std::int64_t{block_index().y} * g.c + c;
#pragma unroll
    for (int i = 0; i < kVec; ++i) {
        for (int other = 1; other < kWarps; ++other) {
            plain[i] += s.dbeta[other][i][lane];
            weighted[i] += s.dgamma[other][i][lane];
        }
        store_global(dbeta + to + i, plain[i]);
        store_global(dgamma + to + i, weighted[i] * inverse_deviation(g, t.var, c + i));
    }
}

// Without the promise of 4 blocks, which is 64 registers, ptxas aims at 40 for sm_100 and spills.
template <class T, int kVec>
JCUCONV_KERNEL(kItemThreads, 4)
batch_norm_dx_kernel(const BatchNormGeometry g, std::int64_t items, const BatchNormBackward t) {
    std::int64_t run = item_index();
    if (run >= items) return;
    const int c = take_coordinate(run, g.c / kVec) * kVec;
    const float all = static_cast<float>(g.pixels);
    float factor[kVec], center[kVec], shift[kVec], slope[kVec];
#pragma unroll
    for (int i = 0; i < kVec; ++i) {
        const float inverse = inverse_deviation(g, t.var, c + i);
        factor[i] = load_global(t.gamma + c + i) * inverse;
        center[i] = load_global(t.mean + c + i);
        shift[i] = load_global(t.dbeta + c + i) / all;
        slope[i] = load_global(t.dgamma + c + i) / all * inverse;
    }
#pragma unroll
    for (int j = 0; j < kRun; ++j) {
        const std::int64_t pixel = run * kRun + j;
        if (pixel >= g.pixels) break;
        float value[kVec], gradient[kVec];
        load_f32(static_cast<const T*>(t.x) + pixel * g.x_pitch + c, value);
        load_f32(static_cast<const T*>(t.dy) + pixel * g.y_pitch + c, gradient);
#pragma unroll
        for (int i = 0; i < kVec; ++i) value[i] = factor[i] * (gradient[i] - shift[i] - (value[i] - center[i]) * slope[i]);
        store_f32(static_cast<T*>(t.dx) + pixel * g.x_pitch + c, value);
    }
}

}  // namespace

Outcome batch_norm_bwd(const BatchNormGeometry& g, jcuconv_type type, int vec, const PixelSplit& split,
                       const BatchNormBackward& tensors, float* workspace, device::Stream stream) {
    const bool parts = split.splits > 1;
    float* dbeta = parts ? workspace : tensors.dbeta;
    float* dgamma = parts ? workspace + std::int64_t{split.splits} * g.c : tensors.dgamma;
    JCUCONV_TRY(with_type_and_vec(type, vec, [&]<class T, int kVec>() {
        const Dim3 grid = {static_cast<unsigned>(ceil_div(g.c, kLanes * kVec)), static_cast<unsigned>(split.splits), 1};
        return launch("batch_norm_sums", batch_norm_sums_kernel<T, kVec>, grid, kLanes * kWarps, sizeof(Shared<kVec>), stream, g,
                      split.split_pixels, tensors, dbeta, dgamma);
    }));
    if (parts) {
        JCUCONV_TRY(add_split_sums(dbeta, split.splits, g.c, tensors.dbeta, false, stream));
        JCUCONV_TRY(add_split_sums(dgamma, split.splits, g.c, tensors.dgamma, false, stream));
    }
    return with_type_and_vec(type, vec, [&]<class T, int kVec>() {
        const std::int64_t items = ceil_div<std::int64_t>(g.pixels, kRun) * (g.c / kVec);
        return launch("batch_norm_dx", batch_norm_dx_kernel<T, kVec>, item_grid(items), kItemThreads, 0, stream, g, items, tensors);
    });
}

}  // namespace jcuconv
