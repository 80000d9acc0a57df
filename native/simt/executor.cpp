#include "simt/executor.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <vector>

#include "simt/block.h"

namespace jcuconv::simt {

__thread Control control;

namespace {

std::atomic<std::uint64_t> g_seed{0};

// One executor per OS thread, made at its first launch. Only a pointer lies in thread-local storage.
Block& this_thread_block() {
    static thread_local std::unique_ptr<Block> block;
    if (!block) block = std::make_unique<Block>();
    return *block;
}

// The block of the launch that runs on this thread, or null between launches.
__thread Block* running = nullptr;

Block& running_block(const char* what) {
    if (running == nullptr) throw std::logic_error(std::string(what) + " called outside a kernel");
    return *running;
}

std::string check(const Launch& launch) {
    const auto at = std::string("launch of ") + launch.name + ": ";
    if (launch.block_size < 1 || launch.block_size > kMaxBlockSize)
        return at + "block size " + std::to_string(launch.block_size) + " is outside 1.." + std::to_string(kMaxBlockSize);
    const Dim3 grid = launch.grid;
    if (grid.x == 0 || grid.y == 0 || grid.z == 0) return at + "empty grid";
    if (grid.x > 0x7fffffffu || grid.y > 65535u || grid.z > 65535u)
        return at + "grid exceeds 2147483647 x 65535 x 65535";
    if (launch.shared_bytes > kMaxSharedBytes)
        return at + std::to_string(launch.shared_bytes) + " bytes of shared memory exceed " + std::to_string(kMaxSharedBytes);
    return {};
}

}  // namespace

void set_options(const Options& options) { g_seed = options.seed; }

std::string run(const Launch& launch) {
    if (auto error = check(launch); !error.empty()) return error;
    if (running != nullptr) return std::string("launch of ") + launch.name + " from inside a kernel";
    Block& block = this_thread_block();
    running = &block;
    std::string error = block.prepare(launch, g_seed);
    for (unsigned z = 0; z < launch.grid.z && error.empty(); ++z)
        for (unsigned y = 0; y < launch.grid.y && error.empty(); ++y)
            for (unsigned x = 0; x < launch.grid.x && error.empty(); ++x) error = block.run({x, y, z});
    running = nullptr;
    return error;
}

bool inside_kernel() { return running != nullptr; }

void fail(const std::string& message) { running_block("fail").fail(message); }

void observe(const void* address, std::size_t bytes, bool write) {
    if (running == nullptr) return;
    const auto offset = reinterpret_cast<std::uintptr_t>(address) - reinterpret_cast<std::uintptr_t>(control.shared);
    if (offset < control.shared_bytes) running->observe(offset, bytes, write);  // everything else is private or global
}

void barrier_wait(int id, int count, bool same_place, Where where) {
    running_block("barrier_wait").barrier(id, count, same_place, true, where);
}

void barrier_arrive(int id, int count, Where where) {
    running_block("barrier_arrive").barrier(id, count, false, false, where);
}

void warp_collective(WarpOperation operation, const char* name, void* argument, Where where) {
    running_block(name).collective(operation, name, argument, where);
}

}  // namespace jcuconv::simt
