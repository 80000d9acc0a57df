// fp16 and bf16 as storage types on a GPU. Arithmetic is always fp32.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

namespace jcuconv {

using f16 = __half;
using bf16 = __nv_bfloat16;

__device__ __forceinline__ float to_f32(float v) { return v; }
__device__ __forceinline__ float to_f32(f16 v) { return __half2float(v); }
__device__ __forceinline__ float to_f32(bf16 v) { return __bfloat162float(v); }

template <class T>
__device__ __forceinline__ T from_f32(float v) {
    if constexpr (sizeof(T) == sizeof(float)) {
        return v;
    } else if constexpr (std::is_same_v<T, f16>) {
        return __float2half_rn(v);
    } else {
        return __float2bfloat16_rn(v);
    }
}

}  // namespace jcuconv
