#include "simt/mma.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace jcuconv::simt {

namespace {

constexpr int kFraction = 23;  // of fp32
constexpr int kLeastExponent = -126;
constexpr std::uint32_t kTf32Mask = 0xFFFFE000u;  // the unit ignores the lower 13 bits

// A finite number as integer * 2^(exponent - fraction), with the exponent of its format's field: 0 has none.
struct Parts {
    std::int64_t significand = 0;  // signed
    int exponent = 0;
    int fraction = 0;
};

struct Format {
    int fraction, bias, exponent_bits;
};

constexpr Format format(MmaType type) {
    return type == MmaType::kF16 ? Format{10, 15, 5} : type == MmaType::kBf16 ? Format{7, 127, 8} : Format{10, 127, 8};
}

constexpr Format kF32{23, 127, 8};

Parts parts(const Format& f, std::uint32_t bits) {
    const std::uint32_t fraction = bits & ((1u << f.fraction) - 1);
    const auto field = static_cast<int>(bits >> f.fraction & ((1u << f.exponent_bits) - 1));
    const bool negative = (bits >> (f.fraction + f.exponent_bits) & 1u) != 0;
    const std::int64_t magnitude = field == 0 ? fraction : fraction | 1u << f.fraction;
    return {negative ? -magnitude : magnitude, std::max(field, 1) - f.bias, f.fraction};
}

std::uint32_t compact(MmaType type, std::uint32_t bits) { return type == MmaType::kTf32 ? bits >> 13 : bits & 0xFFFFu; }

// n * 2^-shift, cut off towards zero; a shift below zero goes up.
std::int64_t shifted(std::int64_t n, int shift) {
    if (shift <= 0) return n * (std::int64_t{1} << -shift);
    if (shift > 62) return 0;
    return n / (std::int64_t{1} << shift);
}

// sum * 2^(exponent - fraction) as fp32
float rounded(std::int64_t sum, int exponent, int fraction, bool truncate) {
    if (sum == 0) return 0.0f;
    const auto magnitude = static_cast<std::uint64_t>(std::abs(sum));
    const int top = 63 - std::countl_zero(magnitude);
    const int value_exponent = std::max(exponent - fraction + top, kLeastExponent);
    // Bits below the last one of fp32 at this exponent.
    const int below = value_exponent - kFraction - (exponent - fraction);
    std::uint64_t kept = below <= 0 ? magnitude << -below : below > 63 ? 0 : magnitude >> below;
    if (!truncate && below > 0 && below <= 63) {
        const std::uint64_t rest = magnitude & ((std::uint64_t{1} << below) - 1), half = std::uint64_t{1} << (below - 1);
        if (rest > half || (rest == half && (kept & 1) != 0)) ++kept;
    }
    const auto value = static_cast<float>(std::ldexp(static_cast<double>(kept), value_exponent - kFraction));
    return sum < 0 ? -value : value;
}

float block_sum(const MmaRounding& rounding, MmaType type, const std::uint32_t* a, const std::uint32_t* b, int count, float c) {
    double special = c;  // follows infinities and NaN only
    Parts addends[33];
    int used = 0, largest = std::numeric_limits<int>::min();
    const auto add = [&](const Parts& p) {
        if (p.significand == 0) return;
        addends[used++] = p;
        largest = std::max(largest, p.exponent);
    };
    if (std::isfinite(c)) add(parts(kF32, std::bit_cast<std::uint32_t>(c)));
    for (int k = 0; k < count; ++k) {
        const double x = mma_value(type, a[k]), y = mma_value(type, b[k]);
        if (!std::isfinite(x) || !std::isfinite(y)) {
            special += x * y;
            continue;
        }
        const Parts p = parts(format(type), compact(type, a[k])), q = parts(format(type), compact(type, b[k]));
        add({p.significand * q.significand, p.exponent + q.exponent, p.fraction + q.fraction});
    }
    if (!std::isfinite(special)) return static_cast<float>(special);
    const int fraction = kFraction + rounding.extra_bits;
    std::int64_t sum = 0;
    for (int i = 0; i < used; ++i)
        sum += shifted(addends[i].significand, largest - addends[i].exponent - (fraction - addends[i].fraction));
    return rounded(sum, largest, fraction, rounding.truncate);
}

}  // namespace

double mma_value(MmaType type, std::uint32_t bits) {
    if (type == MmaType::kTf32) return std::bit_cast<float>(bits & kTf32Mask);
    if (type == MmaType::kBf16) return std::bit_cast<float>(bits << 16);
    return static_cast<double>(std::bit_cast<_Float16>(static_cast<std::uint16_t>(bits)));
}

float mma_element(const MmaRounding& rounding, MmaType type, const std::uint32_t* a, const std::uint32_t* b, int depth, float c) {
    if (rounding.block == 0) {
        double sum = c;
        for (int k = 0; k < depth; ++k) sum += mma_value(type, a[k]) * mma_value(type, b[k]);
        return static_cast<float>(sum);
    }
    for (int k = 0; k < depth; k += rounding.block)
        c = block_sum(rounding, type, a + k, b + k, std::min(rounding.block, depth - k), c);
    return c;
}

}  // namespace jcuconv::simt
