// What sm_90 adds to the executor: mbarriers, bulk loads, products of warpgroups; and a kernel of all three with its mistakes.
#include <cmath>
#include <cstring>
#include <vector>

#include "primitives/primitives.h"
#include "test/check.h"
#include "test/testing/hopper_gemm.h"
#include "test/testing/kernel.h"
#include "test/testing/random.h"

using namespace jcuconv;
using namespace jcuconv::test;
using simt::Copies;

namespace {

constexpr Copies kModes[] = {Copies::kLazy, Copies::kEager, Copies::kRandom};

// Numbers in device memory.
template <class T>
struct Device {
    T* p;
    std::size_t count;
    explicit Device(std::size_t n) : p(static_cast<T*>(simt::allocate(n * sizeof(T)))), count(n) {}
    ~Device() { CHECK(simt::release(p).empty()); }
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;
};

struct Barriers {
    alignas(8) Mbarrier full, empty;
    int value;
};

template <class F>
std::string run(F f, int threads, std::size_t bytes, Copies copies = Copies::kLazy, std::uint64_t seed = 0) {
    return run_kernel(f, threads, bytes, {.seed = seed, .copies = copies});
}

}  // namespace

JCUCONV_TEST(mbarrier_hands_over_phase_by_phase) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        bool right = true;
        CHECK(run(
                  [&] {
                      auto& s = shared<Barriers>();
                      if (thread_index() == 0) {
                          mbar_init(s.full, 1);
                          mbar_init(s.empty, 32);
                      }
                      sync_threads();
                      for (unsigned i = 0; i < 7; ++i) {
                          if (thread_index() == 32) {
                              mbar_wait(s.empty, (i & 1u) ^ 1u);  // on a fresh barrier this passes
                              s.value = static_cast<int>(i);
                              mbar_arrive(s.full);
                          } else if (thread_index() < 32) {
                              mbar_wait(s.full, i & 1u);
                              right = right && s.value == static_cast<int>(i);
                              mbar_arrive(s.empty);
                          }
                      }
                  },
                  64, sizeof(Barriers), Copies::kLazy, seed)
                  .empty());
        CHECK(right);
    }
}

JCUCONV_TEST(mbarrier_mistakes_are_named) {
    const auto with = [](auto f) {
        return run(
            [&] {
                auto& s = shared<Barriers>();
                if (thread_index() == 0) mbar_init(s.full, 2);
                sync_threads();
                f(s);
            },
            32, sizeof(Barriers));
    };
    CHECK_CONTAINS(with([](Barriers& s) { mbar_wait(s.full, 0); }), "phase 0 lacks 2 of 2 arrivals and 0 bytes");
    CHECK_CONTAINS(with([](Barriers& s) {
                       if (thread_index() < 2) mbar_expect(s.full, 64);
                       mbar_wait(s.full, 0);
                   }),
                   "phase 0 lacks 0 of 2 arrivals and 128 bytes");
    CHECK_CONTAINS(with([](Barriers& s) {
                       if (thread_index() < 3) mbar_expect(s.full, 64);
                   }),
                   "more arrivals than the 2 it was made for");
    CHECK_CONTAINS(with([](Barriers& s) { mbar_arrive(s.empty); }), "was never initialised");
    CHECK_CONTAINS(with([](Barriers& s) {
                       if (thread_index() == 0) mbar_init(s.full, 0);
                   }),
                   "is made for 0 arrivals");
    CHECK_CONTAINS(with([](Barriers& s) {
                       if (thread_index() < 16) {
                           mbar_wait(s.full, 0);
                       } else if (thread_index() < 20) {
                           mbar_arrive(s.full);  // two phases before a waiting thread runs
                       }
                   }),
                   "completes a phase while threads that wait for the last one have not run");
}

