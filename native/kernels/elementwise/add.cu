// y = x + x2, rounded once.
//
// Layouts    x, x2, y dense in the storage type; y may be x or x2.
// Mapping    One thread per kVec neighbouring elements.
// Limits     kVec = 4 needs a count divisible by 4 and aligned tensors.
// Resources  No shared memory. Floor: bytes of x + x2 + y.
// Lost       Nothing yet: a residual in a convolution's epilogue would save reading and writing x.
#include "kernels/common/index.h"
#include "kernels/common/vec.h"
#include "kernels/common/with_type.h"
#include "kernels/elementwise/elementwise.h"

namespace jcuconv {

namespace {

template <class T, int kVec>
JCUCONV_KERNEL(kItemThreads)
add_kernel(std::int64_t items, const T* x, const T* x2, T* y) {
    const std::int64_t item = item_index();
    if (item >= items) return;
    float a[kVec], b[kVec];
    load_f32(x + item * kVec, a);
    load_f32(x2 + item * kVec, b);
#pragma unroll
    for (int i = 0; i < kVec; ++i) a[i] += b[i];
    store_f32(y + item * kVec, a);
}

}  // namespace

Outcome add(std::int64_t count, jcuconv_type type, int vec, const void* x, const void* x2, void* y, device::Stream stream) {
    return with_type_and_vec(type, vec, [&]<class T, int kVec>() {
        return launch("add", add_kernel<T, kVec>, item_grid(count / kVec), kItemThreads, 0, stream, count / kVec,
                      static_cast<const T*>(x), static_cast<const T*>(x2), static_cast<T*>(y));
    });
}

}  // namespace jcuconv
