// Activations, addition, finite check: validation and plans.
#include "core/plan.h"
#include "core/rules.h"
#include "kernels/elementwise/elementwise.h"

namespace jcuconv {

namespace {

// What every elementwise plan needs; its tensors differ in their roles only.
struct Dense {
    std::int64_t count;
    jcuconv_type type;
    int alignment, vec;

    Argument argument(jcuconv_arg arg, bool writes, bool in_place) const {
        return {arg, static_cast<std::uint64_t>(count) * size_of(type), alignment, writes, in_place};
    }
};

Outcome dense(std::int64_t count, int type, int alignment, Dense* d) {
    JCUCONV_TRY(at_least("count", count, 1, JCUCONV_INVALID_COUNT));
    JCUCONV_TRY(at_most("count", count, kMaxItems, JCUCONV_UNSUPPORTED_SIZE));
    JCUCONV_TRY(alignment_of(type, alignment, &d->alignment));
    d->count = count;
    d->type = static_cast<jcuconv_type>(type);
    d->vec = vector_width(d->type, d->alignment, {count});
    return {};
}

}  // namespace

Outcome make_activation_plan(const jcuconv_activation& a, jcuconv_pass pass, std::uint64_t, Plan* plan) {
    JCUCONV_TRY(is_pass(pass, true));
    if (a.kind < JCUCONV_RELU || a.kind > JCUCONV_SIGMOID)
        return {JCUCONV_INVALID_PARAMETER, "kind = " + std::to_string(a.kind) + ": not a jcuconv_activation_kind"};
    Dense d;
    JCUCONV_TRY(dense(a.count, a.type, a.alignment, &d));
    const auto kind = static_cast<jcuconv_activation_kind>(a.kind);
    if (pass == JCUCONV_FPROP) {
        plan->description = "activation fwd vec " + std::to_string(d.vec);
        plan->arguments = {d.argument(JCUCONV_ARG_X, false, true), d.argument(JCUCONV_ARG_Y, true, true)};
        plan->run = [=](const Tensors& t, void*, device::Stream stream) {
            return activation_fwd(kind, d.count, d.type, d.vec, t.at(JCUCONV_ARG_X), t.at(JCUCONV_ARG_Y), stream);
        };
    } else {
        plan->description = "activation bwd vec " + std::to_string(d.vec);
        plan->arguments = {d.argument(JCUCONV_ARG_Y, false, false), d.argument(JCUCONV_ARG_DY, false, true),
                           d.argument(JCUCONV_ARG_DX, true, true)};
        plan->run = [=](const Tensors& t, void*, device::Stream stream) {
            return activation_bwd(kind, d.count, d.type, d.vec, t.at(JCUCONV_ARG_Y), t.at(JCUCONV_ARG_DY), t.at(JCUCONV_ARG_DX),
                                  stream);
        };
    }
    return {};
}

Outcome make_add_plan(const jcuconv_add& a, jcuconv_pass pass, std::uint64_t, Plan* plan) {
    JCUCONV_TRY(is_pass(pass, false));
    Dense d;
    JCUCONV_TRY(dense(a.count, a.type, a.alignment, &d));
    plan->description = "add vec " + std::to_string(d.vec);
    plan->arguments = {d.argument(JCUCONV_ARG_X, false, true), d.argument(JCUCONV_ARG_X2, false, true),
                       d.argument(JCUCONV_ARG_Y, true, true)};
    plan->run = [=](const Tensors& t, void*, device::Stream stream) {
        return add(d.count, d.type, d.vec, t.at(JCUCONV_ARG_X), t.at(JCUCONV_ARG_X2), t.at(JCUCONV_ARG_Y), stream);
    };
    return {};
}

Outcome make_finite_check_plan(const jcuconv_finite_check& f, jcuconv_pass pass, std::uint64_t, Plan* plan) {
    JCUCONV_TRY(is_pass(pass, false));
    Dense d;
    JCUCONV_TRY(dense(f.count, f.type, f.alignment, &d));
    plan->description = "finite_check";
    plan->arguments = {d.argument(JCUCONV_ARG_X, false, false),
                       {JCUCONV_ARG_FLAG, sizeof(std::int32_t), alignof(std::int32_t), true}};
    plan->run = [=](const Tensors& t, void*, device::Stream stream) {
        return finite_check(d.count, d.type, t.at(JCUCONV_ARG_X), t.at<std::int32_t>(JCUCONV_ARG_FLAG), stream);
    };
    return {};
}

}  // namespace jcuconv
