#include "simt/block.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <new>

#include "simt/text.h"

namespace jcuconv::simt {

namespace {

constexpr std::size_t kSharedAlignment = 1024;
constexpr std::size_t kSharedTail = 256;    // bytes behind shared memory that must stay as they were
constexpr int kPoison = 0xFF;               // NaN in fp32, fp16 and bf16, -1 as an index
constexpr int kTailByte = 0xA5;


__thread Block* entering = nullptr;  // for fiber_main, which takes no argument

// 0-31,40 for sorted thread numbers
std::string ranges(const std::vector<int>& numbers) {
    std::string text;
    for (std::size_t i = 0; i < numbers.size();) {
        std::size_t last = i;
        while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) ++last;
        text += (text.empty() ? "" : ",") + std::to_string(numbers[i]);
        if (last > i) text += "-" + std::to_string(numbers[last]);
        i = last + 1;
    }
    return text;
}

}  // namespace

void enable_race_detection() { g_detect_races = true; }

bool g_detect_races = false;

void Block::FreeDeleter::operator()(void* p) const { std::free(p); }

void Block::prepare(const Launch& launch, const Options& options) {
    launch_ = launch;
    options_ = options;
    random_ = options.seed;
    random_order_ = options.seed != 0;
    if (options.count_bank_conflicts) banks_.start_launch();
    const auto threads = static_cast<std::size_t>(launch.block_size);
    stacks_.reserve(launch.block_size);
    if (threads_.size() < threads) threads_.resize(threads);
    if (ready_.size() < threads) ready_.resize(threads);
    warps_.resize((threads + kWarpSize - 1) / kWarpSize);
    warpgroups_.resize(threads / kWarpgroup);
    if (!shared_) {
        void* memory = std::aligned_alloc(kSharedAlignment, (kMaxSharedBytes + kSharedTail + kSharedAlignment - 1) /
                                                                kSharedAlignment * kSharedAlignment);
        if (memory == nullptr) throw std::bad_alloc();
        shared_.reset(static_cast<std::byte*>(memory));
    }
    allow(shared_.get(), launch.shared_bytes);
    control.grid = launch.grid;
    control.block_size = launch.block_size;
    control.shared = shared_.get();
    control.shared_bytes = launch.shared_bytes;
}

void Block::clear() {
    for (Barrier& barrier : barriers_) {
        barrier.arrived = 0;
        barrier.waiting.clear();
        barrier.knowledge.clear();
    }
    for (Warp& warp : warps_) warp.arrived = 0;
    for (Warpgroup& group : warpgroups_) {
        group.arrived = 0;
        group.products.clear();
    }
    mbarriers_.clear();
    loads_.clear();
    ready_head_ = ready_count_ = returned_ = 0;
    error_.clear();
}

std::string Block::run(Dim3 index) {
    clear();
    control.block = index;
    std::memset(shared_.get(), kPoison, launch_.shared_bytes);
    copies_.start_block(launch_.block_size, shared_.get(), launch_.shared_bytes, options_.copies, g_detect_races);
    std::byte* tail = shared_.get() + launch_.shared_bytes;
    allow(tail, kSharedTail);
    std::memset(tail, kTailByte, kSharedTail);
    forbid(tail, kSharedTail);
    if (g_detect_races) races_.start_block(launch_.block_size, launch_.shared_bytes);
    for (int t = 0; t < launch_.block_size; ++t) {
        make_context(threads_[t].context, stacks_.base(t), Stacks::bytes(t), &Block::fiber_main);
        make_ready(t);
    }
    entering = this;
    const int first = take_ready();
    control.thread = first;
    switch_context(main_, threads_[first].context);  // comes back when all returned, or with an error
    if (!error_.empty()) stacks_.abandon();
    return error_.empty() ? finish() : error_;
}

std::string Block::finish() {
    if (options_.count_bank_conflicts) banks_.finish_block();
    if (const auto* copy = copies_.abandoned())
        return at(copy->thread) + ": the block ended, but no cp_async_wait covers the copy issued at " + place(copy->where);
    if (std::string text = unfinished(); !text.empty()) return text;
    return check_shared_tail();
}

void Block::fiber_main() {
    Block& block = *entering;
    block.launch_.body(block.launch_.argument);
    Thread& self = block.threads_[control.thread];
    self.state = State::kReturned;
    ++block.returned_;
    block.park();
    std::abort();  // a returned thread is never chosen again
}

void Block::make_ready(int thread) {
    threads_[thread].state = State::kReady;
    ready_[static_cast<std::size_t>((ready_head_ + ready_count_++) % launch_.block_size)] = thread;
}

int Block::take_ready() {
    if (random_order_) {
        const int pick = static_cast<int>(next_random(random_) % static_cast<std::uint64_t>(ready_count_));
        std::swap(ready_[static_cast<std::size_t>(ready_head_)],
                  ready_[static_cast<std::size_t>((ready_head_ + pick) % launch_.block_size)]);
    }
    const int thread = ready_[static_cast<std::size_t>(ready_head_)];
    ready_head_ = (ready_head_ + 1) % launch_.block_size;
    --ready_count_;
    return thread;
}

