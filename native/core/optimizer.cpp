// Optimizers and the control of a training step: validation and plans.
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

Outcome make_step_control_plan(const jcuconv_step_control& s, jcuconv_pass pass, std::uint64_t, Plan* plan) {
    JCUCONV_TRY(is_pass(pass, false));
    constexpr int kMaxRows = 4, kCounters = 8, kSeed = 4;
    JCUCONV_TRY(at_least("rates", s.rates, 1, JCUCONV_INVALID_COUNT));
    JCUCONV_TRY(at_least("rows", s.rows, 1, JCUCONV_INVALID_COUNT));
    JCUCONV_TRY(at_most("rows", s.rows, kMaxRows, JCUCONV_UNSUPPORTED_SIZE));
    JCUCONV_TRY(is_flag("loss_scaling", s.loss_scaling, JCUCONV_INVALID_PARAMETER));
    JCUCONV_TRY(at_least("growth_interval", s.growth_interval, 1, JCUCONV_INVALID_PARAMETER));
    const auto words = [](jcuconv_arg arg, std::int64_t count, bool writes) {
        return Argument{arg, static_cast<std::uint64_t>(count) * 4, 4, writes};
    };
    plan->description = "step_control";
    plan->arguments = {words(JCUCONV_ARG_RATES, s.rates, false), words(JCUCONV_ARG_COUNTERS, kCounters, true),
                       words(JCUCONV_ARG_LOSS_SCALE, 1, true), words(JCUCONV_ARG_SEED, kSeed, true),
                       words(JCUCONV_ARG_HYPER, std::int64_t{s.rows} * kHyperCount, true)};
    if (s.loss_scaling != 0) plan->arguments.push_back(words(JCUCONV_ARG_FLAG, 1, false));
    plan->run = [=](const Tensors& t, void*, device::Stream stream) {
        return step_control({s.rates, s.rows, s.growth_interval, t.at<std::int32_t>(JCUCONV_ARG_FLAG), t.at<float>(JCUCONV_ARG_RATES),
                             t.at<std::int32_t>(JCUCONV_ARG_COUNTERS), t.at<std::int32_t>(JCUCONV_ARG_SEED),
                             t.at<float>(JCUCONV_ARG_LOSS_SCALE), t.at<float>(JCUCONV_ARG_HYPER)},
                            stream);
    };
    return {};
}

}  // namespace jcuconv
