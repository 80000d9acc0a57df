#include "conformance/rounding.h"

#include <bit>
#include <cmath>

namespace jcuconv::conformance {

namespace {

using simt::MmaType;

std::uint64_t next_random(std::uint64_t& state) {  // splitmix64
    state += 0x9E3779B97F4A7C15u;
    std::uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

std::uint32_t f32_bits(double v) { return std::bit_cast<std::uint32_t>(static_cast<float>(v)); }

// The element nearest to v below it in magnitude: every v used here either is an element or need not be met exactly.
std::uint32_t element(MmaType type, double v) {
    if (type == MmaType::kTf32) return f32_bits(v) & 0xFFFFE000u;
    if (type == MmaType::kBf16) return f32_bits(v) >> 16;
    const std::uint32_t sign = std::signbit(v) ? 0x8000u : 0u;
    const double magnitude = std::abs(v);
    if (std::isnan(v)) return 0x7E00u;
    if (magnitude >= 65536) return sign | 0x7C00u;
    if (magnitude < 0x1p-14) return sign | static_cast<std::uint32_t>(std::ldexp(magnitude, 24));
    const int exponent = std::ilogb(magnitude);
    return sign | static_cast<std::uint32_t>(exponent + 15) << 10 |
           static_cast<std::uint32_t>(std::ldexp(magnitude, 10 - exponent) - 1024);
}

class Builder {
  public:
    explicit Builder(MmaType type) : type_(type), depth_(rounding_depth(type)) {}

    // f gives the three factors of element k of the sum (i, j): a depends on i, b on j.
    template <class A, class B, class C>
    void add(A a, B b, C c) {
        RoundingProduct p{};
        for (int k = 0; k < depth_; ++k) {
            for (int i = 0; i < 16; ++i) p.a[i][k] = element(type_, a(i, k));
            for (int j = 0; j < 8; ++j) p.b[j][k] = element(type_, b(j, k));
        }
        for (int i = 0; i < 16; ++i)
            for (int j = 0; j < 8; ++j) p.c[i][j] = f32_bits(c(i, j));
        products_.push_back(p);
    }

    int depth() const { return depth_; }
    std::vector<RoundingProduct> take() { return std::move(products_); }

  private:
    MmaType type_;
    int depth_;
    std::vector<RoundingProduct> products_;
};

}  // namespace

std::vector<RoundingProduct> rounding_products(MmaType type) {
    Builder builder(type);
    const int depth = builder.depth();
    const auto power = [](int exponent) { return std::ldexp(1.0, exponent); };
    const auto one = [](int, int) { return 1.0; };
    const auto nothing = [](int, int) { return 0.0; };
    std::uint64_t state = 2024;
    const auto uniform = [&] { return static_cast<double>(next_random(state) >> 11) * 0x1p-53; };
    const auto sign = [&] { return next_random(state) % 2 == 0 ? 1.0 : -1.0; };

    // 1 + 2^-(16 + i) 2^-j in the last place of the depth, and -(1 + ...): powers down to 2^-38.
    builder.add([&](int i, int k) { return k == depth - 1 ? power(-8 - i % 8) : 0.0; },
                [&](int j, int k) { return k == depth - 1 ? power(-8 - j) : 0.0; }, one);
    builder.add([&](int i, int k) { return k == 0 ? -power(-10 - i % 8) : 0.0; },
                [&](int j, int k) { return k == 0 ? power(-12 - j) : 0.0; }, [](int, int) { return -1.0; });
    // As many equal small addends as the row says, each near half a unit in the last place of 1.
    builder.add([](int i, int k) { return k <= i ? 0x1p-11 : 0.0; }, [&](int j, int) { return power(-10 - j); }, one);
    // A one among the products instead of in c, at every place of the depth: who is aligned with whom.
    builder.add([](int i, int k) { return k == i % 16 ? 1.0 : 0x1p-12; }, [&](int j, int k) { return k % 8 == j ? 1.0 : 0x1p-12; }, nothing);
    builder.add([](int i, int k) { return k == i ? 1.0 : 0x1.8p-12; }, [](int j, int) { return j % 2 == 0 ? 1.0 : 0x1.8p0; },
                [](int i, int j) { return (i + j) % 3 == 0 ? 0x1p-24 : 0.0; });
    // Pairs that cancel, with a small rest: what alignment to the pair has cut off does not come back.
    builder.add([](int i, int k) { return k == 0 ? 512.0 : k == 1 + i % 7 ? -512.0 : 0x1.4p-8; },
                [&](int j, int k) { return k < 8 ? 4.0 : power(-j); }, [](int i, int) { return i % 2 == 0 ? 0.0 : 0x1.555556p-6; });
    // Products of 1.5 * 1.5 = 2.25: whether alignment sees the exponents of the factors or of the product.
    builder.add([](int i, int k) { return k == 0 ? 1.5 : k <= i ? 0x1p-12 : 0.0; }, [](int j, int k) { return k == 0 ? 1.5 : 0x1p-10 * (1 + j / 8.0); },
                nothing);
    // Ties and their neighbours for the last rounding, both signs.
    builder.add([](int i, int k) { return k == 0 ? 0x1p-12 * (i % 4) : k == 1 ? 0x1p-14 * (i / 4) : 0.0; },
                [](int j, int k) { return k < 2 ? (j % 2 == 0 ? 0x1p-12 : -0x1p-12) : 0.0; },
                [](int i, int j) { return (j % 4 < 2 ? 1.0 : -1.0) * (1.0 + 0x1p-23 * (i % 3)); });
    // Small numbers: fp16 subnormals, results that are subnormal in fp32 for the wide types, c subnormal.
    const double tiny = type == MmaType::kF16 ? 0x1p-24 : 0x1p-70;
    builder.add([&](int i, int k) { return k < 4 ? tiny * (i + 1) : 0.0; }, [&](int j, int k) { return k < 4 ? tiny * 1024 * (j + k) : 0.0; },
                [](int i, int j) { return i % 4 == 0 ? 0x1p-149 * (j + 1) : i % 4 == 1 ? 0x1.8p-130 : 0.0; });
    // Zeros beside large factors, whose exponents must not count.
    builder.add([](int i, int k) { return k == 0 ? 0.0 : k == 1 ? 0x1p15 : k == 2 ? 1.0 + i / 16.0 : 0x1p-11; },
                [](int j, int k) { return k == 0 ? 0x1p15 : k == 1 ? 0.0 : k == 2 ? 0x1p-10 * (j + 1) : 0x1p-13; }, nothing);
    // Infinities, NaN and overflow of the sum.
    builder.add([](int i, int k) { return k != 3 ? 1.0 : i == 1 ? INFINITY : i == 2 ? -INFINITY : i == 3 ? NAN : i == 4 ? 0.0 : 1.0; },
                [](int j, int k) { return k != 3 ? 1.0 : j == 1 ? INFINITY : j == 2 ? 0.0 : 1.0; },
                [](int i, int j) { return i == 5 ? INFINITY : i == 6 ? -INFINITY : i == 7 ? NAN : j == 3 ? 0x1.fffffep127 : 1.0; });
    // Real data.
    builder.add([&](int, int) { return sign() * std::ldexp(1 + uniform(), static_cast<int>(next_random(state) % 8) - 6); },
                [&](int, int) { return sign() * std::ldexp(1 + uniform(), static_cast<int>(next_random(state) % 8) - 6); },
                [&](int, int) { return sign() * uniform() * 4; });
    return builder.take();
}

}  // namespace jcuconv::conformance
