// Switching between the stacks of fibers that belong to one OS thread.
#pragma once

#include <cstddef>

#if !defined(__x86_64__) || defined(JCUCONV_SIMT_UCONTEXT)
#define JCUCONV_SIMT_PORTABLE_CONTEXT 1
#include <ucontext.h>
#endif

namespace jcuconv::simt {

#ifdef JCUCONV_SIMT_PORTABLE_CONTEXT
struct Context {
    ucontext_t ucontext;
};
#else
// A fiber that does not run is its stack pointer: the callee-saved registers lie on its stack.
struct Context {
    void* stack_pointer = nullptr;
#ifdef JCUCONV_SANITIZE
    // The sanitizer keeps bounds and state per stack. Without bounds it is the stack that the OS thread started on.
    const void* stack = nullptr;
    std::size_t stack_bytes = 0;
    void* fake_stack = nullptr;
#endif
};
#endif

// Makes `context` start `entry` on the given stack at the first switch to it. `entry` must never return.
void make_context(Context& context, std::byte* stack, std::size_t bytes, void (*entry)());

// Saves the running fiber in `from` and continues `to`. `to` must belong to the same OS thread.
void switch_context(Context& from, Context& to);

}  // namespace jcuconv::simt
