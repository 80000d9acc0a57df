// Softmax with cross-entropy: validation and plans.
#include "core/plan.h"
#include "core/rules.h"
#include "kernels/loss/softmax_cross_entropy.h"

namespace jcuconv {

Outcome make_softmax_cross_entropy_plan(const jcuconv_softmax_cross_entropy& l, jcuconv_pass pass, std::uint64_t workspace_limit,
                                        Plan* plan) {
    JCUCONV_TRY(is_pass(pass, true));
    JCUCONV_TRY(at_least("rows", l.rows, 1, JCUCONV_INVALID_BATCH));
    JCUCONV_TRY(at_least("classes", l.classes, 1, JCUCONV_INVALID_CHANNELS));
    if (l.ignore_label >= 0) return {JCUCONV_INVALID_PARAMETER, "ignore_label must be negative"};
    JCUCONV_TRY(at_most("rows", l.rows, std::int64_t{INT32_MAX} * 2, JCUCONV_UNSUPPORTED_SIZE));
    int alignment = 0;
    JCUCONV_TRY(alignment_of(l.type, l.alignment, &alignment));
    const SoftmaxGeometry g{l.rows, l.classes, l.ignore_label};
    const auto type = static_cast<jcuconv_type>(l.type);
    const auto rows = static_cast<std::uint64_t>(l.rows);
    const std::uint64_t bytes = rows * static_cast<std::uint64_t>(l.classes) * size_of(type);
    const Argument x{JCUCONV_ARG_X, bytes, alignment};
    const Argument labels{JCUCONV_ARG_LABELS, rows * sizeof(std::int32_t), alignof(std::int32_t)};
    plan->workspace_bytes = pass == JCUCONV_FPROP ? rows * sizeof(float) : sizeof(float);
    JCUCONV_TRY(check_workspace_limit(plan->workspace_bytes, workspace_limit));
    if (pass == JCUCONV_FPROP) {
        plan->description = "softmax_cross_entropy fwd";
        plan->arguments = {x, labels, {JCUCONV_ARG_LOSS, sizeof(float), alignof(float), true}};
        plan->run = [=](const Tensors& t, void* workspace, device::Stream stream) {
            return softmax_cross_entropy_fwd(g, type, t.at(JCUCONV_ARG_X), t.at<std::int32_t>(JCUCONV_ARG_LABELS),
                                             t.at<float>(JCUCONV_ARG_LOSS), static_cast<float*>(workspace), stream);
        };
    } else {
        plan->description = "softmax_cross_entropy bwd";
        plan->arguments = {x, labels, {JCUCONV_ARG_LOSS_SCALE, sizeof(float), alignof(float)},
                           {JCUCONV_ARG_DX, bytes, alignment, true}};
        plan->run = [=](const Tensors& t, void* workspace, device::Stream stream) {
            return softmax_cross_entropy_bwd(g, type, t.at(JCUCONV_ARG_X), t.at<std::int32_t>(JCUCONV_ARG_LABELS),
                                             t.at<float>(JCUCONV_ARG_LOSS_SCALE), t.at(JCUCONV_ARG_DX),
                                             static_cast<float*>(workspace), stream);
        };
    }
    return {};
}

}  // namespace jcuconv
