// Elementary functions, in the accurate versions (never the fast intrinsics): a few units in the last place.
#pragma once

namespace jcuconv {

__device__ __forceinline__ float pow_f32(float x, float y) { return powf(x, y); }
__device__ __forceinline__ double pow_f64(double x, double y) { return pow(x, y); }
__device__ __forceinline__ float sqrt_f32(float x) { return sqrtf(x); }
__device__ __forceinline__ float exp_f32(float x) { return expf(x); }
__device__ __forceinline__ float log_f32(float x) { return logf(x); }
__device__ __forceinline__ float nan_f32() { return nanf(""); }
__device__ __forceinline__ float tanh_f32(float x) { return tanhf(x); }

}  // namespace jcuconv