namespace {

struct BoxShared {
    alignas(1024) unsigned char box[8192];
    alignas(8) Mbarrier full;
};

// The bytes of one load, in the mode at hand.
template <class Load>
std::vector<unsigned char> loaded(std::size_t bytes, Copies copies, Load load, std::string* error = nullptr) {
    std::vector<unsigned char> got(bytes);
    const std::string text = run(
        [&] {
            auto& s = shared<BoxShared>();
            if (thread_index() == 0) {
                mbar_init(s.full, 1);
                mbar_expect(s.full, static_cast<int>(bytes));
                load(s);
            }
            sync_threads();
            mbar_wait(s.full, 0);
            if (thread_index() == 0) std::memcpy(got.data(), s.box, bytes);
        },
        32, sizeof(BoxShared), copies);
    if (error != nullptr) *error = text;
    if (error == nullptr) CHECK(text.empty());
    return got;
}

}  // namespace

JCUCONV_TEST(boxes_arrive_swizzled_with_zeros_outside_the_tensor) {
    constexpr int kRows = 13, kPitch = 80, kColumns = 70;  // 70 of 80 elements belong to the tensor
    Device<f16> tensor(kRows * kPitch);
    for (std::size_t i = 0; i < tensor.count; ++i) tensor.p[i] = f16{static_cast<std::uint16_t>(i + 1)};
    struct Kind {
        Swizzle swizzle;
        std::uint32_t across;
    };
    for (const Kind kind : {Kind{Swizzle::kNone, 24}, Kind{Swizzle::k32, 16}, Kind{Swizzle::k64, 32}, Kind{Swizzle::k128, 64}}) {
        TensorMap map;
        const std::uint64_t extent[] = {kColumns, kRows}, stride[] = {kPitch * 2};
        const std::uint32_t box[] = {kind.across, 8};
        CHECK(map_tiled<f16>(map, tensor.p, 2, extent, stride, box, kind.swizzle).ok());
        for (const Copies mode : kModes)
            for (const auto& [column, row] : {std::pair{0, 0}, {48, 3}, {56, 9}, {-8, -2}, {64, 12}, {200, 50}}) {
                const auto bytes = loaded(std::size_t{kind.across} * 8 * 2, mode, [&](BoxShared& s) { tma_load(s.box, map, s.full, {column, row}); });
                bool right = true;
                for (int r = 0; r < 8; ++r)
                    for (int c = 0; c < static_cast<int>(kind.across); ++c) {
                        const bool inside = row + r >= 0 && row + r < kRows && column + c >= 0 && column + c < kColumns;
                        const int expected = inside ? (row + r) * kPitch + column + c + 1 : 0;
                        const std::size_t at = static_cast<std::size_t>(r) * kind.across * 2 + static_cast<std::size_t>(c) * 2;
                        // Chunk j of a 128-byte row r lies where j ^ r % 8 would; of 64 bytes j ^ r / 2 % 4, of 32 j ^ r / 4 % 2.
                        const std::size_t chunk = at / 16, per_row = kind.across / 8;
                        const std::size_t shift = kind.swizzle == Swizzle::kNone ? 0 : static_cast<std::size_t>(r) * per_row / 8 % per_row;
                        const std::size_t place = (chunk / per_row * per_row + (chunk % per_row ^ shift)) * 16 + at % 16;
                        std::uint16_t value;
                        std::memcpy(&value, bytes.data() + place, 2);
                        right = right && value == expected;
                    }
                CHECK(right);
            }
    }
}

