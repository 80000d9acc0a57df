// Depthwise weight gradient: dw[c,r,s] = sum over n,p,q of dy[n,p,q,c] * x[n, p*u - pad + r*d, ..., c].
//
// Layouts    x NHWC, dy NPQC in the storage type with a channel pitch; dw [c][r][s] and workspace [splits][c][r][s] fp32.
// Mapping    A block owns 32 channels (one per lane), up to 9 taps and one split of the pixels. Its 8 warps walk every eighth
//            pixel with a sum per tap in registers; the eight sums are added in order through shared memory, the splits by
//            add_split_sums. Grid: x channel tiles, y tap chunks, z splits.
// Limits     c = k = groups, r*s <= 9 * 65535. Any stride, dilation, padding.
// Resources  9.2 KB shared memory. Cost: 2*n*p*q*c*r*s FLOP, floor bytes of x + dy; each chunk of 9 taps reads dy once and x from
//            the cache.
// Lost       One block per tap: reads dy r*s times.
#include "heuristics/conv2d_launch.h"
#include "heuristics/kernel_budget.h"
#include "kernels/common/grid.h"
#include "kernels/common/index.h"
#include "kernels/common/split_sums.h"
#include "kernels/common/vec.h"
#include "kernels/common/with_type.h"
#include "kernels/depthwise/depthwise.h"

namespace jcuconv {

namespace {

constexpr int kLanes = kDepthwiseLanes, kWarps = 8, kTaps = kDepthwiseTaps;

struct Shared {
    float sums[kWarps][kTaps][kLanes];
};

template <class T>
JCUCONV_KERNEL(kLanes* kWarps)
depthwise_wgrad_kernel(const Conv2dGeometry g, std::int64_t split_pixels, const T* x, const T* dy, float* out, bool accumulate) {
    auto& s = shared<Shared>();
    const int lane = thread_index() % kLanes, warp = thread_index() / kLanes;
    const int c = static_cast<int>(block_index().x) * kLanes + lane, first_tap = static_cast<int>(block_index().y) * kTaps;
    const int taps = g.r * g.s;
    const std::int64_t pixels = std::int64_t{g.n} * g.p * g.q, first = std::int64_t{block_index().z} * split_pixels;
    const std::int64_t end = first + split_pixels < pixels ? first + split_pixels : pixels;
    float sum[kTaps];
    set_zero(sum);
    if (c < g.c) {
        for (std::int64_t pixel = first + warp; pixel < end; pixel += kWarps) {
            const float gradient = to_f32(load_global(dy + pixel * g.y_pitch + c));
            std::int64_t image = pixel;
            const int w0 = take_coordinate(image, g.q) * g.stride_w - g.pad_left;
            const int h0 = take_coordinate(image, g.p) * g.stride_h - g.pad_top;
#pragma unroll
            for (int t = 0; t < kTaps; ++t) {
                const int tap = first_tap + t, h = h0 + tap / g.s * g.dilation_h, w = w0 + tap % g.s * g.dilation_w;
                if (tap < taps && h >= 0 && h < g.h && w >= 0 && w < g.w)
                    sum[t] += gradient * to_f32(load_global(x + ((image * g.h + h) * g.w + w) * g.x_pitch + c));
            }
        }
    }
#pragma unroll
    for (int t = 0; t < kTaps; ++t) s.sums[warp][t][lane] = sum[t];
    sync_threads();
    // Warp w adds taps w and w + 8.
    for (int t = warp; t < kTaps; t += kWarps) {
        const int tap = first_tap + t;
        if (tap >= taps || c >= g.c) continue;
        float total = 0.0f;
        for (int other = 0; other < kWarps; ++other) total += s.sums[other][t][lane];
        float* to = out + (std::int64_t{block_index().z} * g.c + c) * taps + tap;
        if (accumulate) total += load_global(to);
        store_global(to, total);
    }
}

static_assert(kernel_budget("depthwise_wgrad").threads == kLanes * kWarps);
static_assert(sizeof(Shared) == kLanes * kWarps * kTaps * sizeof(float));

}  // namespace

Outcome depthwise_wgrad(const Conv2dGeometry& g, jcuconv_type type, const Conv2dConfig& config, const void* x, const void* dy,
                        float* dw, bool accumulate, float* workspace, device::Stream stream) {
    const bool split = config.split.splits > 1;
    const LaunchShape shape = conv2d_launch(g, JCUCONV_WGRAD, config);
    JCUCONV_TRY(with_type_and_vec(type, 1, [&]<class T, int>() {
        return launch("depthwise_wgrad", depthwise_wgrad_kernel<T>, grid_of(shape), shape.threads, shape.shared_bytes, stream, g,
                      config.split.split_pixels, static_cast<const T*>(x), static_cast<const T*>(dy), split ? workspace : dw,
                      !split && accumulate);
    }));
    return split ? add_split_sums(workspace, config.split.splits, g.filter_elements(), dw, accumulate, stream) : Outcome();
}

}  // namespace jcuconv
