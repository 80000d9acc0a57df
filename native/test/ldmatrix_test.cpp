// ldmatrix: its layout, the checks of its rows, its bank conflicts.
#include "primitives/primitives.h"
#include "test/check.h"
#include "test/testing/kernel.h"

using namespace jcuconv;

namespace {

struct Matrices {
    alignas(16) std::uint16_t v[4][8][8];
};

}  // namespace

JCUCONV_TEST(ldmatrix_gives_each_lane_its_pairs) {
    for (const int count : {1, 2, 4}) {
        for (const bool transposed : {false, true}) {
            int wrong = 0;
            const auto load = [&](auto& registers) {
                auto& s = shared<Matrices>();
                const int l = thread_index();
                for (int i = 0; i < 8; ++i) s.v[l / 8][l % 8][i] = static_cast<std::uint16_t>(100 * (l / 8) + 10 * (l % 8) + i);
                sync_warp();
                const void* row = s.v[l / 8 % count][l % 8];
                transposed ? ldmatrix_trans(registers, row) : ldmatrix(registers, row);
                for (int m = 0; m < count; ++m) {
                    for (int e = 0; e < 2; ++e) {
                        const int row_of = transposed ? 2 * (l % 4) + e : l / 4, column = transposed ? l / 4 : 2 * (l % 4) + e;
                        const auto expected = static_cast<std::uint32_t>(100 * m + 10 * row_of + column);
                        wrong += (registers[m] >> (16 * e) & 0xFFFFu) == expected ? 0 : 1;
                    }
                }
            };
            const auto error = test::run_kernel(
                [&] {
                    std::uint32_t one[1], two[2], four[4];
                    if (count == 1) load(one);
                    if (count == 2) load(two);
                    if (count == 4) load(four);
                },
                32, sizeof(Matrices));
            CHECK(error.empty());
            CHECK(wrong == 0);
        }
    }
}

JCUCONV_TEST(ldmatrix_checks_its_rows) {
    const auto load = [](int byte, int threads) {
        return test::run_kernel(
            [=] {
                std::uint32_t r[4];
                ldmatrix(r, reinterpret_cast<std::byte*>(&shared<Matrices>()) + (thread_index() == 19 ? byte : 0));
            },
            threads, sizeof(Matrices));
    };
    CHECK(load(16, 32).empty());
    CHECK_CONTAINS(load(8, 32), "thread 19: ldmatrix at ldmatrix_test.cpp:");
    CHECK_CONTAINS(load(8, 32), "touches byte 8 of shared memory: not aligned to 16");
    CHECK_CONTAINS(load(512, 32), "outside the block's shared memory");
    CHECK_CONTAINS(load(0, 40), "needs a warp of 32 lanes, this one has 8");
}

JCUCONV_TEST(ldmatrix_of_a_copy_in_flight_names_both_lines) {
    auto* source = static_cast<float*>(simt::allocate(512));
    const auto load = [=](simt::Copies copies) {
        return test::run_kernel(
            [=] {
                auto& s = shared<Matrices>();
                const int l = thread_index();
                cp_async<16>(s.v[l / 8][l % 8], source + 4 * l);
                cp_async_commit();
                sync_warp();
                std::uint32_t r[4];
                ldmatrix(r, s.v[l / 8][7 - l % 8]);
                cp_async_wait<0>();
            },
            32, sizeof(Matrices), {.copies = copies});
    };
    const auto error = load(simt::Copies::kLazy);
    CHECK_CONTAINS(error, "thread 31: ldmatrix at ldmatrix_test.cpp:");
    CHECK_CONTAINS(error, "touches bytes 384-399 of shared memory while the copy that thread 24 issued at ldmatrix_test.cpp:");
    CHECK(load(simt::Copies::kEager).empty());
    CHECK(simt::release(source).empty());
}

JCUCONV_TEST(ldmatrix_bank_conflicts_are_counted) {
    struct Tile {
        alignas(16) std::uint16_t v[32][64];  // rows of 128 bytes: without a swizzle all rows start in one bank
    };
    const auto conflicts = [](bool swizzled) {
        const auto error = test::run_kernel(
            [=] {
                const int l = thread_index();
                std::uint32_t r[4];
                ldmatrix(r, &shared<Tile>().v[l][8 * (swizzled ? l % 8 : 0)]);
            },
            32, sizeof(Tile), {.count_bank_conflicts = true});
        CHECK(error.empty());
        const auto counts = simt::bank_counts();
        CHECK(counts.size() == 1 && counts[0].what == "ldmatrix" && counts[0].least_wavefronts == 4);
        CHECK_CONTAINS(counts[0].place, "ldmatrix_test.cpp:");
        return counts[0].conflicts();
    };
    CHECK(conflicts(true) == 0);
    CHECK(conflicts(false) == 4 * 7);
}
