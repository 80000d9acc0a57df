// Asynchronous copies from global to shared memory (cp.async, sm_80 and newer). sm_75 has none: there the copy goes through a
// register at once, and there is nothing to wait for. The kernel stays the same; only the overlap is lost.
#pragma once

#include "primitives/cuda/memory.h"
#include "primitives/cuda/thread.h"

namespace jcuconv {

// Whether copies pass the registers by.
JCUCONV_DEVICE constexpr bool has_cp_async() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
    return false;
#else
    return true;
#endif
}

template <int kBytes>
JCUCONV_DEVICE void cp_async(void* shared_to, const void* global_from, int source_bytes = kBytes) {
    static_assert(kBytes == 4 || kBytes == 8 || kBytes == 16, "what cp.async can copy");
#if __CUDA_ARCH__ >= 800
    // 16 bytes pass the first-level cache by: the copy goes to shared memory, which lies beside it.
    if constexpr (kBytes == 16) {
        asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(shared_to)), "l"(global_from),
                     "r"(source_bytes)
                     : "memory");
    } else {
        asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(shared_address(shared_to)), "l"(global_from),
                     "n"(kBytes), "r"(source_bytes)
                     : "memory");
    }
#else
    using Bytes = Pack<unsigned char, kBytes>;
    Bytes bytes{};
    if (source_bytes == kBytes) {
        bytes = *static_cast<const Bytes*>(global_from);
    } else {
#pragma unroll
        for (int i = 0; i < kBytes; ++i)
            if (i < source_bytes) bytes.v[i] = static_cast<const unsigned char*>(global_from)[i];
    }
    *static_cast<Bytes*>(shared_to) = bytes;
#endif
}

JCUCONV_DEVICE void cp_async_commit() {
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

template <int kGroups>
JCUCONV_DEVICE void cp_async_wait() {
    static_assert(kGroups >= 0);
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.wait_group %0;" ::"n"(kGroups) : "memory");
#endif
}

}  // namespace jcuconv
