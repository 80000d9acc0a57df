// What the sanitizer build must be told about memory and stacks that the executor manages itself. The executor is not instrumented,
// only what runs on it, so that a report is about a kernel and a kernel costs half as much. Elsewhere these functions are empty.
#pragma once

#include <cstddef>

#ifdef JCUCONV_SANITIZE
#include <sanitizer/asan_interface.h>
#endif

namespace jcuconv::simt {

#ifdef JCUCONV_SANITIZE
constexpr bool kSanitized = true;
inline void forbid(const void* memory, std::size_t bytes) { __asan_poison_memory_region(memory, bytes); }
inline void allow(const void* memory, std::size_t bytes) { __asan_unpoison_memory_region(memory, bytes); }
#else
constexpr bool kSanitized = false;
inline void forbid(const void*, std::size_t) {}
inline void allow(const void*, std::size_t) {}
#endif

}  // namespace jcuconv::simt
