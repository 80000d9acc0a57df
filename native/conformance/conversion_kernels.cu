// from_f32 and to_f32 of every storage type.
#include "conformance/bits.h"

namespace jcuconv::conformance {

namespace {

// Exponents at the edges of fp16, bf16 and fp32, each with fractions at and beside the ties of the three narrower types.
std::vector<std::uint32_t> crafted_f32() {
    std::vector<std::uint32_t> list;
    std::vector<std::uint32_t> exponents = {0, 1, 2, 63, 126, 127, 128, 200, 252, 253, 254, 255};
    for (std::uint32_t e = 98; e <= 116; ++e) exponents.push_back(e);   // subnormals of fp16
    for (std::uint32_t e = 139; e <= 144; ++e) exponents.push_back(e);  // and its largest numbers
    const std::uint32_t ulps[] = {1u << 13, 1u << 16};  // of fp16 and tf32, of bf16
    for (const std::uint32_t exponent : exponents) {
        std::vector<std::uint32_t> fractions = {0, 1, 0x400000, 0x7FFFFF, 0x2AAAAA};
        for (const std::uint32_t ulp : ulps)
            for (const std::uint32_t base : {0u, ulp, 0x800000u - ulp})
                for (const int beside : {-1, 0, 1})
                    fractions.push_back((base + ulp / 2 + static_cast<std::uint32_t>(beside)) & 0x7FFFFFu);
        for (const std::uint32_t fraction : fractions)
            for (const std::uint32_t sign : {0u, 1u}) list.push_back(sign << 31 | exponent << 23 | fraction);
    }
    return list;
}

constexpr int kCrafted = (12 + 19 + 6) * (5 + 18) * 2;

// Every 23rd pattern of 16 bits.
std::vector<std::uint32_t> sampled_16_bits() {
    std::vector<std::uint32_t> list;
    for (std::uint32_t bits = 0; bits < 0x10000u; bits += 23) list.push_back(bits);
    return list;
}

constexpr int kSampled = (0x10000 + 22) / 23;

template <class T>
JCUCONV_KERNEL(128)
narrow_kernel(const std::uint32_t* in, std::uint64_t* out, int count) {
    const int i = static_cast<int>(block_index().x) * 128 + thread_index();
    if (i >= count) return;
    if constexpr (std::is_same_v<T, tf32> && !has_mma<T>()) {
        store_global(out + i, absent());
    } else {
        store_global(out + i, bits_of(from_f32<T>(value_from<float>(load_global(in + i)))));
    }
}

template <class T>
JCUCONV_KERNEL(128)
widen_kernel(const std::uint32_t* in, std::uint64_t* out, int count) {
    const int i = static_cast<int>(block_index().x) * 128 + thread_index();
    if (i >= count) return;
    T value;
    const auto bits = static_cast<std::uint16_t>(load_global(in + i));
    std::memcpy(&value, &bits, sizeof bits);
    store_global(out + i, bits_of(to_f32(value)));
}

Dim3 blocks(int count) { return {static_cast<unsigned>((count + 127) / 128), 1, 1}; }

template <class T>
Outcome narrow(const std::uint32_t* in, std::uint64_t* out, int count) {
    return launch("narrow", &narrow_kernel<T>, blocks(count), 128, 0, nullptr, in, out, count);
}

template <class T>
Outcome widen(const std::uint32_t* in, std::uint64_t* out, int count) {
    return launch("widen", &widen_kernel<T>, blocks(count), 128, 0, nullptr, in, out, count);
}

const Kernel kKernels[] = {
    {"from_f32_to_f16", Type::kF16, kCrafted / 2, 2, &crafted_f32, &narrow<f16>},
    {"from_f32_to_bf16", Type::kBf16, kCrafted / 2, 2, &crafted_f32, &narrow<bf16>},
    {"from_f32_to_tf32", Type::kTf32, kCrafted / 2, 2, &crafted_f32, &narrow<tf32>},
    {"to_f32_from_f16", Type::kF32, kSampled, 1, &sampled_16_bits, &widen<f16>},
    {"to_f32_from_bf16", Type::kF32, kSampled, 1, &sampled_16_bits, &widen<bf16>},
};

}  // namespace

std::span<const Kernel> conversion_kernels() { return kKernels; }

}  // namespace jcuconv::conformance
