// The end of the GEMMs: from the sums in registers to the pixels of an image or to the elements of a filter gradient.
#pragma once

#include "kernels/common/gemm_tile.h"
#include "kernels/conv2d/conv2d_epilogue.h"
#include "kernels/conv2d/conv2d_output_rows.h"

namespace jcuconv {

// Of windows of 2^`pool` rows, at most 4 and so all of one thread, the maximum goes into the first row (conv2d_output_rows.h).
template <class Tile>
JCUCONV_DEVICE void pool_rows(int pool, float (&acc)[Tile::kThreadRows][Tile::kThreadColumns]) {
    if (pool == 0) return;
#pragma unroll
    for (int i = 0; i < Tile::kThreadRows; i += 4)
#pragma unroll
        for (int j = 0; j < Tile::kThreadColumns; ++j) {
            acc[i][j] = pooled(acc[i][j], acc[i + 1][j]);
            acc[i + 2][j] = pooled(acc[i + 2][j], acc[i + 3][j]);
            if (pool == 2) acc[i][j] = pooled(acc[i][j], acc[i + 2][j]);
        }
}

// Rows are pixels, columns the channels of a group, which starts at channel `group_channel` of the pixel. With windows of 2^`pool` rows the
// first row of each is stored.
template <class Tile, int kVec, class T>
JCUCONV_DEVICE void store_pixels(typename Tile::Shared& shared, const float (&acc)[Tile::kThreadRows][Tile::kThreadColumns],
                                 std::int64_t first_pixel, std::int64_t pixels, int first_channel, int channels, int group_channel,
                                 std::int64_t pitch, T* out, const Conv2dEpilogue& epilogue, int pool = 0) {
    drain_tile<Tile, kVec>(
        shared, acc,
        [&](int i) {
            const std::int64_t pixel = first_pixel + Tile::row(i);
            return pixel < pixels && (pixel >> pool) << pool == pixel ? (pixel >> pool) * pitch : -1;
        },
        [&](std::int64_t pixel, int j, const float* sums) {
            const int channel = first_channel + Tile::column(j);
            if (channel < channels) store_conv2d<kVec>(out, pixel, group_channel + channel, sums, epilogue);
        });
}

// Rows are filters, columns their elements. `accumulate`: add to what is there.
template <class Tile, int kVec>
JCUCONV_DEVICE void store_filters(const float (&acc)[Tile::kThreadRows][Tile::kThreadColumns], int first_filter, int filters,
                                  int first_column, int columns, float* out, bool accumulate) {
#pragma unroll
    for (int i = 0; i < Tile::kThreadRows; ++i) {
        const int k = first_filter + Tile::row(i);
        if (k >= filters) continue;
#pragma unroll
        for (int j = 0; j < Tile::kThreadColumns; j += kVec) {
            const int column = first_column + Tile::column(j);
            if (column >= columns) continue;
            store_gradient<kVec>(out + std::int64_t{k} * columns + column, &acc[i][j], accumulate);
        }
    }
}

}  // namespace jcuconv