// Rows of a patch matrix against the definition of a convolution's input: output pixel after output pixel, one tap.
JCUCONV_TEST(im2col_loads_are_the_patches_of_a_convolution) {
    Random random(90);
    for (int i = 0; i < 300; ++i) {
        const int n = random.between(1, 3), h = random.between(3, 9), w = random.between(3, 9), c = 8 * random.between(1, 3);
        const int r = random.between(1, 3), s = random.between(1, 3), dh = random.between(1, 2), dw = random.between(1, 2);
        const int pt = random.between(0, 2), pb = random.between(0, 2), pl = random.between(0, 2), pr = random.between(0, 2);
        const int sh = random.between(1, 3), sw = random.between(1, 3);
        const int p = (h + pt + pb - dh * (r - 1) - 1) / sh + 1, q = (w + pl + pr - dw * (s - 1) - 1) / sw + 1;
        if (h + pt + pb <= dh * (r - 1) || w + pl + pr <= dw * (s - 1)) continue;
        Device<f16> x(static_cast<std::size_t>(n * h * w * c));
        for (std::size_t e = 0; e < x.count; ++e) x.p[e] = f16{static_cast<std::uint16_t>(e + 1)};
        const auto pitch = static_cast<std::uint64_t>(c) * 2;
        const std::uint64_t extent[] = {std::uint64_t(c), std::uint64_t(w), std::uint64_t(h), std::uint64_t(n)};
        const std::uint64_t stride[] = {pitch, pitch * std::uint64_t(w), pitch * std::uint64_t(w * h)};
        const int lower[] = {-pl, -pt}, upper[] = {pr - (s - 1) * dw, pb - (r - 1) * dh};
        const std::uint32_t traversal[] = {1, std::uint32_t(sw), std::uint32_t(sh), 1};
        constexpr int kPixels = 16, kChannels = 16;
        TensorMap map;
        CHECK(map_im2col<f16>(map, x.p, 4, extent, stride, lower, upper, kChannels, kPixels, traversal, Swizzle::k32).ok());
        const int pixels = n * p * q, first = random.between(0, pixels - 1), channel = 8 * random.between(0, c / 8 - 1);
        const int tap_h = random.between(0, r - 1), tap_w = random.between(0, s - 1);
        const int image = first / (p * q), row = first / q % p, column = first % q;
        const auto bytes = loaded(kPixels * kChannels * 2, kModes[i % 3], [&](BoxShared& shared) {
            tma_load_im2col(shared.box, map, shared.full, {channel, column * sw - pl, row * sh - pt, image}, {tap_w * dw, tap_h * dh});
        });
        bool right = true;
        for (int pixel = 0; pixel < kPixels; ++pixel)
            for (int e = 0; e < kChannels; ++e) {
                const int at = first + pixel, y_row = at / q % p * sh - pt + tap_h * dh, y_column = at % q * sw - pl + tap_w * dw;
                const bool inside = at < pixels && y_row >= 0 && y_row < h && y_column >= 0 && y_column < w && channel + e < c;
                const int expected = inside ? ((at / (p * q) * h + y_row) * w + y_column) * c + channel + e + 1 : 0;
                std::size_t place = static_cast<std::size_t>(pixel * kChannels + e) * 2;
                place ^= place >> 3 & 0x10;
                std::uint16_t value;
                std::memcpy(&value, bytes.data() + place, 2);
                right = right && value == static_cast<std::uint16_t>(expected);
            }
        if (!right) report(__FILE__, __LINE__, "patches of case " + std::to_string(i));
    }
}

JCUCONV_TEST(wrong_maps_and_loads_are_named) {
    Device<f16> tensor(1024);
    TensorMap map;
    const std::uint64_t extent[] = {64, 8}, stride[] = {128}, odd[] = {120}, four[] = {64, 1, 1, 1}, strides[] = {128, 128, 128};
    const std::uint32_t box[] = {64, 8}, small[] = {4, 8}, huge[] = {64, 300}, half[] = {32, 8}, ones[] = {1, 1, 1, 1};
    const auto text = [&](const std::uint64_t* s, const std::uint32_t* b, Swizzle swizzle) { return map_tiled<f16>(map, tensor.p, 2, extent, s, b, swizzle).text; };
    CHECK_CONTAINS(text(odd, box, Swizzle::k128), "a multiple of 16 bytes");
    CHECK_CONTAINS(text(stride, small, Swizzle::kNone), "a multiple of 16");
    CHECK_CONTAINS(text(stride, huge, Swizzle::k128), "1 to 256");
    CHECK_CONTAINS(text(stride, half, Swizzle::k128), "as many as the swizzle permutes");
    CHECK_CONTAINS(map_tiled<f16>(map, tensor.p + 1, 2, extent, stride, box, Swizzle::k128).text, "aligned to 16 bytes");
    const int zero[] = {0, 0}, far[] = {-129, 0};
    CHECK_CONTAINS(map_im2col<f16>(map, tensor.p, 4, four, strides, far, zero, 64, 8, ones, Swizzle::k128).text, "-128 to 127");
    std::string error;
    loaded(64, Copies::kLazy, [&](BoxShared& s) { tma_load(s.box, map, s.full, {0, 0}); }, &error);
    CHECK_CONTAINS(error, "never encoded");
    CHECK(map_tiled<f16>(map, tensor.p, 2, extent, stride, box, Swizzle::k128).ok());
    loaded(1024, Copies::kLazy, [&](BoxShared& s) { tma_load(s.box + 128, map, s.full, {0, 0}); }, &error);
    CHECK_CONTAINS(error, "not aligned to the 1024 of its swizzle");
    const std::uint64_t tall[] = {64, 100};
    CHECK(map_tiled<f16>(map, tensor.p, 2, tall, stride, box, Swizzle::k128).ok());
    loaded(1024, Copies::kLazy, [&](BoxShared& s) { tma_load(s.box, map, s.full, {0, 16}); }, &error);
    CHECK_CONTAINS(error, "reaches beyond the tensor's memory");
}

