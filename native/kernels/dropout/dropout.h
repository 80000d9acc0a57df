// Launcher of dropout, see jcuconv_dropout. Both passes are the same kernel: x is dy and y is dx backwards.
#pragma once

#include "core/device.h"
#include "core/types.h"

namespace jcuconv {

struct DropoutGeometry {
    std::int64_t n, pixels;
    int c, layer;
    std::uint32_t threshold;  // a word below it drops its element
    float factor;             // on the others
};

// `aligned`: four neighbours may be read at once where the mapping allows.
Outcome dropout(const DropoutGeometry& g, jcuconv_type type, bool aligned, const void* x, const std::int32_t* seed, void* y,
                device::Stream stream);

}  // namespace jcuconv
