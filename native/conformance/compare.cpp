#include "conformance/compare.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <iterator>

#include "conformance/rounding.h"

namespace jcuconv::conformance {

namespace {

bool same(Type type, std::uint64_t a, std::uint64_t b) {
    if (a == b) return true;
    const bool floating = type != Type::kU16 && type != Type::kU32;
    return floating && a != kAbsent && b != kAbsent && std::isnan(value_of(type, a)) && std::isnan(value_of(type, b));
}

std::string at(const Dump& dump, std::size_t i) {
    const auto columns = static_cast<std::size_t>(dump.columns);
    return "row " + std::to_string(i / columns) + ", column " + std::to_string(i % columns);
}

Verdict compare_bits(const Dump& gpu, const Dump& emulated) {
    std::size_t wrong = 0, first = 0;
    for (std::size_t i = 0; i < gpu.bits.size(); ++i)
        if (!same(gpu.type, gpu.bits[i], emulated.bits[i]) && wrong++ == 0) first = i;
    if (wrong == 0) return {true, "same bits"};
    return {false, std::to_string(wrong) + " of " + std::to_string(gpu.bits.size()) + " elements differ, first at " + at(gpu, first)};
}

// Largest error that we rely on, in units in the last place: what NVIDIA's programming guide states, and the C library keeps too.
struct Function {
    const char* name;
    double ulps;
    long double (*exact)(long double x, long double y);
};
constexpr Function kFunctions[] = {
    {"exp_f32", 2, [](long double x, long double) { return std::exp(x); }},
    {"log_f32", 2, [](long double x, long double) { return std::log(x); }},
    {"tanh_f32", 2, [](long double x, long double) { return std::tanh(x); }},
    {"sqrt_f32", 0.5, [](long double x, long double) { return std::sqrt(x); }},
    {"pow_f32", 4, [](long double x, long double y) { return std::pow(x, y); }},
    {"pow_f64", 2, [](long double x, long double y) { return std::pow(x, y); }},
};

// Distance from the exact result in units in the last place of the type; infinite where a special value is wrong.
long double error_in_ulps(Type type, long double exact, double value) {
    const bool wide = type == Type::kF64;
    const double rounded = wide ? static_cast<double>(exact) : static_cast<double>(static_cast<float>(exact));
    if (std::isnan(rounded)) return std::isnan(value) ? 0 : HUGE_VALL;
    if (std::isinf(rounded)) return value == rounded ? 0 : HUGE_VALL;
    if (!std::isfinite(value)) return HUGE_VALL;
    const int least = wide ? -1022 : -126, fraction = wide ? 52 : 23;
    const int exponent = exact == 0 ? least : std::max(least, std::ilogb(exact));
    return std::abs(value - exact) / std::ldexp(1.0L, exponent - fraction);
}

Verdict compare_function(const Function& function, const Dump& gpu, const Dump& emulated) {
    char text[160];
    long double largest[2] = {};
    int dump_index = 0;
    for (const Dump* dump : {&gpu, &emulated}) {
        for (std::size_t i = 0; i + 2 < dump->bits.size(); i += 3) {
            if (!same(gpu.type, gpu.bits[i], emulated.bits[i]) || !same(gpu.type, gpu.bits[i + 1], emulated.bits[i + 1]))
                return {false, "the arguments differ at " + at(gpu, i)};
            const long double exact = function.exact(value_of(dump->type, dump->bits[i]), value_of(dump->type, dump->bits[i + 1]));
            largest[dump_index] = std::max(largest[dump_index], error_in_ulps(dump->type, exact, value_of(dump->type, dump->bits[i + 2])));
        }
        ++dump_index;
    }
    std::snprintf(text, sizeof text, "at most %.2Lf ulp from the exact result, the emulated device %.2Lf, allowed %.1f", largest[0],
                  largest[1], function.ulps);
    return {largest[0] <= function.ulps && largest[1] <= function.ulps, text};
}

struct RoundingName {
    const char* name;
    simt::MmaType type;
};
constexpr RoundingName kRoundings[] = {
    {"rounding_f16", simt::MmaType::kF16}, {"rounding_bf16", simt::MmaType::kBf16}, {"rounding_tf32", simt::MmaType::kTf32}};

std::string describe(const simt::MmaRounding& rule) {
    if (rule.block == 0) return "the exact sum, rounded once";
    return "blocks of " + std::to_string(rule.block) + " products, " + std::to_string(rule.extra_bits) + " extra bits, result " +
           (rule.truncate ? "cut off" : "rounded to nearest");
}

Verdict compare_rounding(simt::MmaType type, const Dump& gpu) {
    const Explanation found = explain(type, gpu);
    if (found.unexplained == 0) return {true, "explained by " + describe(found.rule)};
    const int sums = kRoundingProducts * 16 * 8, first = found.first_unexplained;
    return {false, "no rule explains it; the nearest, " + describe(found.rule) + ", misses " + std::to_string(found.unexplained) + " of " +
                       std::to_string(sums) + " sums, first product " + std::to_string(first / 128) + ", row " +
                       std::to_string(first / 8 % 16) + ", column " + std::to_string(first % 8)};
}

}  // namespace

Explanation explain(simt::MmaType type, const Dump& dump) {
    const auto products = rounding_products(type);
    const int depth = rounding_depth(type);
    Explanation best;
    best.unexplained = kRoundingProducts * 16 * 8 + 1;
    const auto attempt = [&](const simt::MmaRounding& rule) {
        Explanation tried{rule, 0, 0};
        for (int i = 0; i < kRoundingProducts * 16 * 8; ++i) {
            const RoundingProduct& p = products[static_cast<std::size_t>(i / 128)];
            const int row = i / 8 % 16, column = i % 8;
            const float sum = simt::mma_element(rule, type, p.a[row], p.b[column], depth, std::bit_cast<float>(p.c[row][column]));
            if (same(Type::kF32, std::bit_cast<std::uint32_t>(sum), dump.bits[static_cast<std::size_t>(i)])) continue;
            if (tried.unexplained++ == 0) tried.first_unexplained = i;
        }
        if (tried.unexplained < best.unexplained) best = tried;
    };
    for (int block = 1; block <= depth; block *= 2)
        for (int extra_bits = 0; extra_bits <= 6; ++extra_bits)
            for (const bool truncate : {true, false}) attempt({block, extra_bits, truncate});
    attempt({});
    return best;
}

Verdict compare(const Dump& gpu, const Dump& emulated) {
    if (gpu.name != emulated.name || gpu.type != emulated.type || gpu.columns != emulated.columns ||
        gpu.bits.size() != emulated.bits.size())
        return {false, "another name, type or shape: the golden file is older than the kernel"};
    if (gpu.absent()) return {true, "absent on this architecture"};
    const auto* function = std::find_if(std::begin(kFunctions), std::end(kFunctions), [&](const Function& f) { return gpu.name == f.name; });
    if (function != std::end(kFunctions)) return compare_function(*function, gpu, emulated);
    const auto* rounding = std::find_if(std::begin(kRoundings), std::end(kRoundings), [&](const RoundingName& r) { return gpu.name == r.name; });
    if (rounding != std::end(kRoundings)) return compare_rounding(rounding->type, gpu);
    return compare_bits(gpu, emulated);
}

}  // namespace jcuconv::conformance
