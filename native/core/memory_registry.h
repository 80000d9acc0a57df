// The memory that the library knows: allocated by it or wrapped once, and pinned host memory. Executions compare addresses with it
// as integers; the driver is asked when memory comes in, not when it is used.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <utility>
#include <vector>

#include "core/outcome.h"

namespace jcuconv {

// Ranges of addresses that may overlap. Looked up far more often than changed.
class Ranges {
  public:
    // Counts the same begin again and keeps the larger end.
    void add(std::uintptr_t begin, std::uintptr_t end);
    // False if no range begins here. `end` gets the end of the range.
    bool remove(std::uintptr_t begin);
    // The end of the range that begins here, 0 if there is none.
    std::uintptr_t end_of(std::uintptr_t begin) const;
    // True if one range holds all of [begin, begin + bytes).
    bool covers(std::uintptr_t begin, std::uint64_t bytes) const;
    bool touches(std::uintptr_t begin, std::uintptr_t end) const;

  private:
    struct Range {
        std::uintptr_t begin, end;
        std::uint32_t count;
    };
    std::size_t position(std::uintptr_t begin) const;  // of the first range that begins there or later
    void update_reach(std::size_t from);

    std::vector<Range> ranges_;          // by begin
    std::vector<std::uintptr_t> reach_;  // the largest end up to here: begin <= p and end >= q is one comparison
};

class MemoryRegistry {
  public:
    static MemoryRegistry& instance();

    Outcome allocate(std::uint64_t bytes, void** address);
    Outcome release(void* address);
    Outcome allocate_host(std::uint64_t bytes, void** address);
    Outcome release_host(void* address);
    Outcome wrap(void* address, std::uint64_t bytes);
    Outcome unwrap(void* address);

    // While it lives, no memory leaves the registry: what was checked stays until the work that uses it is queued.
    class Reading {
      public:
        Reading();
        bool on_device(const void* address, std::uint64_t bytes) const;
        bool touches_device(const void* address, std::uint64_t bytes) const;  // of any device
        bool pinned(const void* address, std::uint64_t bytes) const;

      private:
        const MemoryRegistry& registry_;
        std::shared_lock<std::shared_mutex> lock_;
        int device_;
    };

    // Memory that a remembered capture, and then its graph, refers to cannot be released until the capture is forgotten.
    void remember(std::uint64_t capture);
    void keep(std::uint64_t capture, const void* address, std::uint64_t bytes);
    void forget(std::uint64_t capture);

  private:
    struct Device {
        Ranges owned, wrapped;
    };

    Outcome check_unused(std::uintptr_t begin, std::uintptr_t end) const;

    mutable std::shared_mutex mutex_;
    std::map<int, Device> devices_;
    Ranges host_;
    std::mutex kept_mutex_;  // taken after mutex_
    std::map<std::uint64_t, std::set<std::pair<std::uintptr_t, std::uintptr_t>>> kept_;
};

}  // namespace jcuconv
