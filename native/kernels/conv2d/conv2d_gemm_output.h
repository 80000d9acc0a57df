// The end of the GEMMs: from the sums in registers to the pixels of an image or to the elements of a filter gradient.
#pragma once

#include "kernels/common/gemm_tile.h"
#include "kernels/conv2d/conv2d_epilogue.h"

namespace jcuconv {

// Rows are pixels, columns the channels of a group, which starts at channel `group_channel` of the pixel.
template <class Tile, int kVec, class T>
JCUCONV_DEVICE void store_pixels(typename Tile::Shared& shared, const float (&acc)[Tile::kThreadRows][Tile::kThreadColumns],
                                 std::int64_t first_pixel, std::int64_t pixels, int first_channel, int channels, int group_channel,
                                 std::int64_t pitch, T* out, const Conv2dEpilogue& epilogue) {
    drain_tile<Tile, kVec>(
        shared, acc,
        [&](int i) {
            const std::int64_t pixel = first_pixel + Tile::row(i);
            return pixel < pixels ? pixel * pitch : -1;
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
            float* element = out + std::int64_t{k} * columns + column;
            float values[kVec];
            set_zero(values);
            if (accumulate) load_f32(element, values);
#pragma unroll
            for (int e = 0; e < kVec; ++e) values[e] += acc[i][j + e];
            store_f32(element, values);
        }
    }
}

}  // namespace jcuconv
