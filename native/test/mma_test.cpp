// mma: layouts on integers, bit for bit; rounding against a second model of the rule, which computes with values in fp64 where the
// executor computes with integers.
#include <cmath>
#include <limits>
#include <vector>

#include "primitives/primitives.h"
#include "test/check.h"
#include "test/testing/kernel.h"
#include "test/testing/random.h"

using namespace jcuconv;

namespace {

std::uint32_t bits_of(f16 v) { return v.bits; }
std::uint32_t bits_of(bf16 v) { return v.bits; }
std::uint32_t bits_of(tf32 v) { return v.bits; }

template <class T>
constexpr simt::MmaType kType = std::is_same_v<T, f16>    ? simt::MmaType::kF16
                                : std::is_same_v<T, bf16> ? simt::MmaType::kBf16
                                                          : simt::MmaType::kTf32;

// A warp's product of kRows x kColumns tiles through warp_mma, its operands packed by the text of the PTX manual:
// a0 (g, 2t) a1 (g+8, 2t) a2 (g, 2t+8) a3 (g+8, 2t+8), b0 (2t, g) b1 (2t+8, g), c0 (g, 2t) c1 (g, 2t+1) c2 (g+8, 2t) c3 (g+8, 2t+1).
template <class T, int kRows, int kColumns>
struct Product {
    static constexpr int kPack = sizeof(T) == 2 ? 2 : 1;
    static constexpr int kDepth = 8 * kPack;
    T a[16 * kRows][kDepth], b[kDepth][8 * kColumns];
    float d[16 * kRows][8 * kColumns];

