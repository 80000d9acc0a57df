// Which windows hold a given input position, for backward passes that gather.
#pragma once

#include "primitives/primitives.h"

namespace jcuconv {

// The window whose tap `tap` lies on `position`, negative if there is none.
JCUCONV_DEVICE int window_at(int position, int tap, int pad, int stride, int dilation, int windows) {
    const int from_start = position + pad - tap * dilation;
    if (from_start % stride != 0) return -1;
    const int window = from_start / stride;
    return window < windows ? window : -1;
}

}  // namespace jcuconv
