// y[i] = x[i] in another type, rounded to nearest even; overflow becomes infinity, NaN stays NaN. Within a type, a copy.
//
// Layouts    x, y flat.
// Mapping    One thread per element.
// Limits     count < 2^31 * 256.
// Resources  No shared memory. Floor: bytes of x + y.
// Lost       Four elements per thread: no gain where a warp already moves whole 128-byte lines.
#include <type_traits>

#include "kernels/common/index.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/reorder/reorder.h"
#include "kernels/reorder/with_two_types.h"

namespace jcuconv {

namespace {

template <class From, class To>
JCUCONV_KERNEL(kItemThreads)
convert_kernel(std::int64_t count, const From* x, To* y) {
    const std::int64_t i = item_index();
    if (i < count) store_global(y + i, from_f32<To>(to_f32(load_global(x + i))));
}

}  // namespace

Outcome convert(std::int64_t count, jcuconv_type from, jcuconv_type to, const void* x, void* y, device::Stream stream) {
    return with_two_types(from, to, [&]<class From, class To>() {
        if constexpr (std::is_same_v<From, To>) {
            return copy_channels(count, 1, sizeof(To), 1, x, 1, y, 1, stream);
        } else {
            return launch("convert", convert_kernel<From, To>, item_grid(count), kItemThreads, 0, stream, count,
                          static_cast<const From*>(x), static_cast<To*>(y));
        }
    });
}

}  // namespace jcuconv
