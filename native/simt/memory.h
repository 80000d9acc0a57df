// The registry of device allocations on the host. Every allocation lies between two guard bands of NaN, starts as NaN, and
// every access of a kernel is checked against it: a read that leaves its buffer fails here even if its value is masked
// later, and a write into a band is found when the buffer is released.
#pragma once

#include <cstddef>
#include <cstdint>
#include <source_location>
#include <span>
#include <string>

namespace jcuconv::simt {

// Returns null when the memory cannot be had. The result is aligned to 4096 bytes, the end of the buffer is not padded.
void* allocate(std::size_t bytes);

// Empty, or why this is not possible: not an allocation, already released, damaged guard bands.
std::string release(void* pointer);

// Empty, or what happened to the guard bands of the allocation that holds this address so far.
std::string damage(const void* pointer);

// True if [pointer, pointer + bytes) lies inside one live allocation.
bool covers(const void* pointer, std::size_t bytes);

// Bytes of the live allocation that begins here, 0 if there is none.
std::size_t size_of(const void* pointer);

// While it lives, kernels of this thread may touch these ranges only, as their plan declared them: several tensors in one allocation
// have no guard bands between them, and the order of streams is checked from the same declarations. No ranges: any allocation.
struct Declared {
    std::uintptr_t begin, end;
    bool writes;
};
class Bounds {
  public:
    explicit Bounds(std::span<const Declared> ranges);
    ~Bounds();
    Bounds(const Bounds&) = delete;
    Bounds& operator=(const Bounds&) = delete;
};

// Called for each global access of a kernel; ends the grid if the access leaves its buffer, was not declared or is not
// aligned. An access of no bytes may lie anywhere, but must be aligned. A "write" and an "atomic_add" write. `where` is the kernel's line, where the primitive knows it.
void check_access(const void* pointer, std::size_t bytes, std::size_t alignment, const char* verb,
                  const std::source_location* where = nullptr);

// Live allocations, for tests that look for leaks.
std::size_t live_allocations();

}  // namespace jcuconv::simt
