// The C API's part about plans: turns handles into plans and outcomes into statuses.
#include "core/device_objects.h"
#include "core/guard.h"
#include "core/plan.h"

namespace jcuconv {

namespace {

// Never destroyed: threads of a JVM may outlive static destructors.
HandleTable<Plan, Kind::kPlan>& plans() {
    static auto* table = new HandleTable<Plan, Kind::kPlan>;
    return *table;
}

template <class Problem>
jcuconv_status create(const Problem* problem, jcuconv_pass pass, std::uint64_t workspace_limit, jcuconv_handle* handle,
                      Outcome (*make)(const Problem&, jcuconv_pass, std::uint64_t, Plan*)) {
    return guarded([&]() -> Outcome {
        if (handle == nullptr) return {JCUCONV_INVALID_RESULT, "the place for the plan is null"};
        *handle = 0;
        if (problem == nullptr) return {JCUCONV_INVALID_PROBLEM, "the problem is null"};
        auto plan = std::make_shared<Plan>();
        JCUCONV_TRY(make(*problem, pass, workspace_limit, plan.get()));
        *handle = plans().add(std::move(plan));
        return {};
    });
}

Outcome no_plan() { return {JCUCONV_INVALID_HANDLE, "the handle is not an open plan"}; }

}  // namespace

std::shared_ptr<const Plan> open_plan(jcuconv_handle handle) { return plans().find(handle); }

}  // namespace jcuconv

using namespace jcuconv;

jcuconv_status jcuconv_conv2d_plan(const jcuconv_conv2d* problem, jcuconv_pass pass, uint64_t limit, jcuconv_handle* plan) {
    return create(problem, pass, limit, plan, make_conv2d_plan);
}

jcuconv_status jcuconv_conv_transpose2d_plan(const jcuconv_conv_transpose2d* problem, jcuconv_pass pass, uint64_t limit,
                                             jcuconv_handle* plan) {
    return create(problem, pass, limit, plan, make_conv_transpose2d_plan);
}

jcuconv_status jcuconv_dense_plan(const jcuconv_dense* problem, jcuconv_pass pass, uint64_t limit, jcuconv_handle* plan) {
    return create(problem, pass, limit, plan, make_dense_plan);
}

jcuconv_status jcuconv_reorder_plan(const jcuconv_reorder* problem, jcuconv_pass pass, uint64_t limit, jcuconv_handle* plan) {
    return create(problem, pass, limit, plan, make_reorder_plan);
}

jcuconv_status jcuconv_max_pool2d_plan(const jcuconv_pool2d* problem, jcuconv_pass pass, uint64_t limit,
                                       jcuconv_handle* plan) {
    return create(problem, pass, limit, plan, make_max_pool2d_plan);
}

jcuconv_status jcuconv_avg_pool2d_plan(const jcuconv_pool2d* problem, jcuconv_pass pass, uint64_t limit,
                                       jcuconv_handle* plan) {
    return create(problem, pass, limit, plan, make_avg_pool2d_plan);
}

jcuconv_status jcuconv_lrn_plan(const jcuconv_lrn* problem, jcuconv_pass pass, uint64_t limit, jcuconv_handle* plan) {
    return create(problem, pass, limit, plan, make_lrn_plan);
}

jcuconv_status jcuconv_activation_plan(const jcuconv_activation* problem, jcuconv_pass pass, uint64_t limit,
                                       jcuconv_handle* plan) {
    return create(problem, pass, limit, plan, make_activation_plan);
}

jcuconv_status jcuconv_add_plan(const jcuconv_add* problem, jcuconv_pass pass, uint64_t limit, jcuconv_handle* plan) {
    return create(problem, pass, limit, plan, make_add_plan);
}

jcuconv_status jcuconv_softmax_cross_entropy_plan(const jcuconv_softmax_cross_entropy* problem, jcuconv_pass pass, uint64_t limit,
                                                  jcuconv_handle* plan) {
    return create(problem, pass, limit, plan, make_softmax_cross_entropy_plan);
}

