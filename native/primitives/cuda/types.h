// fp16 and bf16 as storage types on a GPU, tf32 as an operand of tensor cores. Arithmetic is always fp32.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>
#include <type_traits>

namespace jcuconv {

using f16 = __half;
using bf16 = __nv_bfloat16;

// fp32 without its lower 13 bits, which tensor cores ignore.
struct tf32 {
    std::uint32_t bits;
};

// The bits of a register, as the tensor cores' operands hold them.
__device__ __forceinline__ float f32_of_bits(std::uint32_t bits) { return __uint_as_float(bits); }
__device__ __forceinline__ std::uint32_t bits_of_f32(float v) { return __float_as_uint(v); }

__device__ __forceinline__ float to_f32(float v) { return v; }
__device__ __forceinline__ float to_f32(f16 v) { return __half2float(v); }
__device__ __forceinline__ float to_f32(bf16 v) { return __bfloat162float(v); }
__device__ __forceinline__ float to_f32(tf32 v) { return __uint_as_float(v.bits & 0xFFFFE000u); }

template <class T>
__device__ __forceinline__ T from_f32(float v) {
    if constexpr (std::is_same_v<T, float>) {
        return v;
    } else if constexpr (std::is_same_v<T, tf32>) {
        // To nearest, ties away from zero: the only rounding to tf32 that sm_80 has.
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
        tf32 result;
        asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(result.bits) : "f"(v));
        return result;
#else
        static_assert(!std::is_same_v<T, tf32>, "sm_75 has no tf32");
#endif
    } else if constexpr (std::is_same_v<T, f16>) {
        return __float2half_rn(v);
    } else {
        return __float2bfloat16_rn(v);
    }
}

}  // namespace jcuconv
