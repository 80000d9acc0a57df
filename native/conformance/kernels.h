// The conformance kernels: one per primitive, or per layout of one. Each runs on the device at hand and dumps what it saw. Included by
// host code, so no primitive is named here.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "conformance/dump.h"
#include "core/device.h"

namespace jcuconv::conformance {

struct Kernel {
    const char* name;
    Type type;
    int rows, columns;
    std::vector<std::uint32_t> (*input)();  // null: none
    Outcome (*launch)(const std::uint32_t* in, std::uint64_t* out, int elements);
};

std::span<const Kernel> thread_kernels();
std::span<const Kernel> copy_kernels();
std::span<const Kernel> layout_kernels();
std::span<const Kernel> rounding_kernels();
std::span<const Kernel> conversion_kernels();
std::span<const Kernel> function_kernels();
std::span<const Kernel> gemm_kernels();
std::span<const Kernel> hopper_kernels();

std::vector<Kernel> all_kernels();

// Runs one kernel and waits for it. Elements that it does not write stay kUnwritten.
constexpr std::uint64_t kUnwritten = 0xEEEEEEEEEEEEEEEEu;
Outcome run(const Kernel& kernel, Dump* dump);

}  // namespace jcuconv::conformance
