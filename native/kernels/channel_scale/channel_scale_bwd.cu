// Channel scale backward: dx = dy * gate, dgate[n,c] = sum over the pixels of image n of dy * x.
//
// Layouts    x, dy, dx NHWC dense, gates and dgates [n][c], all in the storage type; sums in fp32, rounded once.
// Mapping    A block takes 32 channels of one image: each of its 8 warps walks every eighth pixel with one lane per channel, writes dx
//            on the way, then the eight sums are added in order through shared memory. Grid: x image * channel tiles + tile.
// Limits     Images * channel tiles below 2^31.
// Resources  1 KB shared memory. Floor: bytes of x + dy + dx.
// Lost       dx as the forward kernel on dy: reads dy twice. Splitting the pixels of an image over blocks: images and tiles are enough
//            blocks but for batch 1 at the first stages.
#include "core/arithmetic.h"
#include "kernels/channel_scale/channel_scale.h"
#include "kernels/common/index.h"
#include "kernels/common/with_type.h"

namespace jcuconv {

namespace {

constexpr int kWarps = 8;

struct Shared {
    float sums[kWarps][kChannelScaleLanes];
};

template <class T>
JCUCONV_KERNEL(kChannelScaleLanes* kWarps)
channel_scale_bwd_kernel(const ChannelScaleGeometry g, const T* x, const T* gates, const T* dy, T* dx, T* dgates) {
    auto& s = shared<Shared>();
    const int lane = thread_index() % kChannelScaleLanes, warp = thread_index() / kChannelScaleLanes;
    std::int64_t image = block_index().x;
    const int c = take_coordinate(image, (g.c + kChannelScaleLanes - 1) / kChannelScaleLanes) * kChannelScaleLanes + lane;
    float sum = 0.0f;
    if (c < g.c) {
        const float gate = to_f32(load_global(gates + image * g.c + c));
        for (std::int64_t pixel = warp; pixel < g.pixels; pixel += kWarps) {
            const std::int64_t at = (image * g.pixels + pixel) * g.c + c;
            const float gradient = to_f32(load_global(dy + at));
            sum += gradient * to_f32(load_global(x + at));
            store_global(dx + at, from_f32<T>(gradient * gate));
        }
    }
    s.sums[warp][lane] = sum;
    sync_threads();
    if (warp != 0 || c >= g.c) return;
    for (int other = 1; other < kWarps; ++other) sum += s.sums[other][lane];
    store_global(dgates + image * g.c + c, from_f32<T>(sum));
}

template <class T>
Outcome launch_for(const ChannelScaleGeometry& g, const void* x, const void* gates, const void* dy, void* dx, void* dgates,
                   device::Stream stream) {
    const Dim3 grid = {static_cast<unsigned>(g.n * ceil_div(g.c, kChannelScaleLanes)), 1, 1};
    return launch("channel_scale_bwd", channel_scale_bwd_kernel<T>, grid, kChannelScaleLanes * kWarps, sizeof(Shared), stream, g,
                  static_cast<const T*>(x), static_cast<const T*>(gates), static_cast<const T*>(dy), static_cast<T*>(dx),
                  static_cast<T*>(dgates));
}

}  // namespace

Outcome channel_scale_bwd(const ChannelScaleGeometry& g, jcuconv_type type, const void* x, const void* gates, const void* dy, void* dx,
                          void* dgates, device::Stream stream) {
    const auto run = type == JCUCONV_F16 ? launch_for<f16> : type == JCUCONV_BF16 ? launch_for<bf16> : launch_for<float>;
    return run(g, x, gates, dy, dx, dgates, stream);
}

}  // namespace jcuconv