void Block::park() {
    const int self = control.thread;
    if (options_.copies == Copies::kRandom) {
        copies_.drift(next_random(random_));
        if (!loads_.empty())
            if (const std::uint64_t random = next_random(random_); random % 2 == 0) land(loads_.take(random / 2 % loads_.size()));
    }
    while (ready_count_ == 0 && returned_ < launch_.block_size && land_one()) {
    }
    if (ready_count_ == 0) {
        if (returned_ < launch_.block_size) error_ = deadlock();
        resume_main();
    }
    const int next = take_ready();
    if (next == self) return;
    control.thread = next;
    switch_context(threads_[self].context, threads_[next].context);
}

void Block::resume_main() { switch_context(threads_[control.thread].context, main_); }

void Block::fail(const std::string& message) {
    error_ = at(control.thread) + ": " + message;
    resume_main();
    std::abort();  // an abandoned fiber is never continued
}

void Block::barrier(int id, int count, bool same_place, bool wait, Where where) {
    if (id < 0 || id >= kBarriers) fail("barrier " + std::to_string(id) + " does not exist: ids are 0..15");
    if (!same_place && (count % kWarpSize != 0 || count < kWarpSize || count > launch_.block_size))
        fail("barrier " + std::to_string(id) + " expects " + std::to_string(count) +
             " threads: must be a multiple of 32 within the block, " + place(where));
    Barrier& barrier = barriers_[id];
    if (barrier.arrived == 0) {
        barrier.expected = count;
        barrier.same_place = same_place;
        barrier.where = where;
    } else if (barrier.expected != count || barrier.same_place != same_place) {
        fail("barrier " + std::to_string(id) + " is used for " + std::to_string(count) + " threads at " + place(where) +
             " and for " + std::to_string(barrier.expected) + " at " + place(barrier.where));
    } else if (same_place && !same(barrier.where, where)) {
        fail("divergent barrier: this thread is at " + place(where) + ", others wait at " + place(barrier.where));
    }
    ++barrier.arrived;
    if (g_detect_races) races_.arrive(control.thread, barrier.knowledge);
    Thread& self = threads_[control.thread];
    if (barrier.arrived < barrier.expected) {
        if (!wait) return;
        self.state = State::kAtBarrier;
        self.barrier = id;
        self.where = where;
        barrier.waiting.push_back(control.thread);
        park();
        return;
    }
    barrier.arrived = 0;
    for (int thread : barrier.waiting) make_ready(thread);
    if (g_detect_races) {
        for (int thread : barrier.waiting) races_.leave(thread, barrier.knowledge);
        if (wait) races_.leave(control.thread, barrier.knowledge);
        barrier.knowledge.clear();
    }
    barrier.waiting.clear();
    // Under random order the last to arrive must not always run first.
    if (random_order_) {
        make_ready(control.thread);
        park();
    }
}

void Block::collective(WarpOperation operation, const char* name, void* argument, Where where) {
    const int warp_index = control.thread / kWarpSize, lane = control.thread % kWarpSize;
    Warp& warp = warps_[static_cast<std::size_t>(warp_index)];
    if (warp.arrived == 0) {
        warp.operation = operation;
        warp.name = name;
        warp.where = where;
    } else if (warp.operation != operation || std::strcmp(warp.name, name) != 0 || !same(warp.where, where)) {
        fail(std::string("divergent warp: this lane calls ") + name + " at " + place(where) + ", others wait in " +
             warp.name + " at " + place(warp.where));
    }
    warp.arguments[lane] = argument;
    Thread& self = threads_[control.thread];
    const int lanes = warp_lanes(warp_index);
    if (++warp.arrived < lanes) {
        self.state = State::kInWarp;
        self.where = where;
        park();
        return;
    }
    operation(warp.arguments, lanes);
    // Shuffles and ballots exchange registers; only sync_warp orders memory.
    if (g_detect_races && std::strcmp(name, "sync_warp") == 0) order(warp_index * kWarpSize, lanes);
    warp.arrived = 0;
    for (int other = 0; other < lanes; ++other) {
        if (other != lane) make_ready(warp_index * kWarpSize + other);
    }
    if (random_order_) {
        make_ready(control.thread);
        park();
    }
}

void Block::order(int first, int threads) {
    std::vector<std::uint32_t> knowledge;
    for (int t = 0; t < threads; ++t) races_.arrive(first + t, knowledge);
    for (int t = 0; t < threads; ++t) races_.leave(first + t, knowledge);
}

void Block::observe(std::size_t offset, std::size_t bytes, bool write) {
    check_not_in_flight(offset, bytes, write ? "a write" : "a read", nullptr);
    book(offset, bytes, write ? Access::kWrite : Access::kRead);
}

