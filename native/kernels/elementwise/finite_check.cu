// flag = 1 if an element of x is infinite or NaN, else 0: how mixed precision finds an overflow.
//
// Layouts    x flat in the storage type, flag int32 [1].
// Mapping    A kernel of one thread clears the flag. Then each block looks at 8 x 256 x kVec neighbours, and a thread that finds
//            something sets it: whoever does writes the same number, so order does not matter.
// Limits     kVec = 4 needs a count divisible by 4 and an aligned x.
// Resources  No shared memory. Floor: bytes of x.
// Lost       Counting with an atomic: as many writes as there are bad elements, and a diverged step has millions.
#include "kernels/common/index.h"
#include "kernels/common/vec.h"
#include "kernels/common/with_type.h"
#include "kernels/elementwise/elementwise.h"

namespace jcuconv {

namespace {

constexpr int kPerThread = 8;

JCUCONV_KERNEL(1) clear_flag_kernel(std::int32_t* flag) { store_global(flag, 0); }

template <class T, int kVec>
JCUCONV_KERNEL(kItemThreads)
finite_check_kernel(std::int64_t items, const T* x, std::int32_t* flag) {
    bool bad = false;
#pragma unroll
    for (int i = 0; i < kPerThread; ++i) {
        const std::int64_t item = (std::int64_t{block_index().x} * kPerThread + i) * kItemThreads + thread_index();
        if (item >= items) break;
        float v[kVec];
        load_f32(x + item * kVec, v);
#pragma unroll
        for (int e = 0; e < kVec; ++e) bad = bad || v[e] - v[e] != 0.0f;  // infinity - infinity is NaN
    }
    if (bad) store_global(flag, 1);
}

}  // namespace

Outcome finite_check(std::int64_t count, jcuconv_type type, int vec, const void* x, std::int32_t* flag, device::Stream stream) {
    JCUCONV_TRY(launch("clear_flag", clear_flag_kernel, {1, 1, 1}, 1, 0, stream, flag));
    return with_type_and_vec(type, vec, [&]<class T, int kVec>() {
        const std::int64_t items = count / kVec;
        return launch("finite_check", finite_check_kernel<T, kVec>, item_grid(ceil_div<std::int64_t>(items, kPerThread)), kItemThreads,
                      0, stream, items, static_cast<const T*>(x), flag);
    });
}

}  // namespace jcuconv