namespace {

struct ProductShared {
    alignas(1024) unsigned char a[16384];
    alignas(1024) unsigned char b[32768];
};

template <class T>
T element_of(int value) {
    if constexpr (std::is_same_v<T, tf32>) {
        return from_f32<tf32>(static_cast<float>(value));
    } else {
        return from_f32<T>(static_cast<float>(value));
    }
}

// Where element (row, depth) of an operand lies, by the tables of the PTX manual rather than by formulas of addresses: chunks of 16 bytes in
// groups of eight rows, permuted by the row.
std::size_t by_depth(Swizzle swizzle, int row, int byte, int rows) {
    const auto r = static_cast<std::size_t>(row), b = static_cast<std::size_t>(byte);
    if (swizzle == Swizzle::kNone) return (b / 16 * static_cast<std::size_t>(rows) + r) * 16 + b % 16;  // leading 16 * rows, stride 128
    const std::size_t span = simt::swizzle_bytes(swizzle), chunks = span / 16, line = r * span;
    const std::size_t shift = line / 128 % 8 % chunks;
    return line + ((b / 16) ^ shift) * 16 + b % 16;
}

std::size_t by_rows(int row, int depth, std::size_t leading) {
    const std::size_t byte = static_cast<std::size_t>(row % 64) * 2;
    return static_cast<std::size_t>(row / 64) * leading + static_cast<std::size_t>(depth) * 128 + ((byte / 16) ^ static_cast<std::size_t>(depth % 8)) * 16 + byte % 16;
}

template <class T, int kColumns, Major kA, Major kB>
void check_product(Swizzle swizzle, std::uint64_t seed, Copies copies) {
    constexpr int kDepth = 32 / static_cast<int>(sizeof(T));
    Random random(seed);
    const auto a = random.integers(64 * kDepth, 4), b = random.integers(static_cast<std::size_t>(kColumns) * kDepth, 4);
    std::vector<float> y(64 * kColumns);
    const std::string text = run(
        [&] {
            auto& s = shared<ProductShared>();
            if (thread_index() == 0) {
                const auto fill = [&](unsigned char* to, const std::vector<float>& values, int rows, Major major) {
                    for (int row = 0; row < rows; ++row)
                        for (int k = 0; k < kDepth; ++k) {
                            const T value = element_of<T>(static_cast<int>(values[static_cast<std::size_t>(row * kDepth + k)]));
                            const std::size_t at = major == Major::kRows ? by_rows(row, k, 2048) : by_depth(swizzle, row, k * static_cast<int>(sizeof(T)), rows);
                            std::memcpy(to + at, &value, sizeof(T));
                        }
                };
                fill(s.a, a, 64, kA);
                fill(s.b, b, kColumns, kB);
                fence_async_proxy();
            }
            sync_threads();
            const auto descriptor = [&](const unsigned char* p, int rows, Major major) {
                if (major == Major::kRows) return wgmma_descriptor(p, 2048, 1024, Swizzle::k128);
                return swizzle == Swizzle::kNone ? wgmma_descriptor(p, 16 * rows, 128, swizzle)
                                                 : wgmma_descriptor(p, 16, 8 * static_cast<int>(simt::swizzle_bytes(swizzle)), swizzle);
            };
            float sums[kColumns / 8][4];
            for (auto& four : sums)
                for (float& v : four) v = 1000.0f;
            wgmma_fence();
            wgmma<T, kColumns, kA, kB>(sums, descriptor(s.a, 64, kA), descriptor(s.b, kColumns, kB), false);
            wgmma<T, kColumns, kA, kB>(sums, descriptor(s.a, 64, kA), descriptor(s.b, kColumns, kB), true);
            wgmma_commit();
            CHECK(std::isnan(sums[0][0]));  // the registers belong to the products until the wait
            wgmma_wait<0>();
            const int thread = thread_index();
            for (int j = 0; j < kColumns / 8; ++j)
                for (int e = 0; e < 4; ++e)
                    y[static_cast<std::size_t>((thread / 32 * 16 + thread % 32 / 4 + e / 2 * 8) * kColumns + 8 * j + thread % 4 * 2 + e % 2)] = sums[j][e];
        },
        128, sizeof(ProductShared), copies);
    CHECK(text.empty());
    if (!text.empty()) return report(__FILE__, __LINE__, text);
    bool right = true;
    for (int row = 0; row < 64; ++row)
        for (int column = 0; column < kColumns; ++column) {
            float expected = 0;
            for (int k = 0; k < kDepth; ++k) expected += a[static_cast<std::size_t>(row * kDepth + k)] * b[static_cast<std::size_t>(column * kDepth + k)];
            right = right && y[static_cast<std::size_t>(row * kColumns + column)] == 2 * expected;
        }
    CHECK(right);
}

}  // namespace

