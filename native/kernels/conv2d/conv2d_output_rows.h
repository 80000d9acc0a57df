// Rows of a forward GEMM are output pixels (n,p,q), or, where a max-pool follows, the same pixels window by window: (n, window row, window
// column, i, j). A window's rows are neighbours then, never split between tiles, and their maximum is taken before anything is stored.
#pragma once

#include "core/conv2d_geometry.h"
#include "primitives/primitives.h"

namespace jcuconv {

struct OutputPixel {
    std::int64_t image;
    int p, q;
};

JCUCONV_DEVICE OutputPixel output_pixel(const Conv2dGeometry& g, std::int64_t row) {
    const int in_window = static_cast<int>(row) & ((1 << g.pool_log2) - 1);
    const std::int64_t window = row >> g.pool_log2;
    const int across = g.q >> g.pool_w_log2;
    const std::int64_t line = window / across;
    const int down = g.p >> g.pool_h_log2;
    return {line / down, (static_cast<int>(line % down) << g.pool_h_log2) + (in_window >> g.pool_w_log2),
            (static_cast<int>(window % across) << g.pool_w_log2) + (in_window & ((1 << g.pool_w_log2) - 1))};
}

// The larger one, the first of equals; a NaN wins over numbers, the first one over others.
JCUCONV_DEVICE float pooled(float best, float next) { return best >= next || best != best ? best : next; }

}  // namespace jcuconv
