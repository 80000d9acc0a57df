// Elementary functions on a fixed grid. Rows hold arguments and result, so that a comparison needs nothing else.
#include "conformance/bits.h"

namespace jcuconv::conformance {

namespace {

constexpr int kPoints = 256;

// Arguments x of both signs and many magnitudes, and a second one in -4..4; specials at the end.
std::vector<std::uint32_t> grid() {
    std::vector<std::uint32_t> words;
    const std::uint32_t specials[] = {0x00000000u, 0x80000000u, 0x7F800000u, 0xFF800000u, 0x7FC00000u, 0x00000001u, 0x3F800000u, 0xBF800000u};
    for (std::uint32_t i = 0; i < kPoints; ++i) {
        const std::uint32_t exponent = 127 - 12 + i % 19, fraction = i * 2654435761u >> 9, sign = i % 3 == 0 ? 1u : 0u;
        words.push_back(i < kPoints - 8 ? sign << 31 | exponent << 23 | fraction : specials[i - (kPoints - 8)]);
        const float second = static_cast<float>(static_cast<int>(i * 40503u >> 4 & 0xFFFFu) - 0x8000) / 8192.0f;
        std::uint32_t bits;
        std::memcpy(&bits, &second, sizeof bits);
        words.push_back(bits);
    }
    return words;
}

enum Function { kExp, kLog, kTanh, kSqrt, kPow };

template <int kFunction>
JCUCONV_KERNEL(kPoints)
function_kernel(const std::uint32_t* in, std::uint64_t* out) {
    const int t = thread_index();
    const auto x = value_from<float>(load_global(in + 2 * t)), y = value_from<float>(load_global(in + 2 * t + 1));
    float result = 0.0f;
    if constexpr (kFunction == kExp) result = exp_f32(x);
    if constexpr (kFunction == kLog) result = log_f32(x);
    if constexpr (kFunction == kTanh) result = tanh_f32(x);
    if constexpr (kFunction == kSqrt) result = sqrt_f32(x);
    if constexpr (kFunction == kPow) result = pow_f32(x, y);
    store_global(out + 3 * t, bits_of(x));
    store_global(out + 3 * t + 1, bits_of(y));
    store_global(out + 3 * t + 2, bits_of(result));
}

JCUCONV_KERNEL(kPoints)
pow_f64_kernel(const std::uint32_t* in, std::uint64_t* out) {
    const int t = thread_index();
    const double x = value_from<float>(load_global(in + 2 * t)), y = value_from<float>(load_global(in + 2 * t + 1));
    store_global(out + 3 * t, bits_of(x));
    store_global(out + 3 * t + 1, bits_of(y));
    store_global(out + 3 * t + 2, bits_of(pow_f64(x, y)));
}

template <int kFunction>
Outcome evaluate(const std::uint32_t* in, std::uint64_t* out, int) {
    return launch("function", &function_kernel<kFunction>, Dim3{1, 1, 1}, kPoints, 0, nullptr, in, out);
}

Outcome evaluate_f64(const std::uint32_t* in, std::uint64_t* out, int) {
    return launch("pow_f64", &pow_f64_kernel, Dim3{1, 1, 1}, kPoints, 0, nullptr, in, out);
}

const Kernel kKernels[] = {
    {"exp_f32", Type::kF32, kPoints, 3, &grid, &evaluate<kExp>},   {"log_f32", Type::kF32, kPoints, 3, &grid, &evaluate<kLog>},
    {"tanh_f32", Type::kF32, kPoints, 3, &grid, &evaluate<kTanh>}, {"sqrt_f32", Type::kF32, kPoints, 3, &grid, &evaluate<kSqrt>},
    {"pow_f32", Type::kF32, kPoints, 3, &grid, &evaluate<kPow>},   {"pow_f64", Type::kF64, kPoints, 3, &grid, &evaluate_f64},
};

}  // namespace

std::span<const Kernel> function_kernels() { return kKernels; }

}  // namespace jcuconv::conformance
