// What sm_90 adds to a block: mbarriers, bulk loads, products of warpgroups.
#include <algorithm>

#include "simt/block.h"
#include "simt/text.h"

namespace jcuconv::simt {

void Block::mbarrier_init(std::size_t offset, int count) {
    book(offset, sizeof(std::uint64_t), Access::kWrite);
    if (std::string error = mbarriers_.init(offset, count); !error.empty()) fail(error);
}

void Block::mbarrier_arrive(std::size_t offset, std::int64_t announced) {
    book(offset, sizeof(std::uint64_t), Access::kAtomic);
    if (Mbarriers::Barrier* barrier = mbarriers_.find(offset); barrier != nullptr && g_detect_races)
        races_.arrive(control.thread, barrier->knowledge);
    std::vector<int> woken;
    if (std::string error = mbarriers_.arrive(offset, announced, woken); !error.empty()) fail(error);
    wake(woken);
}

void Block::mbarrier_wait(std::size_t offset, unsigned parity, Where where) {
    book(offset, sizeof(std::uint64_t), Access::kAtomic);
    Mbarriers::Barrier* barrier = mbarriers_.find(offset);
    if (barrier == nullptr) fail("the mbarrier at byte " + std::to_string(offset) + " of shared memory was never initialised, " + place(where));
    if (parity > 1) fail("mbar_wait at " + place(where) + " waits for parity " + std::to_string(parity) + ": 0 or 1");
    if (!Mbarriers::passes(*barrier, parity)) {
        Thread& self = threads_[static_cast<std::size_t>(control.thread)];
        self.state = State::kAtMbarrier;
        self.mbarrier = offset;
        self.where = where;
        barrier->waiting.push_back(control.thread);
        park();
        --barrier->woken;
    }
    if (g_detect_races && !barrier->completed.empty()) races_.leave(control.thread, barrier->completed);
}

void Block::wake(const std::vector<int>& threads) {
    for (const int thread : threads) make_ready(thread);
}

// Booked at its issue as the issuing thread's write; whoever waits for its mbarrier learns of it.
void Block::bulk_load(std::size_t to, std::vector<std::byte> data, std::size_t barrier, Where where) {
    check_not_in_flight(to, data.size(), "a bulk load", &where);
    if (mbarriers_.find(barrier) == nullptr)
        fail("the bulk load at " + place(where) + " counts at an mbarrier that was never initialised");
    book(to, data.size(), Access::kWrite);
    if (g_detect_races) races_.written_by_copy(to, data.size());
    BulkLoads::Load load;
    load.to = to;
    load.data = std::move(data);
    load.barrier = barrier;
    load.thread = control.thread;
    load.where = where;
    if (g_detect_races) races_.arrive(control.thread, load.knowledge);
    std::memset(shared_.get() + to, 0xFF, load.data.size());
    if (options_.copies == Copies::kEager) {
        land(std::move(load));
    } else {
        loads_.add(std::move(load));
    }
}

bool Block::land_one() {
    if (loads_.empty()) return false;
    land(loads_.take(0));
    return true;
}

void Block::land(BulkLoads::Load load) {
    std::memcpy(shared_.get() + load.to, load.data.data(), load.data.size());
    Mbarriers::Barrier* barrier = mbarriers_.find(load.barrier);
    if (g_detect_races && barrier != nullptr) {
        barrier->knowledge.resize(std::max(barrier->knowledge.size(), load.knowledge.size()), 0);
        for (std::size_t t = 0; t < load.knowledge.size(); ++t) barrier->knowledge[t] = std::max(barrier->knowledge[t], load.knowledge[t]);
    }
    std::vector<int> woken;
    if (std::string error = mbarriers_.land(load.barrier, static_cast<std::int64_t>(load.data.size()), woken); !error.empty()) fail(error);
    wake(woken);
}

std::string Block::unfinished() const {
    if (!loads_.empty())
        return at(loads_.oldest().thread) + ": the block ended while the bulk load issued at " + place(loads_.oldest().where) +
               " was under way: nobody waited for it";
    for (const Warpgroup& group : warpgroups_)
        if (!group.products.idle()) return at(-1) + ": the block ended, but no wgmma_wait covers a wgmma of it";
    return {};
}

void Block::group_collective(GroupOperation operation, const char* name, void* argument, Where where) {
    const int index = control.thread / kWarpgroup;
    if (index >= static_cast<int>(warpgroups_.size())) fail(std::string(name) + " at " + place(where) + " needs a whole warpgroup of 128 threads");
    Warpgroup& group = warpgroups_[static_cast<std::size_t>(index)];
    if (group.arrived == 0) {
        group.operation = operation;
        group.name = name;
        group.where = where;
    } else if (group.operation != operation || std::strcmp(group.name, name) != 0 || !same(group.where, where)) {
        fail(std::string("divergent warpgroup: this thread calls ") + name + " at " + place(where) + ", others wait in " + group.name + " at " +
             place(group.where));
    }
    group.arguments[control.thread % kWarpgroup] = argument;
    if (++group.arrived < kWarpgroup) {
        Thread& self = threads_[static_cast<std::size_t>(control.thread)];
        self.state = State::kInGroup;
        self.where = where;
        park();
        return;
    }
    operation(group.arguments);
    group.arrived = 0;
    const int self = control.thread;
    for (int t = index * kWarpgroup; t < (index + 1) * kWarpgroup; ++t)
        if (t != self) make_ready(t);
    if (random_order_) {
        make_ready(self);
        park();
    }
}

void Block::async_proxy_fence() {
    if (g_detect_races) races_.fence(control.thread);
}

Wgmma& Block::wgmma() { return warpgroups_[static_cast<std::size_t>(control.thread / kWarpgroup)].products; }

bool Block::wgmma_at_once() {
    return options_.copies == Copies::kEager || (options_.copies == Copies::kRandom && next_random(random_) % 2 == 0);
}

// `early`: at the issue, where memory that is still being filled is an error. Later, a refill that came too soon gives wrong numbers.
void Block::read_for_wgmma(std::size_t offset, std::byte* to, bool early) {
    if (offset + 16 > launch_.shared_bytes) fail("wgmma reads byte " + std::to_string(offset) + " behind the block's shared memory");
    if (early) {
        check_not_in_flight(offset, 16, "wgmma", nullptr);
        if (g_detect_races)
            if (std::string error = races_.unfenced(offset, 16); !error.empty()) fail("wgmma " + error);
    }
    book(offset, 16, Access::kRead);
    std::memcpy(to, shared_.get() + offset, 16);
}

void Block::order_warpgroup() {
    if (g_detect_races) order(control.thread / kWarpgroup * kWarpgroup, kWarpgroup);
}

}  // namespace jcuconv::simt
