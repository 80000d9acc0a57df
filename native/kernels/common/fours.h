// Four elements of a flat tensor per thread, as fp32 values. The width is chosen at run time, so that a kernel exists once per type:
// neighbours in one access (`vec` 4), or one by one and a block apart (`vec` 1), so that a warp moves whole lines in either case.
#pragma once

#include "kernels/common/index.h"
#include "kernels/common/vec.h"

namespace jcuconv {

struct Four {
    std::int64_t first;  // elements first + i * step for i < 4; a thread whose first is not below the count has none
    int step;
};

JCUCONV_DEVICE Four four_of_thread(int vec) {
    const std::int64_t block = std::int64_t{block_index().x} * (4 * kItemThreads);
    return vec == 4 ? Four{block + 4 * thread_index(), 1} : Four{block + thread_index(), kItemThreads};
}

inline Dim3 four_grid(std::int64_t count) { return item_grid(ceil_div<std::int64_t>(count, 4)); }

// Neighbours need a count divisible by 4: then all of them exist if the first does.
template <class T>
JCUCONV_DEVICE void load_four(const T* x, std::int64_t count, Four four, float (&out)[4]) {
    if (four.step == 1) return load_f32(x + four.first, out);
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        const std::int64_t at = four.first + i * four.step;
        out[i] = at < count ? to_f32(load_global(x + at)) : 0.0f;
    }
}

template <class T>
JCUCONV_DEVICE void store_four(T* y, std::int64_t count, Four four, const float (&values)[4]) {
    if (four.step == 1) return store_f32(y + four.first, values);
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        const std::int64_t at = four.first + i * four.step;
        if (at < count) store_global(y + at, from_f32<T>(values[i]));
    }
}

}  // namespace jcuconv
