// Test knobs of the runtime model in runtime/.
#pragma once

#include <cstdint>

namespace jcuconv::simt {

struct RuntimeOptions {
    // 0: queued work runs only when something waits for it. Otherwise, at each call that queues or waits, streams that nobody waits
    // for may also advance, drawn by a generator seeded with this number.
    std::uint64_t seed = 0;
    // What heuristics are told about the device. Results must not depend on it.
    int multiprocessors = 132;
    // Work runs in the call that queues it, as if the host waited after each: to compare with.
    bool eager = false;
    // The compute capability that kernels are chosen for.
    int architecture = 90;
};

// The environment variable JCUCONV_EMULATED_ORDER (late, eager or a seed) says what a process starts with.
void set_runtime_options(const RuntimeOptions& options);
RuntimeOptions runtime_options();

// How often anything asked for the number of multiprocessors. Tests repeat with other numbers what has asked.
std::uint64_t multiprocessor_queries();
RuntimeOptions runtime_options();

// How often anything asked for the number of multiprocessors. Tests repeat with other numbers what has asked.
std::uint64_t multiprocessor_queries();

// Drops queued work and captures and forgets a failure, so that a test which provokes one does not end the process's device.
void reset_device();

}  // namespace jcuconv::simt
