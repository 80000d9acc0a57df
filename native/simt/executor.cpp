#include "simt/executor.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <mutex>
#include <stdexcept>

#include "simt/block.h"
#include "simt/memory.h"
#include "simt/text.h"

namespace jcuconv::simt {

__thread Control control;

namespace {

std::mutex g_mutex;
Options g_options;
std::atomic<BlockFilter> g_filter{nullptr};

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

// Larger than any shared memory where the address lies elsewhere.
std::size_t shared_offset(const void* pointer) {
    return reinterpret_cast<std::uintptr_t>(pointer) - reinterpret_cast<std::uintptr_t>(control.shared);
}

std::size_t checked_offset(const void* pointer, std::size_t bytes, std::size_t alignment, const char* what, const Where& where) {
    const std::size_t offset = shared_offset(pointer);
    const auto at = [&] { return std::string(what) + " at " + place(where); };
    if (offset >= control.shared_bytes) fail(at() + " is given an address outside the block's shared memory");
    if (bytes > control.shared_bytes - offset)
        fail(at() + " touches bytes " + bytes_text(offset, bytes) + " of " + std::to_string(control.shared_bytes) +
             " bytes of shared memory");
    if (offset % alignment != 0)
        fail(at() + " touches byte " + std::to_string(offset) + " of shared memory: not aligned to " + std::to_string(alignment));
    return offset;
}

template <class T>
T add(T* address, T value, const Where& where) {
    if (shared_offset(address) < control.shared_bytes) {
        access_shared(address, sizeof(T), alignof(T), Access::kAtomic, false, "atomic_add", where);
    } else {
        check_access(address, sizeof(T), alignof(T), "atomic_add", &where);
    }
    return __atomic_fetch_add(address, value, __ATOMIC_RELAXED);
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

void set_options(const Options& options) {
    const std::lock_guard lock(g_mutex);
    g_options = options;
}

void set_block_filter(BlockFilter filter) { g_filter = filter; }

const Options& launch_options() { return running_block("launch_options").options(); }

std::vector<BankCount> bank_counts() { return this_thread_block().bank_counts(); }

Options options() {
    const std::lock_guard lock(g_mutex);
    return g_options;
}

std::string run(const Launch& launch) {
    if (auto error = check(launch); !error.empty()) return error;
    if (running != nullptr) return std::string("launch of ") + launch.name + " from inside a kernel";
    Block& block = this_thread_block();
    running = &block;
    std::string error;
    block.prepare(launch, options());
    const BlockFilter filter = g_filter;
    const Blocks all{{0, 0, 0}, launch.grid}, blocks = filter == nullptr ? all : filter(launch.name, launch.grid);
    for (unsigned z = blocks.first.z; z < blocks.end.z && error.empty(); z += blocks.z_step)
        for (unsigned y = blocks.first.y; y < blocks.end.y && error.empty(); ++y)
            for (unsigned x = blocks.first.x; x < blocks.end.x && error.empty(); ++x) error = block.run({x, y, z});
    running = nullptr;
    return error;
}

bool inside_kernel() { return running != nullptr; }

void fail(const std::string& message) { running_block("fail").fail(message); }

void observe(const void* address, std::size_t bytes, bool write) {
    if (running == nullptr) return;
    const std::size_t offset = shared_offset(address);
    if (offset < control.shared_bytes) running->observe(offset, bytes, write);  // everything else is private or global
}

std::size_t access_shared(const void* pointer, std::size_t bytes, std::size_t alignment, Access access, bool counted,
                          const char* what, Where where) {
    const std::size_t offset = checked_offset(pointer, bytes, alignment, what, where);
    running_block(what).access_shared(offset, bytes, access, counted, what, where);
    return offset;
}

std::uint32_t atomic_add(std::uint32_t* address, std::uint32_t value, Where where) { return add(address, value, where); }
std::uint64_t atomic_add(std::uint64_t* address, std::uint64_t value, Where where) { return add(address, value, where); }

void count_matrix_rows(const std::size_t* offsets, int count, const char* what, Where where) {
    running_block(what).count_matrix_rows(offsets, count, what, where);
}

void async_copy(void* to, const void* from, std::size_t bytes, int from_bytes, Where where) {
    Block& block = running_block("cp_async");
    if (from_bytes < 0 || static_cast<std::size_t>(from_bytes) > bytes)
        fail("cp_async at " + place(where) + " takes " + std::to_string(from_bytes) + " bytes of " + std::to_string(bytes));
    const std::size_t offset = checked_offset(to, bytes, bytes, "cp_async", where);
    check_access(from, static_cast<std::size_t>(from_bytes), bytes, "cp_async", &where);
    block.async_copy(offset, from, bytes, static_cast<std::size_t>(from_bytes), where);
}

void async_commit() { running_block("cp_async_commit").async_commit(); }

void async_wait(int keep) { running_block("cp_async_wait").async_wait(keep); }

void mbarrier_init(void* barrier, int count, Where where) {
    running_block("mbar_init").mbarrier_init(checked_offset(barrier, 8, 8, "mbar_init", where), count);
}

void mbarrier_arrive(void* barrier, std::int64_t announced, Where where) {
    running_block("mbar_arrive").mbarrier_arrive(checked_offset(barrier, 8, 8, "mbar_arrive", where), announced);
}

void mbarrier_wait(void* barrier, unsigned parity, Where where) {
    running_block("mbar_wait").mbarrier_wait(checked_offset(barrier, 8, 8, "mbar_wait", where), parity, where);
}

void bulk_load(void* to, std::vector<std::byte> data, void* barrier, Where where) {
    Block& block = running_block("a bulk load");
    const std::size_t offset = checked_offset(to, data.size(), 16, "a bulk load", where);
    block.bulk_load(offset, std::move(data), checked_offset(barrier, 8, 8, "a bulk load", where), where);
}

void async_proxy_fence() { running_block("fence_async_proxy").async_proxy_fence(); }

void group_collective(GroupOperation operation, const char* name, void* argument, Where where) {
    running_block(name).group_collective(operation, name, argument, where);
}

std::size_t place_in_shared(const void* pointer, std::size_t alignment, const char* what, Where where) {
    return checked_offset(pointer, 1, alignment, what, where);
}

namespace {

void read_early(std::size_t offset, std::byte* to) { running->read_for_wgmma(offset, to, true); }
void read_late(std::size_t offset, std::byte* to) { running->read_for_wgmma(offset, to, false); }

}  // namespace

void wgmma_fence(Where where) {
    group_collective([](void**) { running->wgmma().fence(); }, "wgmma_fence", nullptr, where);
}

void wgmma_issue(WgmmaCall& call, Where where) {
    group_collective(
        [](void** lanes) {
            const std::string error = running->wgmma().issue(lanes, running->wgmma_at_once(), running->options().mma, read_late, read_early);
            if (!error.empty()) running->fail(error);
        },
        "wgmma", &call, where);
}

void wgmma_commit(Where where) {
    group_collective([](void**) { running->wgmma().commit(); }, "wgmma_commit", nullptr, where);
}

void wgmma_wait(int keep, Where where) {
    group_collective(
        [](void** lanes) {
            running->wgmma().wait(*static_cast<const int*>(lanes[0]), running->options().mma, read_late);
            running->order_warpgroup();
        },
        "wgmma_wait", &keep, where);
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
