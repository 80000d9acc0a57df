// Dropout: y = 0 where the element's random word is below the threshold, else x * factor. Backward is the same on dy.
//
// Layouts    x, y dense NHWC in the storage type, y may be x; seed int32 [4]. Random words are numbered in N C H W order, so that the
//            mask does not depend on the layout: a block of four words belongs to four neighbouring pixels of one channel.
// Mapping    One thread per kRun pixels of one channel; neighbouring threads hold neighbouring channels. kRun = 4 uses the whole
//            block of words and needs pixels divisible by 4. With one pixel or one channel both orders agree: then the tensor is
//            taken as one channel, whose runs may end early, and kVec = 4 reads a run at once.
// Limits     kVec = 4 needs a count divisible by 4 and aligned tensors.
// Resources  No shared memory. Floor: bytes of x + y; ten rounds of two multiplications per run.
// Lost       Storing the mask for backward: a byte or a bit per element of memory, for arithmetic that hides behind the loads.
#include "kernels/dropout/dropout.h"

#include "kernels/common/index.h"
#include "kernels/common/vec.h"
#include "kernels/common/with_type.h"
#include "kernels/dropout/philox.h"

namespace jcuconv {

namespace {

template <class T, int kRun, int kVec>
JCUCONV_KERNEL(kItemThreads)
dropout_kernel(const DropoutGeometry g, std::int64_t items, const T* x, const std::int32_t* seed, T* y) {
    static_assert(kVec == 1 || kVec == kRun, "a run is read at once or one by one");
    const std::int64_t item = item_index();
    if (item >= items) return;
    const std::int64_t runs = (g.pixels + kRun - 1) / kRun;
    std::int64_t n = item;
    const int c = take_coordinate(n, g.c);
    // A single image may have more runs than an int counts; then there is nothing to divide.
    const std::int64_t pixel = (g.n > 1 ? take_coordinate(n, static_cast<int>(runs)) : n) * kRun;
    if (g.n == 1) n = 0;
    const std::int64_t number = (n * g.c + c) * g.pixels + pixel, block = number / 4;
    const auto word_of = [&](int i) { return static_cast<std::uint32_t>(load_global(seed + i)); };
    const std::uint32_t counter[4] = {static_cast<std::uint32_t>(block),
                                      static_cast<std::uint32_t>(g.layer) ^ static_cast<std::uint32_t>(block >> 32), word_of(2), word_of(3)};
    std::uint32_t words[4];
    philox(counter, {word_of(0), word_of(1)}, words);
    if constexpr (kRun == 1) {  // the word of this element first
        const int at = static_cast<int>(number % 4);
        words[0] = at == 0 ? words[0] : at == 1 ? words[1] : at == 2 ? words[2] : words[3];
    }
    const std::int64_t first = (n * g.pixels + pixel) * g.c + c;
#pragma unroll
    for (int j = 0; j < kRun; j += kVec) {
        if (pixel + j >= g.pixels) break;
        float v[kVec];
        load_f32(x + first + std::int64_t{j} * g.c, v);
#pragma unroll
        for (int i = 0; i < kVec; ++i) v[i] = words[j + i] < g.threshold ? 0.0f : v[i] * g.factor;
        store_f32(y + first + std::int64_t{j} * g.c, v);
    }
}

template <class T, int kRun, int kVec>
Outcome launch_for(const DropoutGeometry& g, const void* x, const std::int32_t* seed, void* y, device::Stream stream) {
    const std::int64_t items = g.n * ceil_div<std::int64_t>(g.pixels, kRun) * g.c;
    return launch("dropout", dropout_kernel<T, kRun, kVec>, item_grid(items), kItemThreads, 0, stream, g, items,
                  static_cast<const T*>(x), seed, static_cast<T*>(y));
}

}  // namespace

Outcome dropout(const DropoutGeometry& problem, jcuconv_type type, bool aligned, const void* x, const std::int32_t* seed, void* y,
                device::Stream stream) {
    DropoutGeometry g = problem;
    const bool flat = g.pixels == 1 || g.c == 1;
    if (flat) {
        g.pixels *= g.n * g.c;
        g.n = g.c = 1;
    }
    return with_type_and_vec(type, 1, [&]<class T, int>() {
        if (flat && aligned && g.pixels % 4 == 0) return launch_for<T, 4, 4>(g, x, seed, y, stream);
        return flat || g.pixels % 4 == 0 ? launch_for<T, 4, 1>(g, x, seed, y, stream) : launch_for<T, 1, 1>(g, x, seed, y, stream);
    });
}

}  // namespace jcuconv
