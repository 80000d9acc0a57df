// A plan: what one operation needs and how to run it. Immutable, so any number of threads and streams may run it at once.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/device.h"
#include "jcuconv/jcuconv.h"

namespace jcuconv {

// The named tensors of jcuconv_tensors, in its order.
enum class Slot { kX, kW, kBias, kY, kDx, kDw, kDbias, kDy, kSaved, kState, kCount };

struct Argument {
    Slot slot;
    std::uint64_t bytes;
    int alignment;
    bool writes = false;
    bool in_place = false;   // may be exactly the memory of another argument that has this flag
};

struct Tensors {
    std::array<void*, static_cast<std::size_t>(Slot::kCount)> address{};

    template <class T = void>
    T* at(Slot slot) const {
        return static_cast<T*>(address[static_cast<std::size_t>(slot)]);
    }
};

struct Plan {
    std::string description;
    std::vector<Argument> arguments;
    std::uint64_t workspace_bytes = 0;
    std::function<Outcome(const Tensors& tensors, void* workspace, device::Stream stream)> run;
};

// Checks every argument of the plan (null, bytes, alignment, device memory, overlap), then queues the work.
Outcome execute(const Plan& plan, const jcuconv_tensors& tensors, jcuconv_span workspace, device::Stream stream);

Outcome make_conv2d_plan(const jcuconv_conv2d& problem, jcuconv_pass pass, std::uint64_t workspace_limit, Plan* plan);
Outcome make_conv_transpose2d_plan(const jcuconv_conv_transpose2d& problem, jcuconv_pass pass, std::uint64_t workspace_limit,
                                   Plan* plan);

}  // namespace jcuconv
