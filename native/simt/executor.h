// Runs CUDA kernels on the CPU: every thread of a block is a fiber, blocks run one after another on the calling thread.
//
// This is a test instrument and the engine `emulated`, not a fast path. It finds what a GPU hides: uninitialised shared
// memory (poisoned with NaN), divergent barriers and warp operations, deadlocks, order dependence (seeded random order), copies
// that nobody waited for. Not modelled: weak memory order, timing, register limits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <source_location>
#include <string>
#include <vector>

#include "simt/mma.h"

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

// When asynchronous copies land; see async_copies.h.
enum class Copies { kLazy, kEager, kRandom };

struct Options {
    // 0: threads run first in, first out. Otherwise the next thread is drawn by a generator seeded with this number.
    std::uint64_t seed = 0;
    Copies copies = Copies::kLazy;
    MmaRounding mma = {};
    bool count_bank_conflicts = false;
};
void set_options(const Options& options);
Options options();

// Launches run only the blocks that this chooses; null runs all. For tests of tensors so large that all of them would take hours.
struct Blocks {
    Dim3 first, end;      // `end` is not included
    unsigned z_step = 1;  // every so many along z
};
using BlockFilter = Blocks (*)(const char* kernel, Dim3 grid);
void set_block_filter(BlockFilter filter);

// The options that the running launch began with.
const Options& launch_options();

// What one line of a kernel cost in shared memory, in the last launch of the calling OS thread that counted.
struct BankCount {
    std::string place, what;
    std::uint64_t accesses = 0;  // by whole warps
    std::uint64_t wavefronts = 0;
    std::uint64_t least_wavefronts = 0;  // what they would be without conflicts

    std::uint64_t conflicts() const { return wavefronts - least_wavefronts; }
};
std::vector<BankCount> bank_counts();

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

enum class Access : std::uint8_t { kRead, kWrite, kAtomic };

// Called by primitives before they touch shared memory: the range must lie in the block's shared memory, be aligned, and have no
// copy in flight. Returns its offset. `counted`: one lane's part of an access by its whole warp, for bank_counts().
std::size_t access_shared(const void* pointer, std::size_t bytes, std::size_t alignment, Access access, bool counted,
                          const char* what, Where where);

// Counts the bank conflicts of one ldmatrix; called once per warp.
void count_matrix_rows(const std::size_t* offsets, int count, const char* what, Where where);

// cp.async: copies `from_bytes` bytes and fills up to `bytes` (4, 8 or 16) with zeros. Both addresses are aligned to `bytes`.
void async_copy(void* to, const void* from, std::size_t bytes, int from_bytes, Where where);

// Makes one group of this thread's copies since its last commit.
void async_commit();

// Waits for all but the last `keep` groups that this thread committed.
void async_wait(int keep);

// The mbarriers, bulk loads and warpgroup products of sm_90: simt/mbarriers.h, bulk_loads.h, wgmma.h.
void mbarrier_init(void* barrier, int count, Where where);
// One arrival, which announces this many bytes.
void mbarrier_arrive(void* barrier, std::int64_t announced, Where where);
void mbarrier_wait(void* barrier, unsigned parity, Where where);
// Lands these bytes some time later and counts them at the mbarrier.
void bulk_load(void* to, std::vector<std::byte> data, void* barrier, Where where);
// What plain stores wrote before may be read by bulk copies and wgmma afterwards.
void async_proxy_fence();

// As warp_collective, for the 128 threads of a warpgroup.
using GroupOperation = void (*)(void** lanes);
void group_collective(GroupOperation operation, const char* name, void* argument, Where where);

// The offset of an aligned address in the block's shared memory.
std::size_t place_in_shared(const void* pointer, std::size_t alignment, const char* what, Where where);

// On global or shared memory. Not in the primitives' headers: race builds would hand atomics to a library that is not linked.
std::uint32_t atomic_add(std::uint32_t* address, std::uint32_t value, Where where);
std::uint64_t atomic_add(std::uint64_t* address, std::uint64_t value, Where where);

}  // namespace jcuconv::simt
