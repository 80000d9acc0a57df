// Vectors that show how tensor cores round: sums of products written so that alignment, cut-off bits, the number of products that are
// aligned together, subnormals and specials become visible in the result.
#pragma once

#include <cstdint>
#include <vector>

#include "simt/mma.h"

namespace jcuconv::conformance {

// Each product of matrices gives 16 x 8 sums: row i of a with column j of b and c[i][j].
struct RoundingProduct {
    std::uint32_t a[16][16], b[8][16], c[16][8];  // bits; tf32 uses the first 8 of the depth
};

constexpr int kRoundingProducts = 12;
constexpr int rounding_depth(simt::MmaType type) { return type == simt::MmaType::kTf32 ? 8 : 16; }

std::vector<RoundingProduct> rounding_products(simt::MmaType type);

}  // namespace jcuconv::conformance
