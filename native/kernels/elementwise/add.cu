// y = x + x2, rounded once.
//
// Layouts    x, x2, y dense in the storage type; y may be x or x2.
// Mapping    Four elements per thread (kernels/common/fours.h).
// Limits     vec = 4 needs a count divisible by 4 and aligned tensors; count < 2^31 * 1024.
// Resources  No shared memory. Floor: bytes of x + x2 + y.
// Lost       Nothing yet: a residual in a convolution's epilogue would save reading and writing x.
#include "kernels/common/fours.h"
#include "kernels/common/with_type.h"
#include "kernels/elementwise/elementwise.h"

namespace jcuconv {

namespace {

template <class T>
JCUCONV_KERNEL(kItemThreads)
add_kernel(std::int64_t count, int vec, const T* x, const T* x2, T* y) {
    const Four four = four_of_thread(vec);
    if (four.first >= count) return;
    float a[4], b[4];
    load_four(x, count, four, a);
    load_four(x2, count, four, b);
#pragma unroll
    for (int i = 0; i < 4; ++i) a[i] += b[i];
    store_four(y, count, four, a);
}

}  // namespace

Outcome add(std::int64_t count, jcuconv_type type, int vec, const void* x, const void* x2, void* y, device::Stream stream) {
    return with_type_and_vec(type, 1, [&]<class T, int>() {
        return launch("add", add_kernel<T>, four_grid(count), kItemThreads, 0, stream, count, vec,
                      static_cast<const T*>(x), static_cast<const T*>(x2), static_cast<T*>(y));
    });
}

}  // namespace jcuconv
