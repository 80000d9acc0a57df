// Global memory as fp32 values, whatever the storage type: N neighbours per instruction.
#pragma once

#include "primitives/primitives.h"

namespace jcuconv {

template <int N, class T>
JCUCONV_DEVICE void load_f32(const T* p, float (&out)[N]) {
    const auto pack = load_global(reinterpret_cast<const Pack<T, N>*>(p));
#pragma unroll
    for (int i = 0; i < N; ++i) out[i] = to_f32(pack.v[i]);
}

template <int N, class T>
JCUCONV_DEVICE void store_f32(T* p, const float (&values)[N]) {
    Pack<T, N> pack;
#pragma unroll
    for (int i = 0; i < N; ++i) pack.v[i] = from_f32<T>(values[i]);
    store_global(reinterpret_cast<Pack<T, N>*>(p), pack);
}

template <int N>
JCUCONV_DEVICE void set_zero(float (&out)[N]) {
#pragma unroll
    for (int i = 0; i < N; ++i) out[i] = 0.0f;
}

}  // namespace jcuconv