void Block::check_not_in_flight(std::size_t offset, std::size_t bytes, const char* what, const Where* where) {
    if (const auto* copy = copies_.touched(offset, bytes))
        fail(what + (where == nullptr ? "" : " at " + place(*where)) + " touches bytes " + bytes_text(offset, bytes) + " of shared memory while the copy that thread " +
             std::to_string(copy->thread) + " issued at " + place(copy->where) + " is in flight");
    if (const auto* load = loads_.empty() ? nullptr : loads_.touched(offset, bytes))
        fail(what + (where == nullptr ? "" : " at " + place(*where)) + " touches bytes " + bytes_text(offset, bytes) + " of shared memory while the bulk load that thread " +
             std::to_string(load->thread) + " issued at " + place(load->where) + " is in flight");
}

void Block::book(std::size_t offset, std::size_t bytes, Access access) {
    if (!g_detect_races) return;
    if (std::string race = races_.access(control.thread, offset, bytes, access); !race.empty()) fail(race);
}

void Block::access_shared(std::size_t offset, std::size_t bytes, Access access, bool counted, const char* what, Where where) {
    check_not_in_flight(offset, bytes, what, &where);
    book(offset, bytes, access);
    if (counted && options_.count_bank_conflicts)
        banks_.lane(control.thread, warp_lanes(control.thread / kWarpSize), offset, bytes, what, where);
}

void Block::count_matrix_rows(const std::size_t* offsets, int count, const char* what, Where where) {
    if (options_.count_bank_conflicts) banks_.rows(offsets, count, what, where);
}

// The copy writes at some time between its issue and its wait: it is booked at both ends. The first finds who used the bytes
// before without a barrier, the second who uses them before a barrier that follows the wait.
void Block::async_copy(std::size_t to, const void* from, std::size_t bytes, std::size_t from_bytes, Where where) {
    book(to, bytes, Access::kWrite);
    AsyncCopies::Copy copy;
    copy.to = to;
    copy.bytes = bytes;
    copy.from = from;
    copy.from_bytes = from_bytes;
    copy.thread = control.thread;
    copy.where = where;
    if (std::string error = copies_.issue(copy); !error.empty()) fail(error);
}

void Block::async_commit() { copies_.commit(control.thread); }

void Block::async_wait(int keep) {
    copies_.wait(control.thread, static_cast<std::uint64_t>(keep),
                 [this](const AsyncCopies::Copy& copy) { book(copy.to, copy.bytes, Access::kWrite); });
}

std::string Block::at(int thread) const {
    const Dim3 b = control.block;
    return std::string(launch_.name) + ", block (" + std::to_string(b.x) + "," + std::to_string(b.y) + "," +
           std::to_string(b.z) + ")" + (thread < 0 ? "" : ", thread " + std::to_string(thread));
}

// Threads that wait for the same thing at the same line are one line of the report.
std::string Block::deadlock() const {
    std::map<std::string, std::vector<int>> groups;
    for (int t = 0; t < launch_.block_size; ++t) {
        const Thread& thread = threads_[static_cast<std::size_t>(t)];
        std::string what;
        if (thread.state == State::kReturned) {
            what = "returned";
        } else if (thread.state == State::kAtBarrier) {
            const Barrier& barrier = barriers_[thread.barrier];
            what = "waiting at " + place(thread.where) + " for barrier " + std::to_string(thread.barrier) + " (" +
                   std::to_string(barrier.arrived) + " of " + std::to_string(barrier.expected) + " arrived)";
        } else if (thread.state == State::kAtMbarrier) {
            what = "waiting at " + place(thread.where) + " for the mbarrier at byte " + std::to_string(thread.mbarrier);
        } else if (thread.state == State::kInGroup) {
            const Warpgroup& group = warpgroups_[static_cast<std::size_t>(t / kWarpgroup)];
            what = "waiting at " + place(thread.where) + " in " + group.name + " of warpgroup " + std::to_string(t / kWarpgroup) + " (" +
                   std::to_string(group.arrived) + " of 128 threads arrived)";
        } else {
            const Warp& warp = warps_[static_cast<std::size_t>(t / kWarpSize)];
            what = "waiting at " + place(thread.where) + " in " + warp.name + " of warp " + std::to_string(t / kWarpSize) +
                   " (" + std::to_string(warp.arrived) + " of " + std::to_string(warp_lanes(t / kWarpSize)) + " lanes arrived)";
        }
        groups[what].push_back(t);
    }
    std::string text = at(-1) + ": deadlock, no thread can run";
    for (const auto& [what, members] : groups) text += "\n    threads " + ranges(members) + " " + what;
    return text + mbarriers_.describe();
}

std::string Block::check_shared_tail() const {
    const std::byte* tail = shared_.get() + launch_.shared_bytes;
    for (std::size_t i = 0; i < kSharedTail; ++i)
        if (tail[i] != std::byte{kTailByte})
            return at(-1) + ": wrote " + std::to_string(i) + " bytes behind its " + std::to_string(launch_.shared_bytes) +
                   " bytes of shared memory";
    return {};
}

}  // namespace jcuconv::simt
