// The crafted sums of rounding.h, each by one mma.
#include "conformance/bits.h"
#include "conformance/rounding.h"

namespace jcuconv::conformance {

namespace {

// The input as rounding.h lays it out, brought into registers by the layouts of the PTX manual; layout_kernels.cu tests those.
template <class T>
JCUCONV_KERNEL(32)
rounding_kernel(const std::uint32_t* in, std::uint64_t* out) {
    const int product = static_cast<int>(block_index().x), lane = thread_index();
    constexpr int kElements = (16 + 8) * 16 + 16 * 8, kPack = sizeof(T) == 2 ? 2 : 1;
    const std::uint32_t* a_in = in + product * kElements;
    const std::uint32_t* b_in = a_in + 16 * 16;
    const std::uint32_t* c_in = b_in + 8 * 16;
    std::uint64_t* to = out + product * 16 * 8;
    const int g = lane / 4, t = lane % 4;
    if constexpr (!has_mma<T>()) {
        for (int i = 0; i < 4; ++i) store_global(to + 4 * lane + i, absent());
    } else {
        std::uint32_t a[4], b[2];
        float d[4];
        const auto load = [&](const std::uint32_t* row, int k) {
            std::uint32_t bits = load_global(row + k);
            if constexpr (kPack == 2) bits |= load_global(row + k + 1) << 16;
            return bits;
        };
        for (int r = 0; r < 4; ++r) a[r] = load(a_in + (g + r % 2 * 8) * 16, kPack * t + r / 2 * 4 * kPack);
        for (int r = 0; r < 2; ++r) b[r] = load(b_in + g * 16, kPack * t + r * 4 * kPack);
        for (int e = 0; e < 4; ++e) d[e] = value_from<float>(load_global(c_in + (g + e / 2 * 8) * 8 + 2 * t + e % 2));
        mma<T>(d, a, b);
        for (int e = 0; e < 4; ++e) store_global(to + (g + e / 2 * 8) * 8 + 2 * t + e % 2, bits_of(d[e]));
    }
}

template <class T>
Outcome round(const std::uint32_t* in, std::uint64_t* out, int) {
    return launch("rounding", &rounding_kernel<T>, Dim3{kRoundingProducts, 1, 1}, 32, 0, nullptr, in, out);
}

template <simt::MmaType kType>
std::vector<std::uint32_t> vectors() {
    const auto products = rounding_products(kType);
    static_assert(sizeof(RoundingProduct) % sizeof(std::uint32_t) == 0);
    std::vector<std::uint32_t> words(products.size() * sizeof(RoundingProduct) / sizeof(std::uint32_t));
    std::memcpy(words.data(), products.data(), words.size() * sizeof(std::uint32_t));
    return words;
}

const Kernel kKernels[] = {
    {"rounding_f16", Type::kF32, kRoundingProducts * 16, 8, &vectors<simt::MmaType::kF16>, &round<f16>},
    {"rounding_bf16", Type::kF32, kRoundingProducts * 16, 8, &vectors<simt::MmaType::kBf16>, &round<bf16>},
    {"rounding_tf32", Type::kF32, kRoundingProducts * 16, 8, &vectors<simt::MmaType::kTf32>, &round<tf32>},
};

}  // namespace

std::span<const Kernel> rounding_kernels() { return kKernels; }

}  // namespace jcuconv::conformance
