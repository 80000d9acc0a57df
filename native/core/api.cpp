// The C API: turns handles into plans and outcomes into statuses. No C++ exception leaves this file.
#include <algorithm>
#include <cstring>
#include <new>

#include "core/handles.h"
#include "core/plan.h"

namespace jcuconv {

namespace {

// Never destroyed: threads of a JVM may outlive static destructors.
HandleTable<Plan>& plans() {
    static auto* table = new HandleTable<Plan>;
    return *table;
}

std::string& last_message() {
    static thread_local std::string message;
    return message;
}

jcuconv_status finish(Outcome outcome) {
    if (!outcome.ok()) last_message() = std::move(outcome.text);
    return outcome.status;
}

template <class F>
jcuconv_status guarded(F f) noexcept {
    try {
        return finish(f());
    } catch (const std::bad_alloc&) {
        return JCUCONV_OUT_OF_MEMORY;
    } catch (const std::exception& e) {
        return finish({JCUCONV_INTERNAL_ERROR, e.what()});
    }
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

}  // namespace jcuconv

using namespace jcuconv;

const char* jcuconv_last_message(void) { return last_message().c_str(); }

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
        if (text == nullptr || capacity == 0) return {JCUCONV_INVALID_RESULT, "the place for the text is null or empty"};
        const auto plan = plans().find(handle);
        if (!plan) return no_plan();
        const auto length = std::min<std::size_t>(plan->description.size(), capacity - 1);
        std::memcpy(text, plan->description.data(), length);
        text[length] = 0;
        return {};
    });
}

jcuconv_status jcuconv_execute(jcuconv_handle handle, const jcuconv_span* arguments, uint32_t count, jcuconv_span workspace,
                               jcuconv_stream stream) {
    return guarded([&]() -> Outcome {
        const auto plan = plans().find(handle);
        if (!plan) return no_plan();
        if (arguments == nullptr) return {JCUCONV_INVALID_ARGUMENTS, "the array of arguments is null"};
        return execute(*plan, {arguments, count}, workspace, stream);
    });
}

jcuconv_status jcuconv_plan_destroy(jcuconv_handle handle) {
    return guarded([&] { return plans().remove(handle) ? Outcome() : no_plan(); });
}

jcuconv_status jcuconv_malloc(uint64_t bytes, void** address) {
    return guarded([&]() -> Outcome {
        if (address == nullptr) return {JCUCONV_INVALID_RESULT, "the place for the address is null"};
        *address = nullptr;
        return device::allocate(bytes, address);
    });
}

jcuconv_status jcuconv_free(void* address) {
    return guarded([&] { return device::release(address); });
}

jcuconv_status jcuconv_copy_to_device(void* to, const void* from, uint64_t bytes, jcuconv_stream stream) {
    return guarded([&] { return device::copy(to, from, bytes, device::Copy::kToDevice, stream); });
}

jcuconv_status jcuconv_copy_to_host(void* to, const void* from, uint64_t bytes, jcuconv_stream stream) {
    return guarded([&] { return device::copy(to, from, bytes, device::Copy::kToHost, stream); });
}

jcuconv_status jcuconv_copy_on_device(void* to, const void* from, uint64_t bytes, jcuconv_stream stream) {
    return guarded([&] { return device::copy(to, from, bytes, device::Copy::kOnDevice, stream); });
}

jcuconv_status jcuconv_fill(void* to, uint8_t value, uint64_t bytes, jcuconv_stream stream) {
    return guarded([&] { return device::fill(to, value, bytes, stream); });
}

jcuconv_status jcuconv_stream_create(jcuconv_stream* stream) {
    return guarded([&]() -> Outcome {
        if (stream == nullptr) return {JCUCONV_INVALID_RESULT, "the place for the stream is null"};
        return device::stream_create(stream);
    });
}

jcuconv_status jcuconv_stream_destroy(jcuconv_stream stream) {
    return guarded([&] { return device::stream_destroy(stream); });
}

jcuconv_status jcuconv_stream_synchronize(jcuconv_stream stream) {
    return guarded([&] { return device::stream_synchronize(stream); });
}
