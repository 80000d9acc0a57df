// The whole pipeline of the sample kernel, on integers: copies, barriers, ldmatrix and mma together.
#include "conformance/bits.h"
#include "test/testing/async_gemm.h"

namespace jcuconv::conformance {

namespace {

constexpr int kM = 70, kN = 40, kK = 100;

template <class T>
std::uint32_t integer(int i) {  // -7..7 as an element; host code, so without the device's conversions
    const int v = i * 29 % 15 - 7;
    const float f = static_cast<float>(v);
    std::uint32_t bits;
    std::memcpy(&bits, &f, sizeof bits);
    if (std::is_same_v<T, tf32> || v == 0) return bits;
    if (std::is_same_v<T, bf16>) return bits >> 16;
    return (bits >> 16 & 0x8000u) | ((bits >> 23 & 0xFFu) - 112) << 10 | (bits >> 13 & 0x3FFu);
}

// a [kM][kK] and b [kN][kK] or [kK][kN], one behind the other, rows padded to 16 bytes with numbers that nobody may use.
template <class T>
constexpr int padded(int columns) {
    return (columns * static_cast<int>(sizeof(T)) + 15) / 16 * 16 / static_cast<int>(sizeof(T));
}

template <class T, bool kByRows>
std::vector<std::uint32_t> matrices() {
    constexpr int kBRows = kByRows ? kK : kN, kBColumns = kByRows ? kN : kK;
    const int elements = kM * padded<T>(kK) + kBRows * padded<T>(kBColumns);
    std::vector<std::uint32_t> words(static_cast<std::size_t>(elements) * sizeof(T) / 4);
    for (int i = 0; i < elements; ++i)
        words[static_cast<std::size_t>(i) * sizeof(T) / 4] |= integer<T>(i) << (sizeof(T) == 2 ? 16 * (i % 2) : 0);
    return words;
}

JCUCONV_KERNEL(128)
widen_results_kernel(const float* c, std::uint64_t* out, int count, bool cannot) {
    const int i = static_cast<int>(block_index().x) * 128 + thread_index();
    if (i < count) store_global(out + i, cannot ? absent() : bits_of(load_global(c + i)));
}

// What has_mma says on the device, asked without running a kernel that needs it.
template <class T>
JCUCONV_KERNEL(1)
can_kernel(std::uint32_t* answer) {
    store_global(answer, has_mma<T>() ? 1u : 0u);
}

template <class T, bool kByRows>
Outcome multiply_on(void* scratch, const std::uint32_t* in, std::uint64_t* out, int count) {
    std::uint32_t can = 0;
    JCUCONV_TRY(launch("can", &can_kernel<T>, Dim3{1, 1, 1}, 1, 0, nullptr, static_cast<std::uint32_t*>(scratch)));
    JCUCONV_TRY(device::copy(&can, scratch, sizeof can, device::Copy::kToHost, nullptr));
    JCUCONV_TRY(device::stream_synchronize(nullptr));
    auto* c = static_cast<float*>(scratch);
    const auto* a = reinterpret_cast<const T*>(in);
    const int a_pitch = padded<T>(kK), b_pitch = padded<T>(kByRows ? kN : kK);
    if (can != 0)
        JCUCONV_TRY((test::async_gemm<T, kByRows>({a, a + kM * a_pitch, c, kM, kN, kK, a_pitch, b_pitch}, nullptr)));
    const Dim3 blocks{static_cast<unsigned>((count + 127) / 128), 1, 1};
    JCUCONV_TRY(launch("widen_results", &widen_results_kernel, blocks, 128, 0, nullptr, c, out, count, can == 0));
    return device::stream_synchronize(nullptr);
}

template <class T, bool kByRows>
Outcome multiply(const std::uint32_t* in, std::uint64_t* out, int count) {
    void* scratch = nullptr;
    JCUCONV_TRY(device::allocate(static_cast<std::size_t>(count) * sizeof(float), &scratch));
    Outcome outcome = multiply_on<T, kByRows>(scratch, in, out, count);
    const Outcome released = device::release(scratch);
    return outcome.ok() ? released : outcome;
}

const Kernel kKernels[] = {
    {"gemm_f16", Type::kF32, kM, kN, &matrices<f16, false>, &multiply<f16, false>},
    {"gemm_f16_by_rows", Type::kF32, kM, kN, &matrices<f16, true>, &multiply<f16, true>},
    {"gemm_bf16", Type::kF32, kM, kN, &matrices<bf16, false>, &multiply<bf16, false>},
    {"gemm_bf16_by_rows", Type::kF32, kM, kN, &matrices<bf16, true>, &multiply<bf16, true>},
    {"gemm_tf32", Type::kF32, kM, kN, &matrices<tf32, false>, &multiply<tf32, false>},
};

}  // namespace

std::span<const Kernel> gemm_kernels() { return kKernels; }

}  // namespace jcuconv::conformance
