// Tensor maps of the Hopper convolutions, made of the pointers at hand: encoding takes a microsecond, so nothing is kept by address.
#pragma once

#include "core/conv2d_geometry.h"
#include "heuristics/mma_extent.h"
#include "primitives/primitives.h"

namespace jcuconv {

namespace detail {

constexpr std::uint64_t map_number(std::int64_t v) { return static_cast<std::uint64_t>(v); }

// Loads of `pixels` rows of 64 channels each, from a walk over the box that the corners leave of each image.
template <class T>
Outcome map_images(TensorMap& map, const void* images, int channels, std::int64_t pitch, int w, int h, int n, const Im2colCorners& corners,
                   int step_w, int step_h, int pixels) {
    const std::uint64_t pixel = sizeof(T) * map_number(pitch), line = pixel * map_number(w);
    const std::uint64_t extent[] = {map_number(channels), map_number(w), map_number(h), map_number(n)}, stride[] = {pixel, line, line * map_number(h)};
    const std::uint32_t steps[] = {1, static_cast<std::uint32_t>(step_w), static_cast<std::uint32_t>(step_h), 1};
    return map_im2col<T>(map, images, 4, extent, stride, corners.lower, corners.upper, kWgmmaDepth, pixels, steps, Swizzle::k128);
}

}  // namespace detail

// Of x, as the outputs in their order and one tap see it.
template <class T>
Outcome map_x(TensorMap& map, const Conv2dGeometry& g, const void* x, int pixels) {
    return detail::map_images<T>(map, x, g.c, g.x_pitch, g.w, g.h, g.n, im2col_corners(g), g.stride_w, g.stride_h, pixels);
}

// Of dy, every pixel of the box.
template <class T>
Outcome map_dy(TensorMap& map, const Conv2dGeometry& g, const void* dy, const Im2colCorners& corners, int pixels) {
    return detail::map_images<T>(map, dy, g.k, g.y_pitch, g.q, g.p, g.n, corners, 1, 1, pixels);
}

// Of the filters (c, tap, k): 64 channels of one tap of `filters` filters.
template <class T>
Outcome map_w(TensorMap& map, const Conv2dGeometry& g, const void* w, int filters) {
    const std::uint64_t taps = detail::map_number(g.r) * detail::map_number(g.s), tap = sizeof(T) * detail::map_number(g.c);
    const std::uint64_t extent[] = {detail::map_number(g.c), taps, detail::map_number(g.k)}, stride[] = {tap, tap * taps};
    const std::uint32_t box[] = {kWgmmaDepth, 1, static_cast<std::uint32_t>(filters)};
    return map_tiled<T>(map, w, 3, extent, stride, box, Swizzle::k128);
}

}  // namespace jcuconv
