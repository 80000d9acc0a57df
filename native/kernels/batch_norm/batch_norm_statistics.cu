// Mean and variance of every channel over a batch, and the running ones.
//
// Layouts    x NHWC in the storage type at a pitch; statistics fp32 [c]; workspace [splits][c] means, then [splits][c] sums of squares.
// Mapping    A block takes 32 * kVec channels (lanes) and one split of the pixels (8 warps, each every eighth pixel). A thread reads 8
//            pixels, takes their mean and the squares of their distances to it, and merges that into its own (count, mean, sum of
//            squares); the warps merge in order through shared memory. A second kernel, one thread per channel, merges the splits in
//            order. Grid: x channel tiles, y splits.
// Limits     kVec = 4 needs c and the pitch divisible by 4 and an aligned x. splits <= 65535.
// Resources  8.2 KB shared memory (kVec = 4). Floor: bytes of x.
// Lost       E[x^2] - E[x]^2: one sum less, but nothing is left of the variance where the mean is large. Welford's update per element:
//            the same bits of accuracy for a division per element instead of one per 8.
#include "core/arithmetic.h"
#include "kernels/batch_norm/batch_norm.h"
#include "kernels/common/index.h"
#include "kernels/common/vec.h"
#include "kernels/common/with_type.h"

namespace jcuconv {

namespace {

constexpr int kLanes = kBatchNormLanes, kWarps = kBatchNormWarps;
constexpr int kBatch = 8;  // pixels in flight per thread

// Some values: how many, their mean, and the sum of their squared distances to it.
struct Moments {
    float count = 0.0f, mean = 0.0f, squares = 0.0f;

    JCUCONV_DEVICE void merge(float other_count, float other_mean, float other_squares) {
        if (other_count == 0.0f) return;
        const float all = count + other_count, part = other_count / all, apart = other_mean - mean;
        mean += apart * part;
        squares += other_squares + apart * apart * (count * part);
        count = all;
    }
};

template <int kVec>
struct Shared {
    float count[kWarps];
    float mean[kWarps][kVec][kLanes], squares[kWarps][kVec][kLanes];
};

template <class T, int kVec>
JCUCONV_KERNEL(kLanes* kWarps)
batch_moments_kernel(const BatchNormGeometry g, std::int64_t split_pixels, const T* x, float* means, float* squares) {
    auto& s = shared<Shared<kVec>>();
    const int lane = thread_index() % kLanes, warp = thread_index() / kLanes;
    const int c = (static_cast<int>(block_index().x) * kLanes + lane) * kVec;
    const std::int64_t first = std::int64_t{block_index().y} * split_pixels;
    const std::int64_t end = first + split_pixels < g.pixels ? first + split_pixels : g.pixels;
    Moments moments[kVec];
    if (c < g.c) {
        // All values are taken relative to the first pixel's, so that roundings count by the spread and not by the mean.
        float pivot[kVec];
        load_f32(x + c, pivot);
        for (std::int64_t pixel = first + warp; pixel < end; pixel += kWarps * kBatch) {
            float v[kBatch][kVec], sum[kVec];
            int count = 0;
            set_zero(sum);
#pragma unroll
            for (int b = 0; b < kBatch; ++b) {
                if (pixel + b * kWarps >= end) break;
                load_f32(x + (pixel + b * kWarps) * g.x_pitch + c, v[b]);
                ++count;
            }
#pragma unroll
            for (int b = 0; b < kBatch; ++b)
#pragma unroll
                for (int i = 0; i < kVec; ++i) {
                    v[b][i] = b < count ? v[b][i] - pivot[i] : 0.0f;
                    sum[i] += v[b][i];
                }
#pragma unroll
            for (int i = 0; i < kVec; ++i) {
                const float mean = sum[i] / static_cast<float>(count);
                float distances = 0.0f;
#pragma unroll
                for (int b = 0; b < kBatch; ++b) {
                    const float distance = b < count ? v[b][i] - mean : 0.0f;
                    distances += distance * distance;
                }
                moments[i].merge(static_cast<float>(count), mean, distances);
            }
        }
    }
    if (lane == 0) s.count[warp] = moments[0].count;  // lane 0 always has a channel
#pragma unroll
    for (int i = 0; i < kVec; ++i) {
        s.mean[warp][i][lane] = moments[i].mean;
        s.squares[warp][i][lane] = moments[i].squares;
    }
    sync_threads();
    if (warp != 0 || c >= g.c) return;
    const std::int64_t to = std::int64_t{block_index().y} * g.c + c;
#pragma unroll
    for (int i = 0; i < kVec; ++i) {
        for (int other = 1; other < kWarps; ++other)
            moments[i].merge(s.count[other], s.mean[other][i][lane], s.squares[other][i][lane]);
        store_global(means + to + i, moments[i].mean);
        store_global(squares + to + i, moments[i].squares);
    }
}

// `means` and `squares` may be save_mean and save_var: then a thread overwrites what it alone has read.
template <class T>
JCUCONV_KERNEL(kItemThreads)
batch_statistics_kernel(const BatchNormGeometry g, const PixelSplit split, const T* x, const float* means, const float* squares,
                        const BatchNormStatistics out) {
    const std::int64_t c = item_index();
    if (c >= g.c) return;
    Moments moments;
    for (int part = 0; part < split.splits; ++part) {
        const std::int64_t left = g.pixels - part * split.split_pixels, at = std::int64_t{part} * g.c + c;
        moments.merge(static_cast<float>(left < split.split_pixels ? left : split.split_pixels), load_global(means + at),
                      load_global(squares + at));
    }
    const float mean = moments.mean + to_f32(load_global(x + c)), all = static_cast<float>(g.pixels);
    const float unbiased = moments.squares / (g.pixels > 1 ? static_cast<float>(g.pixels - 1) : 1.0f);
    store_global(out.save_mean + c, mean);
    store_global(out.save_var + c, moments.squares / all);
    const auto move = [&](float* running, float batch) {
        store_global(running + c, (1.0f - g.momentum) * load_global(running + c) + g.momentum * batch);
    };
    move(out.running_mean, mean);
    move(out.running_var, unbiased);
}

}  // namespace

Outcome batch_norm_statistics(const BatchNormGeometry& g, jcuconv_type type, int vec, const PixelSplit& split, const void* x,
                              const BatchNormStatistics& statistics, float* workspace, device::Stream stream) {
    float* means = split.splits > 1 ? workspace : statistics.save_mean;
    float* squares = split.splits > 1 ? workspace + std::int64_t{split.splits} * g.c : statistics.save_var;
    return with_type_and_vec(type, vec, [&]<class T, int kVec>() -> Outcome {
        const Dim3 grid = {static_cast<unsigned>(ceil_div(g.c, kLanes * kVec)), static_cast<unsigned>(split.splits), 1};
        JCUCONV_TRY(launch("batch_moments", batch_moments_kernel<T, kVec>, grid, kLanes * kWarps, sizeof(Shared<kVec>), stream, g,
                           split.split_pixels, static_cast<const T*>(x), means, squares));
        return launch("batch_statistics", batch_statistics_kernel<T>, item_grid(g.c), kItemThreads, 0, stream, g, split,
                      static_cast<const T*>(x), means, squares, statistics);
    });
}

}  // namespace jcuconv
