// Optimizers: validation and plans.
#include "core/plan.h"
#include "core/rules.h"
#include "kernels/optimizer/optimizer.h"

namespace jcuconv {

Outcome make_optimizer_plan(const jcuconv_optimizer& o, jcuconv_pass pass, std::uint64_t, Plan* plan) {
    JCUCONV_TRY(is_pass(pass, false));
    JCUCONV_TRY(at_least("count", o.count, 1, JCUCONV_INVALID_COUNT));
    JCUCONV_TRY(at_most("count", o.count, kMaxItems, JCUCONV_UNSUPPORTED_SIZE));
    if (o.kind < JCUCONV_SGD || o.kind > JCUCONV_ADAM)
        return {JCUCONV_INVALID_PARAMETER, "kind = " + std::to_string(o.kind) + ": not a jcuconv_optimizer_kind"};
    int alignment = 0;
    JCUCONV_TRY(alignment_of(o.storage, 0, &alignment));
    const auto storage = static_cast<jcuconv_type>(o.storage);
    const auto count = static_cast<std::uint64_t>(o.count);
    const auto flat = [&](jcuconv_arg arg, bool writes) {
        return Argument{arg, count * sizeof(float), alignof(float), writes};
    };
    plan->description = o.kind == JCUCONV_ADAM ? "adam" : "sgd";
    plan->arguments = {flat(JCUCONV_ARG_W, true), flat(JCUCONV_ARG_DW, false),
                       {JCUCONV_ARG_HYPER, kHyperCount * sizeof(float), alignof(float)}};
    if (o.kind != JCUCONV_SGD) plan->arguments.push_back(flat(JCUCONV_ARG_M, true));
    if (o.kind == JCUCONV_ADAM) plan->arguments.push_back(flat(JCUCONV_ARG_V, true));
    if (storage != JCUCONV_F32)
        plan->arguments.push_back({JCUCONV_ARG_W_STORAGE, count * size_of(storage), static_cast<int>(size_of(storage)), true});
    const auto rule = o.kind == JCUCONV_ADAM ? adam : sgd;
    const std::int64_t elements = o.count;
    plan->run = [=](const Tensors& t, void*, device::Stream stream) {
        return rule(elements, storage,
                    {t.at<float>(JCUCONV_ARG_W), t.at<float>(JCUCONV_ARG_DW), t.at<float>(JCUCONV_ARG_M),
                     t.at<float>(JCUCONV_ARG_V), t.at<float>(JCUCONV_ARG_HYPER), t.at(JCUCONV_ARG_W_STORAGE)},
                    stream);
    };
    return {};
}

}  // namespace jcuconv
