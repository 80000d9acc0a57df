// One input of a concatenation: the channels of every pixel copied between a tensor and a slice of a wider one, bit for bit.
//
// Layouts    x and y NHWC at their own channel pitches, both already at the first channel of the slice.
// Mapping    One thread per pixel and kVec channels; neighbouring threads hold neighbouring channels.
// Limits     kVec = 4 needs c, the offset and the pitches divisible by 4 and aligned tensors.
// Resources  No shared memory. Floor: bytes of x + y.
// Lost       Nothing yet: a convolution that writes at y's pitch needs no copy at all.
#include "kernels/common/index.h"
#include "kernels/elementwise/elementwise.h"

namespace jcuconv {

namespace {

template <class T, int kVec>
JCUCONV_KERNEL(kItemThreads)
copy_channels_kernel(std::int64_t items, int c, const T* x, std::int64_t x_pitch, T* y, std::int64_t y_pitch) {
    std::int64_t pixel = item_index();
    if (pixel >= items) return;
    const int channel = take_coordinate(pixel, c / kVec) * kVec;
    using Channels = Pack<T, kVec>;
    store_global(reinterpret_cast<Channels*>(y + pixel * y_pitch + channel),
                 load_global(reinterpret_cast<const Channels*>(x + pixel * x_pitch + channel)));
}

template <class T, int kVec>
Outcome launch_for(std::int64_t pixels, int c, const void* x, std::int64_t x_pitch, void* y, std::int64_t y_pitch,
                   device::Stream stream) {
    const std::int64_t items = pixels * (c / kVec);
    return launch("copy_channels", copy_channels_kernel<T, kVec>, item_grid(items), kItemThreads, 0, stream, items, c,
                  static_cast<const T*>(x), x_pitch, static_cast<T*>(y), y_pitch);
}

}  // namespace

Outcome copy_channels(std::int64_t pixels, int c, std::size_t element, int vec, const void* x, std::int64_t x_pitch, void* y,
                      std::int64_t y_pitch, device::Stream stream) {
    const bool wide = element == sizeof(std::uint32_t);
    const auto run = vec == 4 ? (wide ? launch_for<std::uint32_t, 4> : launch_for<std::uint16_t, 4>)
                              : (wide ? launch_for<std::uint32_t, 1> : launch_for<std::uint16_t, 1>);
    return run(pixels, c, x, x_pitch, y, y_pitch, stream);
}

}  // namespace jcuconv
