// Concatenation along the channels: validation and plans.
#include <algorithm>

#include "core/plan.h"
#include "core/rules.h"
#include "kernels/elementwise/elementwise.h"

namespace jcuconv {

Outcome make_concat_plan(const jcuconv_concat& o, jcuconv_pass pass, std::uint64_t, Plan* plan) {
    JCUCONV_TRY(is_pass(pass, true));
    JCUCONV_TRY(at_least("pixels", o.pixels, 1, JCUCONV_INVALID_IMAGE));
    JCUCONV_TRY(at_least("c", o.c, 1, JCUCONV_INVALID_CHANNELS));
    JCUCONV_TRY(at_least("offset", o.offset, 0, JCUCONV_INVALID_CHANNELS));
    if (std::int64_t{o.offset} + o.c > o.channels)
        return {JCUCONV_INVALID_CHANNELS, "channels " + std::to_string(o.offset) + " .. " + std::to_string(std::int64_t{o.offset} + o.c) +
                                              " do not lie inside the " + std::to_string(o.channels) + " of y"};
    std::int64_t x_pitch = 0, y_pitch = 0;
    int alignment = 0;
    JCUCONV_TRY(pitch_of("x_pitch", o.x_pitch, o.c, &x_pitch));
    JCUCONV_TRY(pitch_of("y_pitch", o.y_pitch, o.channels, &y_pitch));
    JCUCONV_TRY(alignment_of(o.type, o.alignment, &alignment));
    JCUCONV_TRY(at_most("pixels", o.pixels, kMaxItems / std::max(x_pitch, y_pitch), JCUCONV_UNSUPPORTED_SIZE));
    const auto type = static_cast<jcuconv_type>(o.type);
    const std::size_t element = size_of(type), skip = static_cast<std::size_t>(o.offset) * element;
    const int vec = vector_width(type, alignment, {o.c, o.offset, x_pitch, y_pitch});
    const std::int64_t pixels = o.pixels;
    const int c = o.c;
    const std::uint64_t narrow = tensor_bytes(pixels, x_pitch, c, element), wide = tensor_bytes(pixels, y_pitch, o.channels, element);
    if (pass == JCUCONV_FPROP) {
        plan->description = "concat fwd vec " + std::to_string(vec);
        plan->arguments = {{JCUCONV_ARG_X, narrow, alignment}, {JCUCONV_ARG_Y, wide, alignment, true}};
        plan->run = [=](const Tensors& t, void*, device::Stream stream) {
            return copy_channels(pixels, c, element, vec, t.at(JCUCONV_ARG_X), x_pitch, t.at<char>(JCUCONV_ARG_Y) + skip, y_pitch,
                                 stream);
        };
    } else {
        plan->description = "concat bwd vec " + std::to_string(vec);
        plan->arguments = {{JCUCONV_ARG_DY, wide, alignment}, {JCUCONV_ARG_DX, narrow, alignment, true}};
        plan->run = [=](const Tensors& t, void*, device::Stream stream) {
            return copy_channels(pixels, c, element, vec, t.at<char>(JCUCONV_ARG_DY) + skip, y_pitch, t.at(JCUCONV_ARG_DX), x_pitch,
                                 stream);
        };
    }
    return {};
}

}  // namespace jcuconv
