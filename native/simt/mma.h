// The arithmetic of tensor cores: d = c + sum of products of fp16, bf16 or tf32 elements, in fp32.
#pragma once

#include <cstdint>

namespace jcuconv::simt {

enum class MmaType : std::uint8_t { kF16, kBf16, kTf32 };

// How a sum is rounded. NVIDIA does not document it; what measurements of others describe is this rule, with different numbers per
// architecture: products are taken in blocks along the depth. The sum so far and the exact products of one block are aligned to
// the largest exponent among them (of a product: the sum of its operands' exponents), cut off `extra_bits` below the 23 fraction
// bits of fp32, added exactly, and the result is rounded to fp32.
struct MmaRounding {
    // Products per block. 0 is the default, not the rule above: everything is added in fp64 in the order of the depth and rounded
    // once, to nearest even. That is closer to the exact sum than any known tensor core.
    int block = 0;
    int extra_bits = 0;
    // The last step: towards zero, or to nearest even. What alignment shifts out is always cut off.
    bool truncate = true;
};

// One element of d: `depth` products of the elements in a and b, given as bits (tf32 in the upper 19 of 32 bits).
float mma_element(const MmaRounding& rounding, MmaType type, const std::uint32_t* a, const std::uint32_t* b, int depth, float c);

// The exact value of an element.
double mma_value(MmaType type, std::uint32_t bits);

}  // namespace jcuconv::simt
