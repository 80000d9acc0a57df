// Dropout: validation and plans.
#include "kernels/dropout/dropout.h"

#include "core/plan.h"
#include "core/rules.h"

namespace jcuconv {

Outcome make_dropout_plan(const jcuconv_dropout& d, jcuconv_pass pass, std::uint64_t, Plan* plan) {
    JCUCONV_TRY(is_pass(pass, true));
    JCUCONV_TRY(at_least("n", d.n, 1, JCUCONV_INVALID_BATCH));
    JCUCONV_TRY(at_least("pixels", d.pixels, 1, JCUCONV_INVALID_IMAGE));
    JCUCONV_TRY(at_least("c", d.c, 1, JCUCONV_INVALID_CHANNELS));
    if (!(d.rate >= 0 && d.rate < 1)) return {JCUCONV_INVALID_PARAMETER, "rate must be at least 0 and below 1"};
    const std::int64_t per_image = std::int64_t{d.pixels} * d.c;
    JCUCONV_TRY(at_most("n*pixels*c", d.n, kMaxItems / per_image, JCUCONV_UNSUPPORTED_SIZE));
    int alignment = 0;
    JCUCONV_TRY(alignment_of(d.type, d.alignment, &alignment));
    const auto type = static_cast<jcuconv_type>(d.type);
    const double rate = d.rate;
    const DropoutGeometry g{d.n, d.pixels, d.c, d.layer, static_cast<std::uint32_t>(rate * 0x1p32),
                            static_cast<float>(1 / (1 - rate))};
    const bool aligned = vector_width(type, alignment, {}) == 4;
    const std::uint64_t bytes = static_cast<std::uint64_t>(d.n * per_image) * size_of(type);
    const bool forward = pass == JCUCONV_FPROP;
    const jcuconv_arg from = forward ? JCUCONV_ARG_X : JCUCONV_ARG_DY, to = forward ? JCUCONV_ARG_Y : JCUCONV_ARG_DX;
    constexpr int kSeedWords = 4;
    plan->description = forward ? "dropout fwd" : "dropout bwd";
    plan->arguments = {{from, bytes, alignment, false, true},
                       {JCUCONV_ARG_SEED, kSeedWords * sizeof(std::int32_t), alignof(std::int32_t)},
                       {to, bytes, alignment, true, true}};
    plan->run = [=](const Tensors& t, void*, device::Stream stream) {
        return dropout(g, type, aligned, t.at(from), t.at<std::int32_t>(JCUCONV_ARG_SEED), t.at(to), stream);
    };
    return {};
}

}  // namespace jcuconv