    std::string run(const simt::Options& options = {}) {
        const auto packed = [](auto element) {
            return kPack == 1 ? bits_of(element(0)) : bits_of(element(0)) | bits_of(element(1)) << 16;
        };
        return test::run_kernel(
            [&] {
                const int g = thread_index() / 4, t = thread_index() % 4;
                std::uint32_t ra[kRows][4], rb[kColumns][2];
                float rd[kRows][kColumns][4];
                for (int i = 0; i < kRows; ++i) {
                    for (int half = 0; half < 2; ++half) {
                        const int k = kPack * t + 4 * kPack * half;
                        ra[i][2 * half] = packed([&](int e) { return a[16 * i + g][k + e]; });
                        ra[i][2 * half + 1] = packed([&](int e) { return a[16 * i + g + 8][k + e]; });
                        for (int j = 0; j < kColumns; ++j) rb[j][half] = packed([&](int e) { return b[k + e][8 * j + g]; });
                    }
                }
                for (int pass = 0; pass < 2; ++pass) {
                    for (int i = 0; i < kRows; ++i)
                        for (int j = 0; j < kColumns; ++j)
                            for (int e = 0; e < 4; ++e) {
                                float& x = d[16 * i + g + e / 2 * 8][8 * j + 2 * t + e % 2];
                                (pass == 0 ? rd[i][j][e] : x) = pass == 0 ? x : rd[i][j][e];
                            }
                    if (pass == 0) warp_mma<T>(rd, ra, rb);
                }
            },
            32, 0, options);
    }
};

template <class T>
void check_integers(const simt::Options& options) {
    test::Random random(7);
    Product<T, 2, 3> p;
    int expected[32][24];
    for (auto& row : p.a)
        for (T& v : row) v = from_f32<T>(static_cast<float>(random.between(-100, 100)));
    for (auto& row : p.b)
        for (T& v : row) v = from_f32<T>(static_cast<float>(random.between(-100, 100)));
    for (int m = 0; m < 32; ++m) {
        for (int n = 0; n < 24; ++n) {
            expected[m][n] = random.between(-1000, 1000);
            p.d[m][n] = static_cast<float>(expected[m][n]);
            for (int k = 0; k < p.kDepth; ++k)
                expected[m][n] += static_cast<int>(to_f32(p.a[m][k])) * static_cast<int>(to_f32(p.b[k][n]));
        }
    }
    CHECK(p.run(options).empty());
    int wrong = 0;
    for (int m = 0; m < 32; ++m)
        for (int n = 0; n < 24; ++n) wrong += p.d[m][n] == static_cast<float>(expected[m][n]) ? 0 : 1;
    CHECK(wrong == 0);
}

// The rule of simt/mma.h once more, on values. Everything here is exact in fp64: at most 17 addends of fewer than 40 bits.
float expected_sum(const simt::MmaRounding& r, const std::vector<double>& x, const std::vector<double>& y, double least, float c) {
    const auto exponent = [](double v, double smallest) { return std::max(std::ilogb(v), std::ilogb(smallest)); };
    for (std::size_t first = 0; first < x.size(); first += static_cast<std::size_t>(r.block)) {
        const std::size_t last = std::min(x.size(), first + static_cast<std::size_t>(r.block));
        double special = c;
        constexpr int kNone = -10000;  // no addend but zeros
        int top = kNone;
        if (c != 0 && std::isfinite(c)) top = exponent(c, 0x1p-126);
        for (std::size_t k = first; k < last; ++k) {
            if (!std::isfinite(x[k]) || !std::isfinite(y[k])) {
                special += x[k] * y[k];
            } else if (x[k] * y[k] != 0) {
                top = std::max(top, exponent(x[k], least) + exponent(y[k], least));
            }
        }
        if (!std::isfinite(special)) {
            c = static_cast<float>(special);
            continue;
        }
        const double unit = top == kNone ? 1.0 : std::ldexp(1.0, top - 23 - r.extra_bits);
        double sum = std::trunc(c / unit);
        for (std::size_t k = first; k < last; ++k) sum += std::trunc(x[k] * y[k] / unit);
        sum *= unit;
        auto result = static_cast<float>(sum);
        if (r.truncate && std::abs(static_cast<double>(result)) > std::abs(sum) && std::isfinite(result))
            result = std::nextafter(result, 0.0f);
        c = sum == 0 ? 0.0f : result;
    }
    return c;
}

// Numbers that make alignment, cancellation, subnormals and specials visible.
template <class T>
T crafted(test::Random& random, int kind) {
    const float sign = random.chance(50) ? 1.0f : -1.0f;
    if (kind == 0) return from_f32<T>(sign * std::ldexp(1.0f, random.between(-14, 0)));
    if (kind == 1) return from_f32<T>(sign * static_cast<float>(1 + random.uniform()) * std::ldexp(1.0f, random.between(-8, 8)));
    if (kind == 2) return from_f32<T>(sign * std::ldexp(static_cast<float>(random.between(0, 1023)), -24));  // fp16 subnormals
    if (kind == 3) return from_f32<T>(random.chance(10) ? sign * INFINITY : random.chance(5) ? NAN : sign);
    return from_f32<T>(random.chance(50) ? 0.0f : sign * 60000.0f);
}

template <class T>
void check_rounding() {
    constexpr double kLeast = std::is_same_v<T, f16> ? 0x1p-14 : 0x1p-126;
    test::Random random(11);
    std::uint64_t checked = 0, wrong = 0, cut = 0;
    for (const int block : {4, 8, 16}) {
        for (const int extra_bits : {0, 1, 2, 3}) {
            for (const bool truncate : {false, true}) {
                const simt::MmaRounding rule{block, extra_bits, truncate};
                for (int round = 0; round < 5; ++round) {
                    Product<T, 1, 1> p;
                    for (auto& row : p.a)
                        for (T& v : row) v = crafted<T>(random, round);
                    for (auto& row : p.b)
                        for (T& v : row) v = crafted<T>(random, round);
                    for (auto& row : p.d)
                        for (float& v : row) v = random.chance(30) ? 1.0f : static_cast<float>(random.uniform() - 0.5);
                    const auto before = p;
                    CHECK(p.run({.mma = rule}).empty());
                    for (int m = 0; m < 16; ++m) {
                        for (int n = 0; n < 8; ++n) {
                            std::vector<double> x, y;
                            double exact = before.d[m][n];
                            for (int k = 0; k < p.kDepth; ++k) {
                                x.push_back(to_f32(before.a[m][k]));
                                y.push_back(to_f32(before.b[k][n]));
                                exact += x.back() * y.back();
                            }
                            const float want = expected_sum(rule, x, y, kLeast, before.d[m][n]);
                            const bool same = std::isnan(want) ? std::isnan(p.d[m][n]) : p.d[m][n] == want;
                            ++checked;
                            wrong += same ? 0 : 1;
                            cut += want == static_cast<float>(exact) ? 0 : 1;
                        }
                    }
                }
            }
        }
    }
    CHECK(wrong == 0);
    CHECK(cut > checked / 20);  // the vectors do show the rule
}

}  // namespace

JCUCONV_TEST(mma_of_integers_is_exact) {
    for (const simt::MmaRounding rounding : {simt::MmaRounding{}, {4, 0, true}, {8, 1, true}, {16, 2, false}}) {
        check_integers<f16>({.seed = 5, .mma = rounding});
        check_integers<bf16>({.mma = rounding});
        check_integers<tf32>({.mma = rounding});
    }
}

