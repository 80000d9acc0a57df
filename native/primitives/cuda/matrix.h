// The tensor cores' warp operations on a GPU. sm_75 multiplies fp16 only, eight deep; there `mma<f16>` is two such steps. bf16 and
// tf32 need sm_80: a kernel asks has_mma<T>() with `if constexpr` and refuses to run where it is false.
#pragma once

#include <cstdint>
#include <type_traits>

#include "primitives/cuda/thread.h"
#include "primitives/cuda/types.h"

namespace jcuconv {

template <class T>
JCUCONV_DEVICE constexpr bool has_mma() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
    return std::is_same_v<T, f16>;
#else
    return std::is_same_v<T, f16> || std::is_same_v<T, bf16> || std::is_same_v<T, tf32>;
#endif
}

template <int kMatrices>
JCUCONV_DEVICE void ldmatrix(std::uint32_t (&r)[kMatrices], const void* row) {
    static_assert(kMatrices == 1 || kMatrices == 2 || kMatrices == 4);
    const std::uint32_t from = shared_address(row);
    if constexpr (kMatrices == 1)
        asm volatile("ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%0}, [%1];" : "=r"(r[0]) : "r"(from) : "memory");
    if constexpr (kMatrices == 2)
        asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];"
                     : "=r"(r[0]), "=r"(r[1])
                     : "r"(from)
                     : "memory");
    if constexpr (kMatrices == 4)
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                     : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                     : "r"(from)
                     : "memory");
}

template <int kMatrices>
JCUCONV_DEVICE void ldmatrix_trans(std::uint32_t (&r)[kMatrices], const void* row) {
    static_assert(kMatrices == 1 || kMatrices == 2 || kMatrices == 4);
    const std::uint32_t from = shared_address(row);
    if constexpr (kMatrices == 1)
        asm volatile("ldmatrix.sync.aligned.m8n8.x1.trans.shared.b16 {%0}, [%1];" : "=r"(r[0]) : "r"(from) : "memory");
    if constexpr (kMatrices == 2)
        asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0, %1}, [%2];"
                     : "=r"(r[0]), "=r"(r[1])
                     : "r"(from)
                     : "memory");
    if constexpr (kMatrices == 4)
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                     : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                     : "r"(from)
                     : "memory");
}

JCUCONV_DEVICE void mma_m16n8k8(float (&d)[4], const std::uint32_t (&a)[2], const std::uint32_t (&b)[1]) {
    asm("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(b[0]));
}

#define JCUCONV_MMA(instruction)                                                                                  \
    asm(instruction " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"                            \
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])                                                          \
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]))

template <class T>
JCUCONV_DEVICE void mma(float (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2]) {
    static_assert(has_mma<T>(), "tensor cores multiply f16, from sm_80 on also bf16 and tf32");
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
    mma_m16n8k8(d, {a[0], a[1]}, {b[0]});
    mma_m16n8k8(d, {a[2], a[3]}, {b[1]});
#else
    if constexpr (std::is_same_v<T, f16>) JCUCONV_MMA("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32");
    if constexpr (std::is_same_v<T, bf16>) JCUCONV_MMA("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32");
    if constexpr (std::is_same_v<T, tf32>) JCUCONV_MMA("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32");
#endif
}

#undef JCUCONV_MMA

template <class T, int kRows, int kColumns>
JCUCONV_DEVICE void warp_mma(float (&d)[kRows][kColumns][4], const std::uint32_t (&a)[kRows][4],
                             const std::uint32_t (&b)[kColumns][2]) {
#pragma unroll
    for (int i = 0; i < kRows; ++i)
#pragma unroll
        for (int j = 0; j < kColumns; ++j) mma<T>(d[i][j], a[i], b[j]);
}

}  // namespace jcuconv
