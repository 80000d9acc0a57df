// Runs an operation and demands what every operation owes, every time: its outputs hold NaN before it runs and its workspace dirt,
// it leaves its inputs and everything around its tensors alone, and a second run gives the same bits although the dirt, the
// outputs' old contents, the order of threads and the time at which asynchronous copies land are others. What asked for the number of multiprocessors runs with three.
#pragma once

#include <algorithm>
#include <functional>

#include "core/plan.h"
#include "simt/executor.h"
#include "simt/memory.h"
#include "simt/runtime.h"
#include "test/testing/tensor.h"

namespace jcuconv::test {

enum class Use { kReads, kOverwrites, kUpdates };

struct Operand {
    std::string name;
    jcuconv_span span;
    Use use;
};

// One way to run something. `prepare` says how many bytes of workspace it needs, `start` queues the work on the default stream.
struct Operation {
    std::function<std::uint64_t()> prepare = [] { return std::uint64_t{0}; };
    std::function<Outcome(void* workspace)> start;
};

namespace detail {

using Bytes = std::vector<std::byte>;

inline Bytes saved(const jcuconv_span& span) {
    const auto* p = static_cast<const std::byte*>(span.address);
    return Bytes(p, p + span.bytes);
}

inline bool equals(const jcuconv_span& span, const Bytes& bytes) {
    return std::memcmp(span.address, bytes.data(), bytes.size()) == 0;
}

// An output that shares its memory with another operand holds data before the run.
inline Use effective_use(const Operand& operand, const std::vector<Operand>& operands) {
    const auto same = std::count_if(operands.begin(), operands.end(),
                                    [&](const Operand& o) { return o.span.address == operand.span.address; });
    return operand.use == Use::kOverwrites && same > 1 ? Use::kUpdates : operand.use;
}

// A slice of a wider tensor has neighbours and is left as it is.
inline void dirty(const jcuconv_span& span, int byte) {
    const Tensor* tensor = Tensor::holding(span.address);
    if (tensor == nullptr) {
        std::memset(span.address, byte, span.bytes);
    } else if (tensor->span().address == span.address && tensor->span().bytes == span.bytes) {
        tensor->fill_elements(byte);
    }
}

inline std::string damage_around(const Operand& operand) {
    if (std::string text = simt::damage(operand.span.address); !text.empty()) return operand.name + ": " + text;
    const Tensor* tensor = Tensor::holding(operand.span.address);
    return tensor != nullptr && !tensor->gaps_untouched() ? operand.name + ": a write between its pixels" : std::string();
}

}  // namespace detail

// Empty, or what was wrong.
inline std::string repeat(const std::vector<Operand>& operands, const Operation& operation) {
    using detail::Bytes;
    constexpr int kDirt[] = {0xFF, 0x41};  // NaN first, then numbers near 12
    std::vector<Bytes> before, first;
    for (const Operand& operand : operands) before.push_back(detail::saved(operand.span));
    const simt::Options order = simt::options();
    const simt::RuntimeOptions runtime = simt::runtime_options();
    std::vector<int> multiprocessors = {runtime.multiprocessors, runtime.multiprocessors};
    std::string wrong;
    for (std::size_t run = 0; run < multiprocessors.size() && wrong.empty(); ++run) {
        for (std::size_t i = 0; i < operands.size(); ++i) std::memcpy(operands[i].span.address, before[i].data(), before[i].size());
        for (const Operand& operand : operands)
            if (detail::effective_use(operand, operands) == Use::kOverwrites) detail::dirty(operand.span, kDirt[run % 2]);
        simt::Options changed = order;
        if (run % 2 == 1) changed.seed = order.seed == 0 ? 1 : 0;
        if (run % 2 == 1) changed.copies = order.copies == simt::Copies::kEager ? simt::Copies::kLazy : simt::Copies::kEager;
        simt::set_options(changed);
        simt::set_runtime_options({runtime.seed, multiprocessors[run]});
        const auto queries = simt::multiprocessor_queries();
        Workspace workspace(operation.prepare());
        if (workspace.bytes > 0) std::memset(workspace.memory, kDirt[run % 2], workspace.bytes);
        Outcome outcome = operation.start(workspace.memory);
        if (outcome.ok()) outcome = device::stream_synchronize(nullptr);
        if (!outcome.ok()) wrong = std::string(jcuconv_status_name(outcome.status)) + ": " + outcome.text;
        if (simt::multiprocessor_queries() != queries && run == 0) multiprocessors = {132, 132, 3, 1};
        if (wrong.empty()) wrong = workspace.release();
        for (std::size_t i = 0; i < operands.size() && wrong.empty(); ++i) {
            wrong = detail::damage_around(operands[i]);
            if (!wrong.empty()) break;
            if (operands[i].use == Use::kReads) {
                const bool written = std::any_of(operands.begin(), operands.end(), [&](const Operand& o) {
                    return o.use != Use::kReads && o.span.address == operands[i].span.address;
                });
                if (!written && !detail::equals(operands[i].span, before[i])) wrong = operands[i].name + ": the input was changed";
            } else if (run == 0) {
                first.push_back(detail::saved(operands[i].span));
            }
        }
        for (std::size_t i = 0, output = 0; i < operands.size() && wrong.empty() && run > 0; ++i)
            if (operands[i].use != Use::kReads && !detail::equals(operands[i].span, first[output++]))
                wrong = operands[i].name + ": run " + std::to_string(run + 1) + " (" + std::to_string(multiprocessors[run]) +
                        " multiprocessors) gave other bits than the first";
    }
    simt::set_options(order);
    simt::set_runtime_options(runtime);
    return wrong;
}

// What is running, for those who count (race_shapes_test.cpp).
inline std::string& current_operation() {
    static std::string name;
    return name;
}

inline bool run_operation(const std::string& what, const std::vector<Operand>& operands, const Operation& operation) {
    current_operation() = what;
    const std::string wrong = repeat(operands, operation);
    if (!wrong.empty()) report(__FILE__, __LINE__, what + ": " + wrong);
    return wrong.empty();
}

// States that a step reads and writes back.
inline bool is_state(jcuconv_arg arg) {
    constexpr jcuconv_arg kStates[] = {JCUCONV_ARG_W, JCUCONV_ARG_M, JCUCONV_ARG_V, JCUCONV_ARG_RUNNING_MEAN,
                                       JCUCONV_ARG_RUNNING_VAR, JCUCONV_ARG_COUNTERS, JCUCONV_ARG_SEED,
                                       JCUCONV_ARG_LOSS_SCALE, JCUCONV_ARG_HYPER};
    return std::find(std::begin(kStates), std::end(kStates), arg) != std::end(kStates);
}

// Makes a plan anew for every run, and runs it with exact workspace.
template <class Problem>
bool run_plan(jcuconv_status (*create)(const Problem*, jcuconv_pass, uint64_t, jcuconv_handle*), const Problem& problem,
              jcuconv_pass pass, const Arguments& arguments, std::uint64_t workspace_limit = UINT64_MAX) {
    jcuconv_handle handle = 0;
    const auto refused = [&](jcuconv_status status) {
        report(__FILE__, __LINE__, std::string(jcuconv_status_name(status)) + ": " + jcuconv_last_message());
        return false;
    };
    if (const auto status = create(&problem, pass, workspace_limit, &handle); status != JCUCONV_OK) return refused(status);
    const std::shared_ptr<const Plan> plan = open_plan(handle);
    bool accumulates = false;
    if constexpr (requires { problem.accumulate; }) accumulates = problem.accumulate != 0;
    if constexpr (std::is_same_v<Problem, jcuconv_concat>) accumulates = true;  // leaves the other channels of y
    std::vector<Operand> operands;
    for (const Argument& argument : plan->arguments) {
        const Use written = accumulates || is_state(argument.arg) ? Use::kUpdates : Use::kOverwrites;
        if (arguments[argument.arg].address == nullptr) continue;  // execute names it
        operands.push_back({"argument " + std::to_string(argument.arg), arguments[argument.arg], argument.writes ? written : Use::kReads});
    }
    std::uint64_t bytes = 0;
    Operation operation;
    operation.prepare = [&] {
        jcuconv_plan_destroy(handle);
        if (create(&problem, pass, workspace_limit, &handle) == JCUCONV_OK) jcuconv_plan_workspace(handle, &bytes);
        return bytes;
    };
    operation.start = [&](void* workspace) -> Outcome {
        const auto status = jcuconv_execute(handle, arguments.data(), JCUCONV_ARG_COUNT, {workspace, bytes}, nullptr);
        return status == JCUCONV_OK ? Outcome() : Outcome(status, jcuconv_last_message());
    };
    const bool right = run_operation(plan->description, operands, operation);
    jcuconv_plan_destroy(handle);
    return right;
}

}  // namespace jcuconv::test
