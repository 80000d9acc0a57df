// What the conformance kernels share.
#pragma once

#include <cstring>

#include "conformance/kernels.h"
#include "primitives/primitives.h"

namespace jcuconv::conformance {

// kAbsent by value: device code cannot refer to a constant of the host.
JCUCONV_DEVICE std::uint64_t absent() { return kAbsent; }

// The bits of a value, as every dump holds them.
template <class V>
JCUCONV_DEVICE std::uint64_t bits_of(const V& value) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof value);  // the lower bytes: both machines are little-endian
    return bits;
}

template <class V>
JCUCONV_DEVICE V value_from(std::uint32_t bits) {
    V value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

// Tensor cores ignore the lower 13 bits of tf32, and what a conversion leaves there is not defined.
JCUCONV_DEVICE std::uint64_t bits_of(tf32 value) { return value.bits & 0xFFFFE000u; }

}  // namespace jcuconv::conformance