JCUCONV_TEST(products_of_a_warpgroup_in_every_layout) {
    constexpr Major kD = Major::kDepth, kR = Major::kRows;
    std::uint64_t seed = 1;
    for (const Copies mode : kModes) {
        for (const Swizzle swizzle : {Swizzle::kNone, Swizzle::k32, Swizzle::k64, Swizzle::k128}) {
            check_product<f16, 64, kD, kD>(swizzle, seed++, mode);
            check_product<bf16, 128, kD, kD>(swizzle, seed++, mode);
            check_product<tf32, 64, kD, kD>(swizzle, seed++, mode);
        }
        check_product<f16, 256, kD, kD>(Swizzle::k128, seed++, mode);
        check_product<f16, 128, kR, kR>(Swizzle::k128, seed++, mode);
        check_product<bf16, 64, kR, kD>(Swizzle::k128, seed++, mode);
        check_product<f16, 256, kD, kR>(Swizzle::k128, seed++, mode);
    }
}

JCUCONV_TEST(products_that_the_hardware_refuses_are_named) {
    const auto with = [](auto f) {
        return run(
            [&] {
                auto& s = shared<ProductShared>();
                if (thread_index() == 0) {
                    std::memset(s.a, 0, sizeof s.a);
                    std::memset(s.b, 0, sizeof s.b);
                    fence_async_proxy();
                }
                sync_threads();
                float sums[8][4];
                f(s, sums);
            },
            128, sizeof(ProductShared));
    };
    const auto whole = [](const unsigned char* p) { return wgmma_descriptor(p, 16, 1024, Swizzle::k128); };
    CHECK_CONTAINS(with([&](ProductShared& s, float (&sums)[8][4]) { wgmma<f16, 64>(sums, whole(s.a), whole(s.b), false); }), "no wgmma_fence");
    CHECK_CONTAINS(with([&](ProductShared& s, float (&sums)[8][4]) {
                       wgmma_fence();
                       wgmma<f16, 64>(sums, whole(s.a) | std::uint64_t{1} << 49, whole(s.b), false);
                   }),
                   "base offset");
    CHECK_CONTAINS(with([&](ProductShared& s, float (&sums)[8][4]) {
                       wgmma_fence();
                       wgmma<f16, 64, Major::kRows>(sums, wgmma_descriptor(s.a, 16, 512, Swizzle::k64), whole(s.b), false);
                   }),
                   "128 bytes only");
    CHECK_CONTAINS(with([&](ProductShared& s, float (&sums)[8][4]) {
                       wgmma_fence();
                       wgmma<f16, 64>(sums, whole(s.a), whole(s.b), false);
                       wgmma_commit();
                   }),
                   "no wgmma_wait covers");
    CHECK_CONTAINS(with([&](ProductShared& s, float (&sums)[8][4]) {
                       wgmma_fence();
                       wgmma<f16, 64>(sums, whole(s.a + (thread_index() == 5 ? 1024 : 0)), whole(s.b), false);
                   }),
                   "different descriptors");
    CHECK_CONTAINS(with([&](ProductShared& s, float (&sums)[8][4]) {
                       wgmma_fence();
                       if (thread_index() != 7) wgmma<f16, 64>(sums, whole(s.a), whole(s.b), false);
                   }),
                   "127 of 128 threads arrived");
}

