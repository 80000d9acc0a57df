// Finds races on shared memory: two accesses of one word by different threads, at least one a write, with no barrier between
// them. The order of execution does not matter, so a missing barrier is found even where the result happens to be right.
//
// Kernels are compiled with GCC's thread-sanitizer instrumentation, but linked with our receiver (tsan_receiver.cpp), which hands
// every plain access to this class. What orders two threads is kept as vector clocks: barriers, named barriers and sync_warp do,
// shuffles and ballots do not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "simt/executor.h"

namespace jcuconv::simt {

class RaceDetector {
  public:
    // Words of four bytes: shared memory of our kernels holds nothing smaller.
    static constexpr std::size_t kWord = 4;

    void start_block(int threads, std::size_t shared_bytes);

    // A thread enters a synchronisation and gives away what it knows ...
    void arrive(int thread, std::vector<std::uint32_t>& knowledge);
    // ... and leaves it, knowing what all who arrived knew.
    void leave(int thread, const std::vector<std::uint32_t>& knowledge);

    // Empty, or a description of the race. Atomic operations do not race with each other.
    std::string access(int thread, std::size_t offset, std::size_t bytes, Access access);

    // What the thread wrote so far is visible to bulk copies and wgmma (fence.proxy.async).
    void fence(int thread);
    // Empty, or the plain store of these bytes that no fence follows.
    std::string unfenced(std::size_t offset, std::size_t bytes) const;
    // These bytes were written by a bulk copy.
    void written_by_copy(std::size_t offset, std::size_t bytes);

  private:
    struct Word {
        int writer = -1;
        bool atomic = false;              // that write was an atomic operation
        bool plain = false;               // it was a store, not a copy
        std::uint32_t written = 0;        // the writer's time
        std::vector<std::uint32_t> read;  // time of each thread's last read since then; empty: nobody's
    };

    std::uint32_t* clock(int thread) { return clocks_.data() + static_cast<std::size_t>(thread) * threads_; }
    std::string touch(int thread, std::size_t word, Access access);

    std::size_t threads_ = 0;
    std::vector<std::uint32_t> clocks_;  // [thread][other]: the last time of `other` that `thread` knows to be over
    std::vector<Word> words_;
    std::vector<std::uint32_t> fenced_;  // each thread's time at its last fence
};

// Switched on by the receiver; kernels without instrumentation pay nothing.
void enable_race_detection();

// Called by the receiver for every plain access of a kernel.
void observe(const void* address, std::size_t bytes, bool write);

}  // namespace jcuconv::simt
