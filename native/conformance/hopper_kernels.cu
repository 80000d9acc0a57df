// What sm_90a adds: mbarriers, TMA, wgmma. Other architectures write nothing, which is dumped as absent.
#include "conformance/bits.h"
#include "test/testing/hopper_gemm.h"

namespace jcuconv::conformance {

namespace {

constexpr int kThreads = 128;

JCUCONV_KERNEL(1) absent_kernel(std::uint64_t* out, int elements) {
    for (int i = 0; i < elements; ++i) store_global(out + i, absent());
}

// Elsewhere drivers refuse tensor maps, so the host decides.
bool here() { return device::architecture() == 90; }

Outcome write_absent(std::uint64_t* out, int elements) {
    return launch("absent", &absent_kernel, Dim3{1, 1, 1}, 1, 0, nullptr, out, elements);
}

// fp16 of small integers that repeat with a long period, so that a wrong place shows.
std::vector<std::uint32_t> small_numbers() {
    std::vector<std::uint32_t> words(1 << 15);
    constexpr std::uint16_t kHalves[] = {0x3C00, 0x4000, 0x4200, 0xBC00, 0xC000, 0x0000, 0x4400};  // 1 2 3 -1 -2 0 4
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::size_t a = 2 * i, b = 2 * i + 1;
        words[i] = kHalves[a * a / 5 % 7] | std::uint32_t{kHalves[(b * b / 5 + b / 131) % 7]} << 16;
    }
    return words;
}

// Every 16-bit number once.
std::vector<std::uint32_t> counting() {
    std::vector<std::uint32_t> words(1 << 15);
    for (std::uint32_t i = 0; i < words.size(); ++i) words[i] = (2 * i) | (2 * i + 1) << 16;
    return words;
}

struct PhaseShared {
    alignas(8) Mbarrier full, empty;
    int value;
};

// Values handed over phase by phase; a parity that is read the wrong way round hangs or repeats one.
JCUCONV_KERNEL(64) phases_kernel(std::uint64_t* out) {
    if constexpr (has_hopper()) {
        auto& s = shared<PhaseShared>();
        if (thread_index() == 0) {
            mbar_init(s.full, 1);
            mbar_init(s.empty, 32);
            fence_mbar_init();
        }
        sync_threads();
        for (unsigned i = 0; i < 8; ++i) {
            if (thread_index() == 32) {
                mbar_wait(s.empty, (i & 1u) ^ 1u);
                s.value = static_cast<int>(7 * i + 3);
                mbar_arrive(s.full);
            } else if (thread_index() < 32) {
                mbar_wait(s.full, i & 1u);
                store_global(out + i * 32 + static_cast<unsigned>(thread_index()), static_cast<std::uint64_t>(s.value));
                mbar_arrive(s.empty);
            }
        }
    }
}

Outcome phases(const std::uint32_t*, std::uint64_t* out, int elements) {
    if (!here()) return write_absent(out, elements);
    return launch("phases", &phases_kernel, Dim3{1, 1, 1}, 64, sizeof(PhaseShared), nullptr, out);
}

struct BoxShared {
    alignas(1024) std::uint16_t box[4096];
    alignas(8) Mbarrier full;
};

JCUCONV_DEVICE void await_box(BoxShared& s, unsigned phase, std::uint64_t* out, int elements) {
    mbar_wait(s.full, phase);
    for (int i = thread_index(); i < elements; i += kThreads) store_global(out + i, std::uint64_t{s.box[i]});
    sync_threads();
}

// Three boxes of eight rows: inside, over the far edges, over the near ones.
JCUCONV_KERNEL(kThreads) boxes_kernel(const JCUCONV_GRID_CONSTANT TensorMap map, int across, std::uint64_t* out) {
    if constexpr (has_hopper()) {
        auto& s = shared<BoxShared>();
        if (thread_index() == 0) {
            mbar_init(s.full, 1);
            fence_mbar_init();
        }
        sync_threads();
        for (int i = 0; i < 3; ++i) {
            if (thread_index() == 0) {
                mbar_expect(s.full, 16 * across);
                tma_load(s.box, map, s.full, {i == 0 ? 8 : i == 1 ? 56 : -8, i == 0 ? 2 : i == 1 ? 9 : -3});
            }
            await_box(s, static_cast<unsigned>(i) & 1u, out + i * 8 * across, 8 * across);
        }
    }
}

template <Swizzle kSwizzle, int kAcross>
Outcome boxes(const std::uint32_t* in, std::uint64_t* out, int elements) {
    if (!here()) return write_absent(out, elements);
    TensorMap map;
    const std::uint64_t extent[] = {70, 13}, stride[] = {160};
    const std::uint32_t box[] = {kAcross, 8};
    JCUCONV_TRY(map_tiled<f16>(map, in, 2, extent, stride, box, kSwizzle));
    return launch("boxes", &boxes_kernel, Dim3{1, 1, 1}, kThreads, sizeof(BoxShared), nullptr, map, kAcross, out);
}

// The patches of a convolution, all taps of a 3 x 2 window: four different pads, unequal strides and dilations. The order in which corners
// and strides are given is what manuals contradict each other about.
struct Image {
    static constexpr int kN = 2, kH = 7, kW = 9, kC = 24, kR = 3, kS = 2, kTop = 1, kLeft = 2, kBottom = 3, kRight = 0, kStrideH = 2, kStrideW = 1,
                         kDilationH = 1, kDilationW = 3, kPixels = 32, kChannels = 16;
};

JCUCONV_KERNEL(kThreads) patches_kernel(const JCUCONV_GRID_CONSTANT TensorMap map, std::uint64_t* out) {
    if constexpr (has_hopper()) {
        using I = Image;
        auto& s = shared<BoxShared>();
        if (thread_index() == 0) {
            mbar_init(s.full, 1);
            fence_mbar_init();
        }
        sync_threads();
        for (int tap = 0; tap < I::kR * I::kS; ++tap) {
            if (thread_index() == 0) {
                mbar_expect(s.full, I::kPixels * I::kChannels * 2);
                tma_load_im2col(s.box, map, s.full, {tap % 2 * 16, 3 * I::kStrideW - I::kLeft, 1 * I::kStrideH - I::kTop, 0},
                                {tap % I::kS * I::kDilationW, tap / I::kS * I::kDilationH});
            }
            await_box(s, static_cast<unsigned>(tap) & 1u, out + tap * I::kPixels * I::kChannels, I::kPixels * I::kChannels);
        }
    }
}

Outcome patches(const std::uint32_t* in, std::uint64_t* out, int elements) {
    if (!here()) return write_absent(out, elements);
    using I = Image;
    TensorMap map;
    constexpr std::uint64_t kPitch = I::kC * 2;
    const std::uint64_t extent[] = {I::kC, I::kW, I::kH, I::kN}, stride[] = {kPitch, kPitch * I::kW, kPitch * I::kW * I::kH};
    const int lower[] = {-I::kLeft, -I::kTop}, upper[] = {I::kRight - (I::kS - 1) * I::kDilationW, I::kBottom - (I::kR - 1) * I::kDilationH};
    const std::uint32_t traversal[] = {1, I::kStrideW, I::kStrideH, 1};
    JCUCONV_TRY(map_im2col<f16>(map, in, 4, extent, stride, lower, upper, I::kChannels, I::kPixels, traversal, Swizzle::k32));
    return launch("patches", &patches_kernel, Dim3{1, 1, 1}, kThreads, sizeof(BoxShared), nullptr, map, out);
}

struct ProductShared {
    alignas(1024) std::uint32_t a[2048], b[4096];
};

// Both operands are the same words as they come: what the sums are says which element the tensor core took from where.
template <class T, int kColumns, Major kA, Major kB, Swizzle kSwizzle>
JCUCONV_KERNEL(kThreads)
product_kernel(const std::uint32_t* in, std::uint64_t* out) {
    if constexpr (has_hopper()) {
        auto& s = shared<ProductShared>();
        for (int i = thread_index(); i < 2048; i += kThreads) s.a[i] = load_global(in + i);
        for (int i = thread_index(); i < 4096; i += kThreads) s.b[i] = load_global(in + 2048 + i);
        fence_async_proxy();
        sync_threads();
        constexpr int kSpan = kSwizzle == Swizzle::k128 ? 128 : kSwizzle == Swizzle::k64 ? 64 : kSwizzle == Swizzle::k32 ? 32 : 16;
        const auto descriptor = [](const void* p, int rows, Major major) {
            if (major == Major::kRows) return wgmma_descriptor(p, 2048, 1024, kSwizzle);
            return kSwizzle == Swizzle::kNone ? wgmma_descriptor(p, 16 * rows, 128, kSwizzle) : wgmma_descriptor(p, 16, 8 * kSpan, kSwizzle);
        };
        float sums[kColumns / 8][4];
        wgmma_fence();
        wgmma<T, kColumns, kA, kB>(sums, descriptor(s.a, 64, kA), descriptor(s.b, kColumns, kB), false);
        wgmma_commit();
        wgmma_wait<0>();
        for (int j = 0; j < kColumns / 8; ++j)
            for (int e = 0; e < 4; ++e) store_global(out + thread_index() * (kColumns / 2) + 4 * j + e, std::uint64_t{bits_of_f32(sums[j][e])});
    }
}

template <class T, int kColumns, Major kA, Major kB, Swizzle kSwizzle>
Outcome product(const std::uint32_t* in, std::uint64_t* out, int elements) {
    if (!here()) return write_absent(out, elements);
    return launch("product", &product_kernel<T, kColumns, kA, kB, kSwizzle>, Dim3{1, 1, 1}, kThreads, sizeof(ProductShared), nullptr, in, out);
}

constexpr int kM = 96, kN = 70, kK = 448;

JCUCONV_KERNEL(test::kHopperThreads, 1)
whole_kernel(const JCUCONV_GRID_CONSTANT TensorMap a, const JCUCONV_GRID_CONSTANT TensorMap b, float* y) {
    if constexpr (has_hopper()) test::hopper_gemm_body<test::HopperBug::kNone>(a, b, y, kM, kN, kK);
}

// The fp32 sums lie in the first half of the dump; from the last one on they move to their places.
JCUCONV_KERNEL(1) spread_kernel(float* y, std::uint64_t* out) {
    for (int i = kM * kN - 1; i >= 0; --i) store_global(out + i, std::uint64_t{bits_of_f32(load_global(y + i))});
}

Outcome whole(const std::uint32_t* in, std::uint64_t* out, int elements) {
    if (!here()) return write_absent(out, elements);
    TensorMap a, b;
    const std::uint64_t extent_a[] = {kK, kM}, extent_b[] = {kK, kN}, stride[] = {kK * 2};
    const std::uint32_t box[] = {test::kHopperDepth, test::kHopperRows};
    JCUCONV_TRY(map_tiled<f16>(a, in, 2, extent_a, stride, box, Swizzle::k128));
    JCUCONV_TRY(map_tiled<f16>(b, in + (1 << 14), 2, extent_b, stride, box, Swizzle::k128));
    auto* y = reinterpret_cast<float*>(out);
    JCUCONV_TRY(launch("whole", &whole_kernel, Dim3{2, 2, 1}, test::kHopperThreads, sizeof(test::HopperShared), nullptr, a, b, y));
    return launch("spread", &spread_kernel, Dim3{1, 1, 1}, 1, 0, nullptr, y, out);
}

constexpr Major kD = Major::kDepth, kR = Major::kRows;

const Kernel kKernels[] = {
    {"mbarrier_phases", Type::kU32, 8, 32, nullptr, &phases},
    {"tma_box", Type::kU16, 24, 24, &counting, &boxes<Swizzle::kNone, 24>},
    {"tma_box_32", Type::kU16, 24, 16, &counting, &boxes<Swizzle::k32, 16>},
    {"tma_box_64", Type::kU16, 24, 32, &counting, &boxes<Swizzle::k64, 32>},
    {"tma_box_128", Type::kU16, 24, 64, &counting, &boxes<Swizzle::k128, 64>},
    {"tma_im2col", Type::kU16, 192, 16, &counting, &patches},
    {"wgmma_f16_128", Type::kU32, 128, 32, &small_numbers, &product<f16, 64, kD, kD, Swizzle::k128>},
    {"wgmma_f16_64", Type::kU32, 128, 32, &small_numbers, &product<f16, 64, kD, kD, Swizzle::k64>},
    {"wgmma_f16_32", Type::kU32, 128, 32, &small_numbers, &product<f16, 64, kD, kD, Swizzle::k32>},
    {"wgmma_f16_none", Type::kU32, 128, 32, &small_numbers, &product<f16, 64, kD, kD, Swizzle::kNone>},
    {"wgmma_f16_rows", Type::kU32, 128, 64, &small_numbers, &product<f16, 128, kR, kR, Swizzle::k128>},
    {"wgmma_f16_256", Type::kU32, 128, 128, &small_numbers, &product<f16, 256, kD, kR, Swizzle::k128>},
    {"hopper_gemm", Type::kU32, kM, kN, &small_numbers, &whole},
};

}  // namespace

std::span<const Kernel> hopper_kernels() { return kKernels; }

}  // namespace jcuconv::conformance
