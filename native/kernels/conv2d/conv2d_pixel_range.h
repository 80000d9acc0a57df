// The pixels that one part of a split weight gradient adds up.
#pragma once

#include "core/conv2d_geometry.h"
#include "primitives/primitives.h"

namespace jcuconv {

// Depth d is pixel `first + d`, counted in 32 bits from the start of image `image`.
struct PixelRange {
    std::int64_t image;
    int offset, count;

    JCUCONV_DEVICE PixelRange(const Conv2dGeometry& g, int split, std::int64_t split_pixels) {
        const std::int64_t per_image = std::int64_t{g.p} * g.q, all = per_image * g.n;
        const std::int64_t first = split * split_pixels;
        image = first / per_image;
        offset = static_cast<int>(first % per_image);
        count = static_cast<int>(first + split_pixels < all ? split_pixels : all - first);
    }
};

}  // namespace jcuconv
