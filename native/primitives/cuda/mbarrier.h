// mbarriers on a GPU. What sm_90a adds refuses to run on other architectures: a kernel asks has_hopper() with `if constexpr`.
#pragma once

#include <cstdint>

#include "primitives/cuda/thread.h"

#if !defined(__CUDA_ARCH__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)
#define JCUCONV_HOPPER 1
#else
#define JCUCONV_HOPPER 0
#endif

namespace jcuconv {

JCUCONV_DEVICE constexpr bool has_hopper() { return JCUCONV_HOPPER != 0; }

struct Mbarrier {
    std::uint64_t state;
};

JCUCONV_DEVICE void mbar_init(Mbarrier& barrier, int arrivals) {
#if JCUCONV_HOPPER
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(&barrier)), "r"(arrivals) : "memory");
#else
    refuse("mbarriers need sm_90a");
#endif
}

// So that bulk copies see what mbar_init wrote.
JCUCONV_DEVICE void fence_mbar_init() {
#if JCUCONV_HOPPER
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
#endif
}

JCUCONV_DEVICE void mbar_arrive(Mbarrier& barrier) {
#if JCUCONV_HOPPER
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(shared_address(&barrier)) : "memory");
#endif
}

JCUCONV_DEVICE void mbar_expect(Mbarrier& barrier, int bytes) {
#if JCUCONV_HOPPER
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(&barrier)), "r"(bytes) : "memory");
#endif
}

JCUCONV_DEVICE void mbar_wait(Mbarrier& barrier, unsigned parity) {
#if JCUCONV_HOPPER
    // The hardware itself sleeps for a while in each try.
    asm volatile(
        "{\n"
        ".reg .pred done;\n"
        "again_%=:\n"
        "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
        "@!done bra again_%=;\n"
        "}" ::"r"(shared_address(&barrier)),
        "r"(parity)
        : "memory");
#endif
}

}  // namespace jcuconv
