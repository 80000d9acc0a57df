// Test knobs of the runtime model in runtime.cpp.
#pragma once

#include <cstdint>

namespace jcuconv::simt {

struct RuntimeOptions {
    // 0: queued work runs only when something waits for it. Otherwise, at each wait, streams that are not waited for may also
    // advance, drawn by a generator seeded with this number.
    std::uint64_t seed = 0;
    // What heuristics are told about the device. Results must not depend on it.
    int multiprocessors = 132;
};
void set_runtime_options(const RuntimeOptions& options);

// Drops queued work and forgets a failure, so that a test which provokes one does not end the process's device.
void reset_device();

}  // namespace jcuconv::simt
