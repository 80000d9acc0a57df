// ldmatrix and mma as functions of registers: no layout is assumed here, lanes and registers are only numbered. Small integers, so that
// every sum is exact whatever the rounding.
#include "conformance/bits.h"

namespace jcuconv::conformance {

namespace {

constexpr int kLanes = 32;

struct Matrices {
    alignas(16) std::uint16_t v[32][8];
};

// Each lane names another row than its own number: 5 l mod 32. A row of the dump is a lane.
template <int kCount, bool kTransposed>
JCUCONV_KERNEL(kLanes)
ldmatrix_kernel(std::uint64_t* out) {
    auto& s = shared<Matrices>();
    const int l = thread_index();
    for (int i = 0; i < 8; ++i) s.v[l][i] = static_cast<std::uint16_t>(256 * l + i + 1);
    sync_threads();
    std::uint32_t r[kCount];
    if constexpr (kTransposed) {
        ldmatrix_trans(r, s.v[5 * l % 32]);
    } else {
        ldmatrix(r, s.v[5 * l % 32]);
    }
    for (int i = 0; i < kCount; ++i) store_global(out + kCount * l + i, std::uint64_t{r[i]});
}

template <int kCount, bool kTransposed>
Outcome matrices(const std::uint32_t*, std::uint64_t* out, int) {
    return launch("ldmatrix", &ldmatrix_kernel<kCount, kTransposed>, Dim3{1, 1, 1}, kLanes, sizeof(Matrices), nullptr, out);
}

// An operand register of lane l: integers that tell lanes, registers and halves apart.
template <class T>
JCUCONV_DEVICE std::uint32_t operand(int lane, int r, int salt) {
    const auto element = [=](int half) { return from_f32<T>(static_cast<float>((lane * 37 + r * 11 + half * 5 + salt) % 31 - 15)); };
    if constexpr (sizeof(T) == 2) {
        return static_cast<std::uint32_t>(bits_of(element(0)) | bits_of(element(1)) << 16);
    } else {
        return static_cast<std::uint32_t>(bits_of(element(0)));
    }
}

template <class T>
JCUCONV_KERNEL(kLanes)
mma_kernel(std::uint64_t* out) {
    constexpr int kRows = 2, kColumns = 3;
    const int l = thread_index();
    if constexpr (!has_mma<T>()) {
        for (int i = 0; i < 4 * kRows * kColumns; ++i) store_global(out + 4 * kRows * kColumns * l + i, absent());
    } else {
        std::uint32_t a[kRows][4], b[kColumns][2];
        float d[kRows][kColumns][4];
        for (int i = 0; i < kRows; ++i)
            for (int r = 0; r < 4; ++r) a[i][r] = operand<T>(l, r, 3 * i);
        for (int j = 0; j < kColumns; ++j)
            for (int r = 0; r < 2; ++r) b[j][r] = operand<T>(l, r, 7 * j + 2);
        for (int i = 0; i < kRows; ++i)
            for (int j = 0; j < kColumns; ++j)
                for (int e = 0; e < 4; ++e) d[i][j][e] = static_cast<float>(100 * l + 10 * e + i + j);
        warp_mma<T>(d, a, b);
        for (int i = 0; i < kRows; ++i)
            for (int j = 0; j < kColumns; ++j)
                for (int e = 0; e < 4; ++e)
                    store_global(out + ((l * kRows + i) * kColumns + j) * 4 + e, bits_of(d[i][j][e]));
    }
}

template <class T>
Outcome multiply(const std::uint32_t*, std::uint64_t* out, int) {
    return launch("mma", &mma_kernel<T>, Dim3{1, 1, 1}, kLanes, 0, nullptr, out);
}

JCUCONV_KERNEL(kLanes)
mma_half_kernel(std::uint64_t* out) {
    const int l = thread_index();
    const std::uint32_t a[2] = {operand<f16>(l, 0, 1), operand<f16>(l, 1, 1)}, b[1] = {operand<f16>(l, 0, 4)};
    float d[4] = {1.0f, 2.0f, 3.0f, static_cast<float>(l)};
    mma_m16n8k8(d, a, b);
    for (int e = 0; e < 4; ++e) store_global(out + 4 * l + e, bits_of(d[e]));
}

Outcome multiply_half(const std::uint32_t*, std::uint64_t* out, int) {
    return launch("mma_m16n8k8", &mma_half_kernel, Dim3{1, 1, 1}, kLanes, 0, nullptr, out);
}

const Kernel kKernels[] = {
    {"ldmatrix_x1", Type::kU32, kLanes, 1, nullptr, &matrices<1, false>},
    {"ldmatrix_x2", Type::kU32, kLanes, 2, nullptr, &matrices<2, false>},
    {"ldmatrix_x4", Type::kU32, kLanes, 4, nullptr, &matrices<4, false>},
    {"ldmatrix_x1_trans", Type::kU32, kLanes, 1, nullptr, &matrices<1, true>},
    {"ldmatrix_x2_trans", Type::kU32, kLanes, 2, nullptr, &matrices<2, true>},
    {"ldmatrix_x4_trans", Type::kU32, kLanes, 4, nullptr, &matrices<4, true>},
    {"mma_f16", Type::kF32, kLanes, 24, nullptr, &multiply<f16>},
    {"mma_bf16", Type::kF32, kLanes, 24, nullptr, &multiply<bf16>},
    {"mma_tf32", Type::kF32, kLanes, 24, nullptr, &multiply<tf32>},
    {"mma_m16n8k8_f16", Type::kF32, kLanes, 4, nullptr, &multiply_half},
};

}  // namespace

std::span<const Kernel> layout_kernels() { return kKernels; }

}  // namespace jcuconv::conformance
