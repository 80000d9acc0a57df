// A plan: what one operation needs and how to run it. Immutable, so any number of threads and streams may run it at once.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/device.h"
#include "jcuconv/jcuconv.h"

namespace jcuconv {

struct Argument {
    jcuconv_arg arg;
    std::uint64_t bytes;
    int alignment;
    bool writes = false;
    bool in_place = false;  // may be exactly the memory of another argument that has this flag
};

// The addresses of one execution, already checked.
struct Tensors {
    std::array<void*, JCUCONV_ARG_COUNT> address{};

    template <class T = void>
    T* at(jcuconv_arg arg) const {
        return static_cast<T*>(address[arg]);
    }
};

struct Plan {
    std::string description;
    std::string reason;  // why this and no other kernel, empty where there is one only
    std::vector<Argument> arguments;
    std::uint64_t workspace_bytes = 0;
    std::uint32_t choices = 0;  // that the problem's `choice` may name
    std::function<Outcome(const Tensors& tensors, void* workspace, device::Stream stream)> run;
};

// The plan behind an open handle, or null.
std::shared_ptr<const Plan> open_plan(jcuconv_handle handle);

// Checks every argument of the plan (null, bytes, alignment, device memory, overlap), then queues the work.
struct StreamUse;
Outcome execute(const Plan& plan, std::span<const jcuconv_span> spans, jcuconv_span workspace, const StreamUse& stream);

Outcome make_conv2d_plan(const jcuconv_conv2d& problem, jcuconv_pass pass, std::uint64_t workspace_limit, Plan* plan);
Outcome make_conv_transpose2d_plan(const jcuconv_conv_transpose2d& problem, jcuconv_pass pass, std::uint64_t workspace_limit,
                                   Plan* plan);
Outcome make_dense_plan(const jcuconv_dense& problem, jcuconv_pass pass, std::uint64_t workspace_limit, Plan* plan);
Outcome make_reorder_plan(const jcuconv_reorder& problem, jcuconv_pass pass, std::uint64_t workspace_limit, Plan* plan);
Outcome make_max_pool2d_plan(const jcuconv_pool2d& problem, jcuconv_pass pass, std::uint64_t workspace_limit, Plan* plan);
Outcome make_avg_pool2d_plan(const jcuconv_pool2d& problem, jcuconv_pass pass, std::uint64_t workspace_limit, Plan* plan);
Outcome make_lrn_plan(const jcuconv_lrn& problem, jcuconv_pass pass, std::uint64_t workspace_limit, Plan* plan);
Outcome make_activation_plan(const jcuconv_activation& problem, jcuconv_pass pass, std::uint64_t workspace_limit, Plan* plan);
Outcome make_add_plan(const jcuconv_add& problem, jcuconv_pass pass, std::uint64_t workspace_limit, Plan* plan);
Outcome make_softmax_cross_entropy_plan(const jcuconv_softmax_cross_entropy& problem, jcuconv_pass pass,
                                        std::uint64_t workspace_limit, Plan* plan);
Outcome make_optimizer_plan(const jcuconv_optimizer& problem, jcuconv_pass pass, std::uint64_t workspace_limit, Plan* plan);
Outcome make_batch_norm_plan(const jcuconv_batch_norm& problem, jcuconv_pass pass, std::uint64_t workspace_limit, Plan* plan);
Outcome make_dropout_plan(const jcuconv_dropout& problem, jcuconv_pass pass, std::uint64_t workspace_limit, Plan* plan);
Outcome make_finite_check_plan(const jcuconv_finite_check& problem, jcuconv_pass pass, std::uint64_t workspace_limit, Plan* plan);
Outcome make_concat_plan(const jcuconv_concat& problem, jcuconv_pass pass, std::uint64_t workspace_limit, Plan* plan);
Outcome make_channel_scale_plan(const jcuconv_channel_scale& problem, jcuconv_pass pass, std::uint64_t workspace_limit, Plan* plan);
Outcome make_step_control_plan(const jcuconv_step_control& problem, jcuconv_pass pass, std::uint64_t workspace_limit, Plan* plan);

}  // namespace jcuconv
