// Runs CUDA kernels on the CPU: every thread of a block is a fiber, blocks run one after another on the calling thread.
//
// This is a test instrument and the engine `emulated`, not a fast path. It finds what a GPU hides: uninitialised shared
// memory (poisoned with NaN), divergent barriers and warp operations, deadlocks, order dependence (seeded random order).
// Not modelled: weak memory order, timing, register limits, rounding inside tensor cores.
#pragma once

#include <cstddef>
#include <cstdint>
#include <source_location>
#include <string>

namespace jcuconv::simt {

using Where = std::source_location;

struct Dim3 {
    unsigned x = 1, y = 1, z = 1;
};

// What a kernel sees of itself. One per OS thread; `thread` changes at each fiber switch. Kept small: it lies in static
// thread-local storage, of which a library loaded into a running JVM gets little.
struct Control {
    int thread = 0;
    int block_size = 0;
    Dim3 block, grid;
    std::byte* shared = nullptr;
    std::size_t shared_bytes = 0;
};
extern __thread Control control;

constexpr int kWarpSize = 32;
constexpr int kMaxBlockSize = 1024;
constexpr int kBarriers = 16;
constexpr std::size_t kMaxSharedBytes = 227 * 1024;  // of sm_90, the largest of the architectures we build for

struct Options {
    // 0: threads run first in, first out. Otherwise the next thread is drawn by a generator seeded with this number.
    std::uint64_t seed = 0;
};
void set_options(const Options& options);

struct Launch {
    const char* name;
    Dim3 grid;
    int block_size;
    std::size_t shared_bytes;
    void (*body)(void*);  // the kernel, called once per thread
    void* argument;
};

// Runs a whole grid. Returns the empty string, or what went wrong, in which block and thread, as text for a human.
std::string run(const Launch& launch);

// True while the calling OS thread is inside a kernel.
bool inside_kernel();

// Ends the running grid with this message.
[[noreturn]] void fail(const std::string& message);

// Waits until `count` threads arrived at barrier `id`. `same_place`: all must arrive from one source line, as
// __syncthreads demands; named barriers are met from different places by design.
void barrier_wait(int id, int count, bool same_place, Where where);

// Counts as an arrival at barrier `id`, without waiting.
void barrier_arrive(int id, int count, Where where);

// Runs `operation` once for a whole warp. Each lane deposits a pointer to its arguments, the last one to arrive runs the
// operation for all and wakes the others. Lanes that meet with different operations or from different lines are an error.
using WarpOperation = void (*)(void** lanes, int lane_count);
void warp_collective(WarpOperation operation, const char* name, void* argument, Where where);

}  // namespace jcuconv::simt
