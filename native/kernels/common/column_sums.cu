// Bias gradient: dbias[k] = sum over n,p,q of dy[n,p,q,k].
//
// Layouts    dy NPQK in the storage type, channels at a pitch; dbias [k] and workspace [splits][k] fp32.
// Mapping    A block sums 32 channels over the pixels of one split: each of its 8 warps walks every eighth pixel with one lane
//            per channel, then the eight sums are added in order through shared memory. Grid: x channel tiles, y splits.
// Limits     Any size; splits <= 65535.
// Resources  1 KB shared memory. Floor: bytes of dy.
// Lost       A shuffle reduction with lanes along pixels: reads with a stride of the pitch instead of whole lines.
#include "kernels/common/column_sums.h"

#include "core/arithmetic.h"
#include "kernels/common/split_sums.h"
#include "kernels/common/vec.h"

namespace jcuconv {

namespace {

constexpr int kLanes = 32;  // channels of a block
constexpr int kWarps = 8;

struct Shared {
    float sums[kWarps][kLanes];
};

template <class T>
JCUCONV_KERNEL(kLanes* kWarps)
column_sums_kernel(std::int64_t pixels, int channels, std::int64_t pitch, std::int64_t split_pixels,
                                const T* dy, float* sums, bool accumulate) {
    auto& s = shared<Shared>();
    const int lane = thread_index() % kLanes, warp = thread_index() / kLanes;
    const int k = static_cast<int>(block_index().x) * kLanes + lane;
    const std::int64_t first = std::int64_t{block_index().y} * split_pixels;
    const std::int64_t end = first + split_pixels < pixels ? first + split_pixels : pixels;
    float sum = 0.0f;
    if (k < channels)
        for (std::int64_t pixel = first + warp; pixel < end; pixel += kWarps) sum += to_f32(load_global(dy + pixel * pitch + k));
    s.sums[warp][lane] = sum;
    sync_threads();
    if (warp != 0 || k >= channels) return;
    for (int other = 1; other < kWarps; ++other) sum += s.sums[other][lane];
    float* to = sums + std::int64_t{block_index().y} * channels + k;
    if (accumulate) sum += load_global(to);
    store_global(to, sum);
}

template <class T>
Outcome launch_for(std::int64_t pixels, int channels, std::int64_t pitch, const PixelSplit& split, const void* dy, float* sums,
                   bool accumulate, device::Stream stream) {
    const Dim3 grid = {static_cast<unsigned>(ceil_div(channels, kLanes)), static_cast<unsigned>(split.splits), 1};
    return launch("column_sums", column_sums_kernel<T>, grid, kLanes * kWarps, sizeof(Shared), stream, pixels, channels, pitch,
                  split.split_pixels, static_cast<const T*>(dy), sums, accumulate);
}

}  // namespace

Outcome column_sums(jcuconv_type type, std::int64_t pixels, int channels, std::int64_t pitch, const PixelSplit& split,
                    const void* dy, float* dbias, bool accumulate, float* workspace, device::Stream stream) {
    const bool parts = split.splits > 1;
    const auto run = type == JCUCONV_F16 ? launch_for<f16> : type == JCUCONV_BF16 ? launch_for<bf16> : launch_for<float>;
    JCUCONV_TRY(run(pixels, channels, pitch, split, dy, parts ? workspace : dbias, !parts && accumulate, stream));
    return parts ? add_split_sums(workspace, split.splits, channels, dbias, accumulate, stream) : Outcome();
}

}  // namespace jcuconv
