// Batch normalization: validation and plans.
#include "kernels/batch_norm/batch_norm.h"

#include <algorithm>

#include "core/plan.h"
#include "core/rules.h"

namespace jcuconv {

Outcome make_batch_norm_plan(const jcuconv_batch_norm& b, jcuconv_pass pass, std::uint64_t workspace_limit, Plan* plan) {
    JCUCONV_TRY(is_pass(pass, true));
    JCUCONV_TRY(at_least("pixels", b.pixels, 1, JCUCONV_INVALID_IMAGE));
    JCUCONV_TRY(at_least("c", b.c, 1, JCUCONV_INVALID_CHANNELS));
    JCUCONV_TRY(is_flag("training", b.training, JCUCONV_INVALID_PARAMETER));
    if (!(b.eps > 0)) return {JCUCONV_INVALID_PARAMETER, "eps must be positive"};
    if (!(b.momentum >= 0 && b.momentum <= 1)) return {JCUCONV_INVALID_PARAMETER, "momentum must lie in 0 .. 1"};
    BatchNormGeometry g{b.pixels, b.c, b.eps, b.momentum, 0, 0};
    int alignment = 0;
    JCUCONV_TRY(pitch_of("x_pitch", b.x_pitch, b.c, &g.x_pitch));
    JCUCONV_TRY(pitch_of("y_pitch", b.y_pitch, b.c, &g.y_pitch));
    JCUCONV_TRY(alignment_of(b.type, b.alignment, &alignment));
    JCUCONV_TRY(at_most("pixels", b.pixels, kMaxItems / std::max(g.x_pitch, g.y_pitch), JCUCONV_UNSUPPORTED_SIZE));
    const auto type = static_cast<jcuconv_type>(b.type);
    const int vec = vector_width(type, alignment, {g.c, g.x_pitch, g.y_pitch});
    const auto channels = [&](jcuconv_arg arg, bool writes) {
        return Argument{arg, static_cast<std::uint64_t>(g.c) * sizeof(float), alignof(float), writes};
    };
    const std::uint64_t x_bytes = tensor_bytes(g.pixels, g.x_pitch, g.c, size_of(type));
    const std::uint64_t y_bytes = tensor_bytes(g.pixels, g.y_pitch, g.c, size_of(type));
    const bool training = b.training != 0;
    plan->arguments = {{JCUCONV_ARG_X, x_bytes, alignment}, channels(JCUCONV_ARG_GAMMA, false)};
    const auto add = [&](std::initializer_list<Argument> more) { plan->arguments.insert(plan->arguments.end(), more); };
    if (pass == JCUCONV_FPROP) {
        add({channels(JCUCONV_ARG_BETA, false), {JCUCONV_ARG_Y, y_bytes, alignment, true},
             channels(JCUCONV_ARG_RUNNING_MEAN, training), channels(JCUCONV_ARG_RUNNING_VAR, training)});
        if (!training) {
            plan->description = "batch_norm inference vec " + std::to_string(vec);
            plan->run = [=](const Tensors& t, void*, device::Stream stream) {
                return batch_norm_fwd(g, type, vec, t.at(JCUCONV_ARG_X), t.at<float>(JCUCONV_ARG_GAMMA), t.at<float>(JCUCONV_ARG_BETA),
                                      t.at<float>(JCUCONV_ARG_RUNNING_MEAN), t.at<float>(JCUCONV_ARG_RUNNING_VAR), t.at(JCUCONV_ARG_Y),
                                      stream);
            };
            return {};
        }
    }
    const PixelSplit split = choose_moment_sums(g.pixels, g.c, kBatchNormLanes * vec, workspace_limit);
    JCUCONV_TRY(check_workspace_limit(split.workspace_bytes, workspace_limit));
    plan->workspace_bytes = split.workspace_bytes;
    const std::string how = " vec " + std::to_string(vec) + " splits " + std::to_string(split.splits);
    if (pass == JCUCONV_FPROP) {
        add({channels(JCUCONV_ARG_SAVE_MEAN, true), channels(JCUCONV_ARG_SAVE_VAR, true)});
        plan->description = "batch_norm fwd" + how;
        plan->run = [=](const Tensors& t, void* workspace, device::Stream stream) -> Outcome {
            const BatchNormStatistics statistics{t.at<float>(JCUCONV_ARG_SAVE_MEAN), t.at<float>(JCUCONV_ARG_SAVE_VAR),
                                                 t.at<float>(JCUCONV_ARG_RUNNING_MEAN), t.at<float>(JCUCONV_ARG_RUNNING_VAR)};
            JCUCONV_TRY(batch_norm_statistics(g, type, vec, split, t.at(JCUCONV_ARG_X), statistics, static_cast<float*>(workspace),
                                              stream));
            return batch_norm_fwd(g, type, vec, t.at(JCUCONV_ARG_X), t.at<float>(JCUCONV_ARG_GAMMA), t.at<float>(JCUCONV_ARG_BETA),
                                  statistics.save_mean, statistics.save_var, t.at(JCUCONV_ARG_Y), stream);
        };
    } else {
        add({channels(JCUCONV_ARG_SAVE_MEAN, false), channels(JCUCONV_ARG_SAVE_VAR, false), {JCUCONV_ARG_DY, y_bytes, alignment},
             {JCUCONV_ARG_DX, x_bytes, alignment, true}, channels(JCUCONV_ARG_DGAMMA, true), channels(JCUCONV_ARG_DBETA, true)});
        plan->description = "batch_norm bwd" + how;
        plan->run = [=](const Tensors& t, void* workspace, device::Stream stream) {
            return batch_norm_bwd(g, type, vec, split,
                                  {t.at(JCUCONV_ARG_X), t.at(JCUCONV_ARG_DY), t.at<float>(JCUCONV_ARG_GAMMA),
                                   t.at<float>(JCUCONV_ARG_SAVE_MEAN), t.at<float>(JCUCONV_ARG_SAVE_VAR), t.at(JCUCONV_ARG_DX),
                                   t.at<float>(JCUCONV_ARG_DGAMMA), t.at<float>(JCUCONV_ARG_DBETA)},
                                  static_cast<float*>(workspace), stream);
        };
    }
    return {};
}

}  // namespace jcuconv
