#include "simt/mbarriers.h"

namespace jcuconv::simt {

namespace {

constexpr int kMostArrivals = (1 << 20) - 1;
constexpr std::int64_t kMostBytes = (1 << 20) - 1;

std::string name(std::size_t offset) { return "the mbarrier at byte " + std::to_string(offset) + " of shared memory"; }

}  // namespace

std::string Mbarriers::init(std::size_t offset, int count) {
    if (count < 1 || count > kMostArrivals) return name(offset) + " is made for " + std::to_string(count) + " arrivals: 1 to 1048575 are possible";
    if (Barrier* old = find(offset); old != nullptr && (!old->waiting.empty() || old->bytes != 0))
        return name(offset) + " is made anew while it is in use";
    Barrier barrier;
    barrier.count = barrier.pending = count;
    barriers_[offset] = barrier;
    return {};
}

Mbarriers::Barrier* Mbarriers::find(std::size_t offset) {
    const auto found = barriers_.find(offset);
    return found == barriers_.end() ? nullptr : &found->second;
}

std::string Mbarriers::arrive(std::size_t offset, std::int64_t announced, std::vector<int>& woken) {
    Barrier* barrier = find(offset);
    if (barrier == nullptr) return name(offset) + " was never initialised";
    barrier->bytes += announced;
    if (barrier->bytes > kMostBytes) return name(offset) + " expects " + std::to_string(barrier->bytes) + " bytes, at most 1048575 are possible";
    if (barrier->pending == 0)
        return name(offset) + " gets more arrivals than the " + std::to_string(barrier->count) + " it was made for";
    --barrier->pending;
    return complete(offset, *barrier, woken);
}

std::string Mbarriers::land(std::size_t offset, std::int64_t bytes, std::vector<int>& woken) {
    Barrier* barrier = find(offset);
    if (barrier == nullptr) return name(offset) + " was never initialised";
    barrier->bytes -= bytes;
    return complete(offset, *barrier, woken);
}

std::string Mbarriers::complete(std::size_t offset, Barrier& barrier, std::vector<int>& woken) {
    if (barrier.pending > 0 || barrier.bytes != 0) return {};
    if (barrier.woken > 0)
        return name(offset) + " completes a phase while threads that wait for the last one have not run: they would take it for none";
    ++barrier.phase;
    barrier.pending = barrier.count;
    barrier.completed.swap(barrier.knowledge);
    barrier.knowledge.clear();
    barrier.woken = static_cast<int>(barrier.waiting.size());
    woken = barrier.waiting;
    barrier.waiting.clear();
    return {};
}

std::string Mbarriers::describe() const {
    std::string text;
    for (const auto& [offset, barrier] : barriers_) {
        if (barrier.waiting.empty()) continue;
        text += "\n    " + name(offset) + ": phase " + std::to_string(barrier.phase) + " lacks " + std::to_string(barrier.pending) + " of " +
                std::to_string(barrier.count) + " arrivals and " + std::to_string(barrier.bytes) + " bytes";
    }
    return text;
}

}  // namespace jcuconv::simt
