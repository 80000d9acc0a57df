// Philox4x32-10, a counter-based generator (Salmon, Moraes, Dror, Shaw: Parallel Random Numbers: As Easy as 1, 2, 3; SC 2011).
#pragma once

#include "primitives/primitives.h"

namespace jcuconv {

struct PhiloxKey {
    std::uint32_t low, high;
};

// The four words of the block with this counter.
JCUCONV_DEVICE void philox(const std::uint32_t (&counter)[4], PhiloxKey key, std::uint32_t (&words)[4]) {
    constexpr int kRounds = 10;
    constexpr std::uint32_t kM0 = 0xD2511F53u, kM1 = 0xCD9E8D57u, kW0 = 0x9E3779B9u, kW1 = 0xBB67AE85u;
    std::uint32_t x0 = counter[0], x1 = counter[1], x2 = counter[2], x3 = counter[3];
#pragma unroll
    for (int round = 0; round < kRounds; ++round) {
        const std::uint64_t p0 = std::uint64_t{kM0} * x0, p1 = std::uint64_t{kM1} * x2;
        x0 = static_cast<std::uint32_t>(p1 >> 32) ^ x1 ^ key.low;
        x2 = static_cast<std::uint32_t>(p0 >> 32) ^ x3 ^ key.high;
        x1 = static_cast<std::uint32_t>(p1);
        x3 = static_cast<std::uint32_t>(p0);
        key.low += kW0;
        key.high += kW1;
    }
    words[0] = x0;
    words[1] = x1;
    words[2] = x2;
    words[3] = x3;
}

}  // namespace jcuconv
