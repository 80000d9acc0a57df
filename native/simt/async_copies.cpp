#include "simt/async_copies.h"

#include <algorithm>
#include <cstring>

#include "simt/text.h"

namespace jcuconv::simt {

void AsyncCopies::start_block(int threads, std::byte* shared, std::size_t shared_bytes, Copies mode,
                              bool strict) {
    mode_ = mode;
    strict_ = strict;
    shared_ = shared;
    const std::size_t words = (shared_bytes + kWord - 1) / kWord;
    // After a block without errors nothing is marked; most kernels copy nothing asynchronously at all.
    if (marked_ > 0) std::fill(marks_.begin(), marks_.end(), 0);
    marked_ = 0;
    if (marks_.size() < words) marks_.resize(words, 0);
    copies_.clear();
    free_.clear();
    flying_.clear();
    queues_.resize(static_cast<std::size_t>(threads));
    for (Queue& queue : queues_) {
        queue.copies.clear();
        queue.head = 0;
    }
    committed_.assign(static_cast<std::size_t>(threads), 0);
}

std::string AsyncCopies::issue(const Copy& issued) {
    if (const Copy* other = touched(issued.to, issued.bytes))
        return "cp_async at " + place(issued.where) + " writes bytes of shared memory that the copy of thread " +
               std::to_string(other->thread) + " at " + place(other->where) + " is still writing";
    std::uint32_t index = static_cast<std::uint32_t>(copies_.size());
    if (free_.empty()) {
        copies_.emplace_back();
    } else {
        index = free_.back();
        free_.pop_back();
    }
    Copy& copy = copies_[index];
    copy = issued;
    copy.group = committed_[static_cast<std::size_t>(copy.thread)];
    queues_[static_cast<std::size_t>(copy.thread)].copies.push_back(index);
    copy.in_flight = true;
    copy.place_in_flight = flying_.size();
    flying_.push_back(index);
    mark(copy, index + 1);
    std::memset(shared_ + copy.to, 0xFF, copy.bytes);
    if (mode_ == Copies::kEager) land(copy);
    return {};
}

void AsyncCopies::mark(const Copy& copy, std::uint32_t value) {
    std::fill_n(marks_.begin() + static_cast<std::ptrdiff_t>(copy.to / kWord), copy.bytes / kWord, value);
    value == 0 ? --marked_ : ++marked_;
}

void AsyncCopies::land(Copy& copy) {
    if (copy.from_bytes > 0) std::memcpy(shared_ + copy.to, copy.from, copy.from_bytes);
    std::memset(shared_ + copy.to + copy.from_bytes, 0, copy.bytes - copy.from_bytes);
    if (!strict_) mark(copy, 0);
    copy.in_flight = false;
    copies_[flying_.back()].place_in_flight = copy.place_in_flight;
    flying_[copy.place_in_flight] = flying_.back();
    flying_.pop_back();
}

const AsyncCopies::Copy* AsyncCopies::touched(std::size_t offset, std::size_t bytes) const {
    if (marked_ == 0) return nullptr;
    for (std::size_t word = offset / kWord; word * kWord < offset + bytes && word < marks_.size(); ++word)
        if (marks_[word] != 0) return &copies_[marks_[word] - 1];
    return nullptr;
}

void AsyncCopies::drift(std::uint64_t random) {
    if (mode_ != Copies::kRandom || flying_.empty() || random % 2 == 0) return;
    land(copies_[flying_[random / 2 % flying_.size()]]);
}

const AsyncCopies::Copy* AsyncCopies::abandoned() const {
    if (mode_ == Copies::kEager) return nullptr;
    for (const Queue& queue : queues_)
        if (queue.head < queue.copies.size()) return &copies_[queue.copies[queue.head]];
    return nullptr;
}

}  // namespace jcuconv::simt
