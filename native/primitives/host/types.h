// fp16 and bf16 as storage types on the host, tf32 as an operand of tensor cores. Arithmetic is always fp32.
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

// fp32 without its lower 13 bits, which tensor cores ignore.
struct tf32 {
    std::uint32_t bits;
};

// The bits of a register, as the tensor cores' operands hold them.
inline float f32_of_bits(std::uint32_t bits) { return std::bit_cast<float>(bits); }
inline std::uint32_t bits_of_f32(float v) { return std::bit_cast<std::uint32_t>(v); }

inline float to_f32(float v) { return v; }
inline float to_f32(f16 v) { return static_cast<float>(std::bit_cast<_Float16>(v.bits)); }
inline float to_f32(bf16 v) { return std::bit_cast<float>(static_cast<std::uint32_t>(v.bits) << 16); }
inline float to_f32(tf32 v) { return std::bit_cast<float>(v.bits & 0xFFFFE000u); }

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

// To nearest, ties away from zero: the only rounding to tf32 that sm_80 has.
template <>
inline tf32 from_f32<tf32>(float v) {
    const auto bits = std::bit_cast<std::uint32_t>(v);
    if ((bits & 0x7F800000u) == 0x7F800000u) return {v != v ? 0x7FFFE000u : bits};
    return {(bits + 0x1000u) & 0xFFFFE000u};
}

}  // namespace jcuconv
