// Runs a lambda as a kernel on the executor, without the model of the runtime.
#pragma once

#include <string>

#include "simt/executor.h"

namespace jcuconv::test {

// Calls `f` once per thread. Returns what went wrong.
template <class F>
std::string run_kernel(F f, int threads, std::size_t shared_bytes = 0, const simt::Options& options = {}, simt::Dim3 grid = {}) {
    simt::set_options(options);
    const simt::Launch launch{"test_kernel", grid, threads, shared_bytes, [](void* g) { (*static_cast<F*>(g))(); }, &f};
    auto error = simt::run(launch);
    simt::set_options({});
    return error;
}

}  // namespace jcuconv::test
