// The registry of device allocations on the host. Every allocation lies between two guard bands of NaN, starts as NaN, and
// every access of a kernel is checked against it: a read that leaves its buffer fails here even if its value is masked
// later, and a write into a band is found when the buffer is released.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace jcuconv::simt {

// Returns null when the memory cannot be had. The result is aligned to 4096 bytes, the end of the buffer is not padded.
void* allocate(std::size_t bytes);

// Empty, or why this is not possible: not an allocation, already released, damaged guard bands.
std::string release(void* pointer);

// True if [pointer, pointer + bytes) lies inside one live allocation.
bool covers(const void* pointer, std::size_t bytes);

// Called for each global access of a kernel; ends the grid if the access leaves its buffer or is not aligned.
void check_access(const void* pointer, std::size_t bytes, std::size_t alignment, const char* verb);

// Live allocations, for tests that look for leaks.
std::size_t live_allocations();

}  // namespace jcuconv::simt
