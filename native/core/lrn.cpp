// Local response normalization: validation and plans.
#include <algorithm>

#include "core/plan.h"
#include "core/rules.h"
#include "kernels/lrn/lrn.h"

namespace jcuconv {

Outcome make_lrn_plan(const jcuconv_lrn& l, jcuconv_pass pass, std::uint64_t, Plan* plan) {
    JCUCONV_TRY(is_pass(pass, true));
    JCUCONV_TRY(at_least("pixels", l.pixels, 1, JCUCONV_INVALID_IMAGE));
    JCUCONV_TRY(at_least("c", l.c, 1, JCUCONV_INVALID_CHANNELS));
    if (l.size < 1 || l.size % 2 == 0)
        return {JCUCONV_INVALID_WINDOW, "size = " + std::to_string(l.size) + ": must be odd and at least 1"};
    JCUCONV_TRY(at_most("size", l.size, 2 * kMaxLrnHalf + 1, JCUCONV_UNSUPPORTED_SIZE));
    if (!(l.k > 0 && l.alpha >= 0 && l.beta >= 0))
        return {JCUCONV_INVALID_PARAMETER, "k must be positive, alpha and beta must not be negative"};
    JCUCONV_TRY(is_flag("alpha_over_size", l.alpha_over_size, JCUCONV_INVALID_PARAMETER));
    JCUCONV_TRY(is_flag("save", l.save, JCUCONV_INVALID_PARAMETER));
    LrnGeometry g{l.pixels, l.c, l.size / 2, l.alpha_over_size != 0 ? l.alpha / static_cast<float>(l.size) : l.alpha, l.beta, l.k,
                  0,        0};
    int alignment = 0;
    JCUCONV_TRY(pitch_of("x_pitch", l.x_pitch, l.c, &g.x_pitch));
    JCUCONV_TRY(pitch_of("y_pitch", l.y_pitch, l.c, &g.y_pitch));
    JCUCONV_TRY(alignment_of(l.type, l.alignment, &alignment));
    JCUCONV_TRY(at_most("pixels", l.pixels, kMaxItems / std::max(g.x_pitch, g.y_pitch), JCUCONV_UNSUPPORTED_SIZE));
    const auto type = static_cast<jcuconv_type>(l.type);
    const int vec = vector_width(type, alignment, {g.c, g.x_pitch, g.y_pitch});
    const std::uint64_t x_bytes = tensor_bytes(g.pixels, g.x_pitch, g.c, size_of(type));
    const std::uint64_t y_bytes = tensor_bytes(g.pixels, g.y_pitch, g.c, size_of(type));
    const Argument x{JCUCONV_ARG_X, x_bytes, alignment};
    if (pass == JCUCONV_FPROP) {
        plan->description = "lrn fwd vec " + std::to_string(vec);
        plan->arguments = {x, {JCUCONV_ARG_Y, y_bytes, alignment, true}};
        if (l.save != 0)
            plan->arguments.push_back({JCUCONV_ARG_SAVED, tensor_bytes(g.pixels, g.c, g.c, sizeof(float)),
                                       vec * static_cast<int>(sizeof(float)), true});
        plan->run = [=](const Tensors& t, void*, device::Stream stream) {
            return lrn_fwd(g, type, vec, t.at(JCUCONV_ARG_X), t.at(JCUCONV_ARG_Y), t.at<float>(JCUCONV_ARG_SAVED), stream);
        };
    } else {
        plan->description = "lrn bwd vec " + std::to_string(vec);
        plan->arguments = {x, {JCUCONV_ARG_DY, y_bytes, alignment}, {JCUCONV_ARG_DX, x_bytes, alignment, true}};
        plan->run = [=](const Tensors& t, void*, device::Stream stream) {
            return lrn_bwd(g, type, vec, t.at(JCUCONV_ARG_X), t.at(JCUCONV_ARG_DY), t.at(JCUCONV_ARG_DX), stream);
        };
    }
    return {};
}

}  // namespace jcuconv
