// flag = 1 if an element of x is infinite or NaN, else 0: how mixed precision finds an overflow.
//
// Layouts    x flat in the storage type, flag int32 [1].
// Mapping    A kernel of one thread clears the flag. Then each block looks at 8 x 256 neighbours, and a thread that finds
//            something sets it: whoever does writes the same number, so order does not matter.
// Limits     count < 2^31 * 2048.
// Resources  No shared memory. Floor: bytes of x.
// Lost       Vectors: a warp reads whole lines as it is, eight of them before it looks at one. Counting with an atomic: as many writes as there are bad elements, and a diverged step has millions.
#include "kernels/common/index.h"
#include "kernels/common/with_type.h"
#include "kernels/elementwise/elementwise.h"

namespace jcuconv {

namespace {

constexpr int kPerThread = 8;

JCUCONV_KERNEL(1) clear_flag_kernel(std::int32_t* flag) { store_global(flag, 0); }

template <class T>
JCUCONV_KERNEL(kItemThreads)
finite_check_kernel(std::int64_t count, const T* x, std::int32_t* flag) {
    bool bad = false;
#pragma unroll
    for (int i = 0; i < kPerThread; ++i) {
        const std::int64_t at = (std::int64_t{block_index().x} * kPerThread + i) * kItemThreads + thread_index();
        if (at >= count) break;
        const float v = to_f32(load_global(x + at));
        bad = bad || v - v != 0.0f;  // infinity - infinity is NaN
    }
    if (bad) store_global(flag, 1);
}

}  // namespace

Outcome finite_check(std::int64_t count, jcuconv_type type, const void* x, std::int32_t* flag, device::Stream stream) {
    JCUCONV_TRY(launch("clear_flag", clear_flag_kernel, {1, 1, 1}, 1, 0, stream, flag));
    return with_type_and_vec(type, 1, [&]<class T, int>() {
        return launch("finite_check", finite_check_kernel<T>, item_grid(ceil_div<std::int64_t>(count, kPerThread)), kItemThreads, 0, stream,
                      count, static_cast<const T*>(x), flag);
    });
}

}  // namespace jcuconv
