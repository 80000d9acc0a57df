// Sources of the matrix product whose matrix lies in memory as it is: rows and depth at fixed distances, no image in between.
#pragma once

#include "kernels/common/vec.h"

namespace jcuconv {

// Neighbours in memory along the depth. A row starts `pitch` elements behind the one before it.
template <class T, class Loader, int kVec>
struct DepthMatrix {
    const T* row[Loader::kSlots];  // null past the last row
    int depth_end, at = 0;

    JCUCONV_DEVICE DepthMatrix(const T* matrix, std::int64_t first_row, std::int64_t rows, std::int64_t pitch, int depth)
        : depth_end(depth) {
#pragma unroll
        for (int slot = 0; slot < Loader::kSlots; ++slot) {
            const std::int64_t r = first_row + Loader::row(slot);
            row[slot] = r < rows ? matrix + r * pitch : nullptr;
        }
    }

    JCUCONV_DEVICE void seek(int depth) { at = depth; }

    JCUCONV_DEVICE void load(int slot, float (&out)[kVec]) const {
        if (row[slot] != nullptr && at < depth_end) {
            load_f32(row[slot] + at, out);
        } else {
            set_zero(out);
        }
    }
};

// Neighbours in memory along the rows. One step in depth is `pitch` elements.
template <class T, class Loader, int kVec>
struct RowMatrix {
    const T* rows_at;  // of depth 0 at this thread's first row, null past the last row
    int pitch, depth_end;
    const T* at = nullptr;

    JCUCONV_DEVICE RowMatrix(const T* matrix, int first_row, int rows, std::int64_t depth_pitch, int depth)
        : pitch(static_cast<int>(depth_pitch)), depth_end(depth) {
        const int r = first_row + Loader::row();
        rows_at = r < rows ? matrix + r : nullptr;
    }

    JCUCONV_DEVICE void seek(int depth) {
        at = rows_at != nullptr && depth < depth_end ? rows_at + std::int64_t{depth} * pitch : nullptr;
    }

    JCUCONV_DEVICE void load(int, float (&out)[kVec]) const {
        if (at != nullptr) {
            load_f32(at, out);
        } else {
            set_zero(out);
        }
    }
};

}  // namespace jcuconv