jcuconv_status jcuconv_optimizer_plan(const jcuconv_optimizer* problem, jcuconv_pass pass, uint64_t limit,
                                      jcuconv_handle* plan) {
    return create(problem, pass, limit, plan, make_optimizer_plan);
}

jcuconv_status jcuconv_batch_norm_plan(const jcuconv_batch_norm* problem, jcuconv_pass pass, uint64_t limit,
                                       jcuconv_handle* plan) {
    return create(problem, pass, limit, plan, make_batch_norm_plan);
}

jcuconv_status jcuconv_dropout_plan(const jcuconv_dropout* problem, jcuconv_pass pass, uint64_t limit,
                                    jcuconv_handle* plan) {
    return create(problem, pass, limit, plan, make_dropout_plan);
}

jcuconv_status jcuconv_finite_check_plan(const jcuconv_finite_check* problem, jcuconv_pass pass, uint64_t limit,
                                         jcuconv_handle* plan) {
    return create(problem, pass, limit, plan, make_finite_check_plan);
}

jcuconv_status jcuconv_concat_plan(const jcuconv_concat* problem, jcuconv_pass pass, uint64_t limit,
                                   jcuconv_handle* plan) {
    return create(problem, pass, limit, plan, make_concat_plan);
}

jcuconv_status jcuconv_channel_scale_plan(const jcuconv_channel_scale* problem, jcuconv_pass pass, uint64_t limit,
                                          jcuconv_handle* plan) {
    return create(problem, pass, limit, plan, make_channel_scale_plan);
}

jcuconv_status jcuconv_step_control_plan(const jcuconv_step_control* problem, jcuconv_pass pass, uint64_t limit,
                                         jcuconv_handle* plan) {
    return create(problem, pass, limit, plan, make_step_control_plan);
}

jcuconv_status jcuconv_plan_workspace(jcuconv_handle handle, uint64_t* bytes) {
    return guarded([&]() -> Outcome {
        if (bytes == nullptr) return {JCUCONV_INVALID_RESULT, "the place for the number of bytes is null"};
        const auto plan = plans().find(handle);
        if (!plan) return no_plan();
        *bytes = plan->workspace_bytes;
        return {};
    });
}

jcuconv_status jcuconv_plan_describe(jcuconv_handle handle, char* text, uint64_t capacity) {
    return guarded([&]() -> Outcome {
        const auto plan = plans().find(handle);
        if (!plan) return no_plan();
        return write_text(plan->description, text, capacity);
    });
}

jcuconv_status jcuconv_plan_explain(jcuconv_handle handle, char* text, uint64_t capacity) {
    return guarded([&]() -> Outcome {
        const auto plan = plans().find(handle);
        if (!plan) return no_plan();
        return write_text(plan->reason, text, capacity);
    });
}

jcuconv_status jcuconv_plan_choices(jcuconv_handle handle, uint32_t* count) {
    return guarded([&]() -> Outcome {
        if (count == nullptr) return {JCUCONV_INVALID_RESULT, "the place for the number of choices is null"};
        const auto plan = plans().find(handle);
        if (!plan) return no_plan();
        *count = plan->choices;
        return {};
    });
}

jcuconv_status jcuconv_execute(jcuconv_handle handle, const jcuconv_span* arguments, uint32_t count, jcuconv_span workspace,
                               jcuconv_stream stream) {
    return guarded([&]() -> Outcome {
        const auto plan = plans().find(handle);
        if (!plan) return no_plan();
        if (arguments == nullptr) return {JCUCONV_INVALID_ARGUMENTS, "the array of arguments is null"};
        StreamUse live;
        JCUCONV_TRY(find_stream(stream, &live));
        return execute(*plan, {arguments, count}, workspace, live);
    });
}

jcuconv_status jcuconv_plan_destroy(jcuconv_handle handle) {
    return guarded([&] { return plans().remove(handle) ? Outcome() : no_plan(); });
}
