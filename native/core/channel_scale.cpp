// Channel scale: validation and plans.
#include "kernels/channel_scale/channel_scale.h"

#include "core/arithmetic.h"
#include "core/plan.h"
#include "core/rules.h"

namespace jcuconv {

Outcome make_channel_scale_plan(const jcuconv_channel_scale& s, jcuconv_pass pass, std::uint64_t, Plan* plan) {
    JCUCONV_TRY(is_pass(pass, true));
    JCUCONV_TRY(at_least("n", s.n, 1, JCUCONV_INVALID_BATCH));
    JCUCONV_TRY(at_least("pixels", s.pixels, 1, JCUCONV_INVALID_IMAGE));
    JCUCONV_TRY(at_least("c", s.c, 1, JCUCONV_INVALID_CHANNELS));
    const std::int64_t per_image = std::int64_t{s.pixels} * s.c;
    JCUCONV_TRY(at_most("n*pixels*c", s.n, kMaxItems / per_image, JCUCONV_UNSUPPORTED_SIZE));
    JCUCONV_TRY(at_most("n", s.n, INT32_MAX / (ceil_div<std::int64_t>(s.c, kChannelScaleLanes)), JCUCONV_UNSUPPORTED_SIZE));
    int alignment = 0;
    JCUCONV_TRY(alignment_of(s.type, s.alignment, &alignment));
    const auto type = static_cast<jcuconv_type>(s.type);
    const ChannelScaleGeometry g{s.n, s.pixels, s.c};
    const int vec = vector_width(type, alignment, {g.c});
    const std::uint64_t image_bytes = static_cast<std::uint64_t>(s.n * per_image) * size_of(type);
    const std::uint64_t gate_bytes = static_cast<std::uint64_t>(g.n * g.c) * size_of(type);
    const Argument x{JCUCONV_ARG_X, image_bytes, alignment}, gates{JCUCONV_ARG_X2, gate_bytes, alignment};
    if (pass == JCUCONV_FPROP) {
        plan->description = "channel scale fwd vec " + std::to_string(vec);
        plan->arguments = {x, gates, {JCUCONV_ARG_Y, image_bytes, alignment, true}};
        plan->run = [=](const Tensors& t, void*, device::Stream stream) {
            return channel_scale_fwd(g, type, vec, t.at(JCUCONV_ARG_X), t.at(JCUCONV_ARG_X2), t.at(JCUCONV_ARG_Y), stream);
        };
    } else {
        plan->description = "channel scale bwd";
        plan->arguments = {x, gates, {JCUCONV_ARG_DY, image_bytes, alignment}, {JCUCONV_ARG_DX, image_bytes, alignment, true},
                           {JCUCONV_ARG_DX2, gate_bytes, alignment, true}};
        plan->run = [=](const Tensors& t, void*, device::Stream stream) {
            return channel_scale_bwd(g, type, t.at(JCUCONV_ARG_X), t.at(JCUCONV_ARG_X2), t.at(JCUCONV_ARG_DY), t.at(JCUCONV_ARG_DX),
                                     t.at(JCUCONV_ARG_DX2), stream);
        };
    }
    return {};
}

}  // namespace jcuconv
