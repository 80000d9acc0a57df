// fp16 and bf16 as storage types on the host. Arithmetic is always fp32.
#pragma once

#include <bit>
#include <cstdint>

namespace jcuconv {

struct f16 {
    std::uint16_t bits;
};

struct bf16 {
    std::uint16_t bits;
};

inline float to_f32(float v) { return v; }
inline float to_f32(f16 v) { return static_cast<float>(std::bit_cast<_Float16>(v.bits)); }
inline float to_f32(bf16 v) { return std::bit_cast<float>(static_cast<std::uint32_t>(v.bits) << 16); }

template <class T>
T from_f32(float v);

template <>
inline float from_f32<float>(float v) {
    return v;
}

template <>
inline f16 from_f32<f16>(float v) {
    return {std::bit_cast<std::uint16_t>(static_cast<_Float16>(v))};
}

template <>
inline bf16 from_f32<bf16>(float v) {
    const auto bits = std::bit_cast<std::uint32_t>(v);
    // Rounding a NaN up could carry into the exponent and make it an infinity or zero.
    if (v != v) return {static_cast<std::uint16_t>(0x7FFFu)};
    const std::uint32_t half_minus_odd = 0x7FFFu + ((bits >> 16) & 1u);
    return {static_cast<std::uint16_t>((bits + half_minus_odd) >> 16)};
}

}  // namespace jcuconv
