// The asynchronous copies (cp.async) of one block: from global to shared memory, grouped by commits, complete at a wait.
//
// A real copy lands some time between its issue and its wait. The modes are the extremes and what lies between: a lazy copy lands
// at the wait, which finds a missing wait; an eager one at its issue, which finds a buffer refilled too early; a random one in
// between. Until it lands the destination is NaN and marked word by word, and touching it is an error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "simt/executor.h"

namespace jcuconv::simt {

class AsyncCopies {
  public:
    struct Copy {
        std::size_t to = 0;  // offset in shared memory
        std::size_t bytes = 0;
        const void* from = nullptr;
        std::size_t from_bytes = 0;  // the rest is filled with zeros
        int thread = 0;
        std::uint64_t group = 0;
        bool in_flight = false;
        std::size_t place_in_flight = 0;  // index in flying_
        Where where;
    };

    // `strict`: the destination stays marked until the wait even where the copy lands earlier, so that a missing wait is found in
    // every mode. Race builds ask for it.
    void start_block(int threads, std::byte* shared, std::size_t shared_bytes, Copies mode, bool strict);

    // Takes a checked copy. Returns the empty string or what it collides with.
    std::string issue(const Copy& copy);
    void commit(int thread) { ++committed_[static_cast<std::size_t>(thread)]; }

    // Lands the copies of all but the last `keep` committed groups of the thread; `landed` is called with each.
    template <class F>
    void wait(int thread, std::uint64_t keep, F landed);

    // A copy whose destination is marked and holds one of these bytes, or null.
    const Copy* touched(std::size_t offset, std::size_t bytes) const;

    // Random mode: perhaps lands one copy.
    void drift(std::uint64_t random);

    // A copy that no wait has covered, or null. Eager copies have landed whatever the kernel does.
    const Copy* abandoned() const;

  private:
    static constexpr std::size_t kWord = 4;  // the smallest copy

    struct Queue {
        std::vector<std::uint32_t> copies;  // indices into copies_, oldest first
        std::size_t head = 0;
    };

    void land(Copy& copy);
    void mark(const Copy& copy, std::uint32_t value);

    Copies mode_ = Copies::kLazy;
    bool strict_ = false;
    std::size_t marked_ = 0;  // copies whose destination is marked
    std::byte* shared_ = nullptr;
    std::vector<Copy> copies_;
    std::vector<std::uint32_t> free_;
    std::vector<std::uint32_t> flying_;  // in no order
    std::vector<std::uint32_t> marks_;   // per word of shared memory: index of the copy to it, plus one
    std::vector<Queue> queues_;          // per thread
    std::vector<std::uint64_t> committed_;
};

template <class F>
void AsyncCopies::wait(int thread, std::uint64_t keep, F landed) {
    const std::uint64_t committed = committed_[static_cast<std::size_t>(thread)];
    Queue& queue = queues_[static_cast<std::size_t>(thread)];
    while (queue.head < queue.copies.size()) {
        const std::uint32_t index = queue.copies[queue.head];
        Copy& copy = copies_[index];
        if (copy.group + keep >= committed) break;
        if (copy.in_flight) land(copy);
        if (strict_) mark(copy, 0);
        ++queue.head;
        free_.push_back(index);
        landed(copy);
    }
    queue.copies.erase(queue.copies.begin(), queue.copies.begin() + static_cast<std::ptrdiff_t>(queue.head));
    queue.head = 0;
}

}  // namespace jcuconv::simt