namespace {

// Empty, or how a bug showed.
template <HopperBug kBug>
std::string gemm(int m, int n, int k, Copies copies, std::uint64_t seed) {
    Random random(seed + 1);
    const auto a = random.integers(static_cast<std::size_t>(m * k), 3), b = random.integers(static_cast<std::size_t>(n * k), 3);
    Device<f16> device_a(a.size()), device_b(b.size());
    Device<float> y(static_cast<std::size_t>(m * n));
    for (std::size_t i = 0; i < a.size(); ++i) device_a.p[i] = from_f32<f16>(a[i]);
    for (std::size_t i = 0; i < b.size(); ++i) device_b.p[i] = from_f32<f16>(b[i]);
    TensorMap map_a, map_b;
    const std::uint64_t extent_a[] = {std::uint64_t(k), std::uint64_t(m)}, extent_b[] = {std::uint64_t(k), std::uint64_t(n)}, stride[] = {std::uint64_t(k) * 2};
    const std::uint32_t box[] = {kHopperDepth, kHopperRows};
    CHECK(map_tiled<f16>(map_a, device_a.p, 2, extent_a, stride, box, Swizzle::k128).ok());
    CHECK(map_tiled<f16>(map_b, device_b.p, 2, extent_b, stride, box, Swizzle::k128).ok());
    const auto body = [&] { hopper_gemm_body<kBug>(map_a, map_b, y.p, m, n, k); };
    const unsigned rows = static_cast<unsigned>((m + kHopperRows - 1) / kHopperRows), columns = static_cast<unsigned>((n + kHopperColumns - 1) / kHopperColumns);
    if (std::string text = run_kernel(body, kHopperThreads, sizeof(HopperShared), {.seed = seed, .copies = copies}, {rows, columns, 1}); !text.empty())
        return text;
    for (int row = 0; row < m; ++row)
        for (int column = 0; column < n; ++column) {
            float expected = 0;
            for (int i = 0; i < k; ++i) expected += a[static_cast<std::size_t>(row * k + i)] * b[static_cast<std::size_t>(column * k + i)];
            if (!(y.p[row * n + column] == expected)) return "wrong result";
        }
    return {};
}

template <HopperBug kBug>
bool caught() {
    for (std::uint64_t seed = 0; seed < 12; ++seed)
        if (!gemm<kBug>(96, 70, 448, kModes[seed % 3], seed / 3).empty()) return true;
    return false;
}

template <int... kBugs>
void catch_all(std::integer_sequence<int, kBugs...>) {
    const auto check = [](int bug, bool found) {
        if (!found) report(__FILE__, __LINE__, "Hopper bug " + std::to_string(bug) + " is not caught");
    };
    (check(kBugs + 1, caught<static_cast<HopperBug>(kBugs + 1)>()), ...);
}

}  // namespace

JCUCONV_TEST(a_kernel_of_tma_mbarriers_and_wgmma_is_right_in_every_order) {
    Random random(17);
    for (int i = 0; i < 24; ++i) {
        const int m = random.between(1, 150), n = random.between(1, 150), k = 8 * random.between(1, 60);
        const std::string text = gemm<HopperBug::kNone>(m, n, k, kModes[i % 3], static_cast<std::uint64_t>(i / 3));
        if (!text.empty()) report(__FILE__, __LINE__, std::to_string(m) + " x " + std::to_string(n) + " x " + std::to_string(k) + ": " + text);
    }
}

JCUCONV_TEST(its_planted_bugs_are_caught) { catch_all(std::make_integer_sequence<int, static_cast<int>(HopperBug::kCount) - 1>()); }
