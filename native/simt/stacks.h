// Stacks for the fibers of one OS thread: one mapping, a guard page below each stack, coloured tops.
#pragma once

#include <cstddef>

#include "simt/sanitizer.h"

namespace jcuconv::simt {

class Stacks {
  public:
    static constexpr std::size_t kStackBytes = (kSanitized ? 256 : 64) * 1024;  // instrumented frames are larger

    Stacks() = default;
    ~Stacks();
    Stacks(const Stacks&) = delete;
    Stacks& operator=(const Stacks&) = delete;

    // Makes at least `count` stacks available. Throws std::bad_alloc when the mapping fails.
    void reserve(int count);

    // Lowest usable byte of stack `index`.
    std::byte* base(int index) const { return mapping_ + static_cast<std::size_t>(index) * stride_ + page_; }

    // Says that nothing on the stacks is in use, after fibers were abandoned in the middle of a kernel.
    void abandon();

    // Usable bytes of stack `index`. Stacks differ in length so that their tops fall into different cache sets: with equal
    // lengths all hot frames compete for the same few sets and a switch costs three to four times as much.
    static std::size_t bytes(int index) { return kStackBytes - static_cast<std::size_t>(index % 61) * 192; }

  private:
    void release();

    std::byte* mapping_ = nullptr;
    std::size_t page_ = 0;
    std::size_t stride_ = 0;
    int count_ = 0;
};

}  // namespace jcuconv::simt
