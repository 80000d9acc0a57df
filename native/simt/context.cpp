#include "simt/context.h"

#include <cstdint>

#ifdef JCUCONV_SANITIZE
#include <pthread.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace jcuconv::simt {

#ifdef JCUCONV_SIMT_PORTABLE_CONTEXT

void make_context(Context& context, std::byte* stack, std::size_t bytes, void (*entry)()) {
    getcontext(&context.ucontext);
    context.ucontext.uc_stack.ss_sp = stack;
    context.ucontext.uc_stack.ss_size = bytes;
    context.ucontext.uc_link = nullptr;
    makecontext(&context.ucontext, entry, 0);
}

void switch_context(Context& from, Context& to) { swapcontext(&from.ucontext, &to.ucontext); }

#else

// The System V ABI lets a function change every register except these six and the stack pointer, so a switch that looks
// like a function call has to save nothing else. (swapcontext would also ask the kernel for the signal mask: 40 x slower.)
extern "C" __attribute__((visibility("hidden"))) void jcuconv_simt_switch(void** from, void* to);
asm(R"(
    .text
    .align 16
    .hidden jcuconv_simt_switch
    .globl jcuconv_simt_switch
    .type jcuconv_simt_switch, @function
jcuconv_simt_switch:
    endbr64
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .size jcuconv_simt_switch, .-jcuconv_simt_switch
)");

#ifdef JCUCONV_SANITIZE

namespace {

__thread void (*entry_of_fibers)() = nullptr;

void enter() {
    __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
    entry_of_fibers();
}

void find_bounds_of_own_stack(Context& context) {
    pthread_attr_t attributes;
    void* stack = nullptr;
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        pthread_attr_getstack(&attributes, &stack, &context.stack_bytes);
        pthread_attr_destroy(&attributes);
    }
    context.stack = stack;
}

}  // namespace

#endif

void make_context(Context& context, std::byte* stack, std::size_t bytes, void (*entry)()) {
#ifdef JCUCONV_SANITIZE
    context.stack = stack;
    context.stack_bytes = bytes;
    context.fake_stack = nullptr;
    entry_of_fibers = entry;
    entry = &enter;
#endif
    constexpr int kSavedRegisters = 6;
    auto top = (reinterpret_cast<std::uintptr_t>(stack) + bytes) & ~std::uintptr_t{15};
    auto* slot = reinterpret_cast<void**>(top);
    *--slot = nullptr;  // where a caller's return address would lie: entry sees the alignment of a normal call
    *--slot = reinterpret_cast<void*>(entry);
    for (int i = 0; i < kSavedRegisters; ++i) *--slot = nullptr;
    context.stack_pointer = slot;
}

void switch_context(Context& from, Context& to) {
#ifdef JCUCONV_SANITIZE
    if (from.stack == nullptr) find_bounds_of_own_stack(from);
    __sanitizer_start_switch_fiber(&from.fake_stack, to.stack, to.stack_bytes);
    jcuconv_simt_switch(&from.stack_pointer, to.stack_pointer);
    __sanitizer_finish_switch_fiber(from.fake_stack, nullptr, nullptr);
#else
    jcuconv_simt_switch(&from.stack_pointer, to.stack_pointer);
#endif
}

#endif

}  // namespace jcuconv::simt