JCUCONV_TEST(mma_m16n8k8_is_the_lower_half_of_the_depth) {
    int wrong = 0;
    const auto error = test::run_kernel(
        [&] {
            const int g = thread_index() / 4, t = thread_index() % 4;
            const auto pair = [](int x, int y) {
                return bits_of(from_f32<f16>(static_cast<float>(x))) | bits_of(from_f32<f16>(static_cast<float>(y))) << 16;
            };
            // a = 8 row + k, b = k - column
            const std::uint32_t a[2] = {pair(8 * g + 2 * t, 8 * g + 2 * t + 1), pair(8 * g + 64 + 2 * t, 8 * g + 65 + 2 * t)};
            const std::uint32_t b[1] = {pair(2 * t - g, 2 * t + 1 - g)};
            float d[4] = {1, 2, 3, 4};
            mma_m16n8k8(d, a, b);
            for (int e = 0; e < 4; ++e) {
                int sum = e + 1;
                for (int k = 0; k < 8; ++k) sum += (8 * (g + e / 2 * 8) + k) * (k - 2 * t - e % 2);
                wrong += d[e] == static_cast<float>(sum) ? 0 : 1;
            }
        },
        32);
    CHECK(error.empty());
    CHECK(wrong == 0);
}

JCUCONV_TEST(mma_rounds_by_its_parameters) {
    check_rounding<f16>();
    check_rounding<bf16>();
    check_rounding<tf32>();
}

// 1 + 2^-i summed under each rule, with results worked out by hand.
JCUCONV_TEST(mma_cuts_off_what_lies_below_the_largest_addend) {
    const auto one_plus = [](const simt::MmaRounding& rule, int i, int times) {
        std::uint32_t a[16] = {}, b[16] = {};
        for (int k = 0; k < times; ++k) {
            a[k] = bits_of(from_f32<f16>(std::ldexp(1.0f, -i / 2)));
            b[k] = bits_of(from_f32<f16>(std::ldexp(1.0f, -(i - i / 2))));
        }
        return simt::mma_element(rule, simt::MmaType::kF16, a, b, 16, 1.0f);
    };
    constexpr float kUlp = 0x1p-23f;
    CHECK(one_plus({16, 0, true}, 23, 1) == 1.0f + kUlp);
    CHECK(one_plus({16, 0, true}, 24, 16) == 1.0f);             // each half ulp is lost on its own
    CHECK(one_plus({16, 1, true}, 24, 16) == 1.0f + 8 * kUlp);  // one extra bit keeps them
    CHECK(one_plus({4, 1, true}, 24, 3) == 1.0f + kUlp);        // and the odd one is cut off at the end
    CHECK(one_plus({4, 1, false}, 24, 3) == 1.0f + 2 * kUlp);   // or rounded: a tie, to even
    CHECK(one_plus({1, 1, false}, 24, 2) == 1.0f);              // block by block each tie falls back to 1
    CHECK(one_plus({}, 24, 1) == 1.0f && one_plus({}, 24, 3) == 1.0f + 2 * kUlp);
    CHECK(one_plus({}, 30, 16) == 1.0f);
    CHECK(std::isinf(simt::mma_element({1, 0, true}, simt::MmaType::kBf16, std::vector{0x7F7Fu}.data(),
                                       std::vector{0x7F7Fu}.data(), 1, 0.0f)));
}

JCUCONV_TEST(mma_in_half_a_warp_is_an_error) {
    const auto error = test::run_kernel(
        [] {
            float d[4] = {};
            if (thread_index() < 16) mma<f16>(d, {0, 0, 0, 0}, {0, 0});
        },
        32);
    CHECK_CONTAINS(error, "deadlock, no thread can run");
    CHECK_CONTAINS(error, "threads 0-15 waiting at mma_test.cpp:");
    CHECK_CONTAINS(error, "in mma of warp 0 (16 of 32 lanes arrived)");
    CHECK_CONTAINS(error, "threads 16-31 returned");
}

JCUCONV_TEST(tf32_rounds_ties_away_and_keeps_specials) {
    CHECK(from_f32<tf32>(1.0f + 0x1p-11f).bits == 0x3F802000u);
    CHECK(from_f32<tf32>(-1.0f - 0x1p-11f).bits == 0xBF802000u);
    CHECK(from_f32<tf32>(1.0f + 0x1p-12f).bits == 0x3F800000u);
    CHECK(std::isinf(to_f32(from_f32<tf32>(std::numeric_limits<float>::max()))));
    CHECK(to_f32(from_f32<tf32>(-INFINITY)) == -INFINITY);
    CHECK(std::isnan(to_f32(from_f32<tf32>(NAN))));
}
