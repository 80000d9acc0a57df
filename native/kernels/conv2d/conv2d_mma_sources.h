// The sources of the tensor-core convolutions (kernels/common/mma_stage.h). What needs a division is worked out before the loop over the
// depth; inside it, positions move by additions.
#pragma once

#include "core/conv2d_geometry.h"
#include "kernels/common/mma_stage.h"

namespace jcuconv {

// The images that the patches of a pass are cut from, and the window that moves over them: tap (i, j) of a patch lies at row h0 + i * step_h
// and column w0 + j * step_w. fprop reads x with the dilation as step, dgrad reads dy backwards.
struct PatchWindow {
    int height, width, channels;  // channels of a group
    int taps_h, taps_w, step_h, step_w;
    std::int64_t pitch;
};

// Neighbours along the depth (tap, channel), rows are patches. begin(row) gives the patch of a row.
struct Patch {
    std::int64_t first_pixel;  // of its image; negative: past the last row
    int h0, w0;
};

template <class Operand, bool kVector>
struct PatchSource {
    using T = typename Operand::T;
    static constexpr int kDepth = Operand::kChunks * Operand::kChunk;

    const PatchWindow window;
    const T* images;                  // at the group's first channel
    const T* at[Operand::kSlots];     // tap (0, 0) of each patch, which may lie outside
    int h0[Operand::kSlots], w0[Operand::kSlots];
    int tap_h = 0, tap_w = 0, channel;

    template <class Begin>
    JCUCONV_DEVICE PatchSource(const PatchWindow& w, const T* x, Begin begin) : window(w), images(x), channel(Operand::depth()) {
#pragma unroll
        for (int slot = 0; slot < Operand::kSlots; ++slot) {
            const Patch patch = begin(Operand::row(slot));
            constexpr int kOutside = -(1 << 30);  // fails the test of every tap
            h0[slot] = patch.first_pixel < 0 ? kOutside : patch.h0;
            w0[slot] = patch.w0;
            const std::int64_t pixel = patch.first_pixel + std::int64_t{patch.h0} * window.width + patch.w0;
            at[slot] = images + (patch.first_pixel < 0 ? 0 : pixel * window.pitch);
        }
        wrap();
    }

    JCUCONV_DEVICE void wrap() {
        while (channel >= window.channels) {
            channel -= window.channels;
            if (++tap_w == window.taps_w) tap_w = 0, ++tap_h;
        }
    }

    JCUCONV_DEVICE const T* element(int slot) const {
        const int h = tap_h * window.step_h, w = tap_w * window.step_w;
        // As unsigned numbers, negative positions lie far outside.
        const bool inside = tap_h < window.taps_h && static_cast<unsigned>(h0[slot] + h) < static_cast<unsigned>(window.height) &&
                            static_cast<unsigned>(w0[slot] + w) < static_cast<unsigned>(window.width);
        return inside ? at[slot] + (std::int64_t{h} * window.width + w) * window.pitch + channel : nullptr;
    }

    JCUCONV_DEVICE const T* anywhere() const { return images; }

    JCUCONV_DEVICE void select(int i) {
        if (i == 0) return;
        ++channel;
        wrap();
    }

    JCUCONV_DEVICE void step() {
        channel += kVector ? kDepth : kDepth - (Operand::kChunk - 1);
        wrap();
    }
};

// Neighbours along the depth, rows at a fixed distance: filters as they lie in memory.
template <class Operand, bool kVector>
struct MatrixSource {
    using T = typename Operand::T;
    static constexpr int kDepth = Operand::kChunks * Operand::kChunk;

    const T* first;  // of slot 0; the others follow at equal distances
    std::int64_t pitch;
    int rows, depth, at;

    JCUCONV_DEVICE MatrixSource(const T* matrix, int first_row, int all_rows, int all_depth)
        : first(matrix + std::int64_t{first_row + Operand::row(0)} * all_depth),
          pitch(std::int64_t{Operand::kRowsPerSlot} * all_depth),
          rows(all_rows - first_row - Operand::row(0)),
          depth(all_depth),
          at(Operand::depth()) {}

    JCUCONV_DEVICE const T* element(int slot) const {
        return slot * Operand::kRowsPerSlot < rows && at < depth ? first + slot * pitch + at : nullptr;
    }
    JCUCONV_DEVICE const T* anywhere() const { return first - std::int64_t{Operand::row(0)} * depth; }
    JCUCONV_DEVICE void select(int i) { at += i == 0 ? 0 : 1; }
    JCUCONV_DEVICE void step() { at += kVector ? kDepth : kDepth - (Operand::kChunk - 1); }
};

}  // namespace jcuconv
