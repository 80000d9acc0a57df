// A double-buffered product on tensor cores: right on integers to the bit in every mode of completion and every order of threads,
// free of races and of bank conflicts.
#include <string>
#include <vector>

#include "test/check.h"
#include "test/testing/async_gemm.h"
#include "test/testing/random.h"

using namespace jcuconv;
using simt::Copies;

namespace {

struct Shape {
    int m, n, k;
};

// Between them: one tile, ragged in each direction, one slab, many slabs, several blocks.
constexpr Shape kShapes[] = {{64, 64, 64}, {1, 1, 1}, {63, 65, 33}, {17, 5, 7}, {130, 70, 200}, {64, 128, 16}, {5, 64, 31}};

template <class T>
T* device_matrix(const std::vector<float>& values, int rows, int columns, int pitch) {
    void* p = simt::allocate(static_cast<std::size_t>(rows - 1) * static_cast<std::size_t>(pitch) * sizeof(T) +
                             static_cast<std::size_t>(columns) * sizeof(T));
    for (int r = 0; r < rows; ++r)
        for (int c = 0; c < columns; ++c)
            static_cast<T*>(p)[r * pitch + c] = from_f32<T>(values[static_cast<std::size_t>(r * columns + c)]);
    return static_cast<T*>(p);
}

template <class T>
int padded(int columns) {
    constexpr int kElements = 16 / sizeof(T);
    return (columns + kElements - 1) / kElements * kElements;
}

template <class T, bool kByRows>
void check(const Shape& shape, const simt::Options& options) {
    const auto [m, n, k] = shape;
    test::Random random(static_cast<std::uint64_t>(m * 10007 + n * 101 + k));
    const auto x = random.integers(static_cast<std::size_t>(m * k), 16), y = random.integers(static_cast<std::size_t>(n * k), 16);
    const int b_rows = kByRows ? k : n, b_columns = kByRows ? n : k;
    test::GemmProblem<T> p{nullptr, nullptr, nullptr, m, n, k, padded<T>(k), padded<T>(b_columns)};
    T* a = device_matrix<T>(x, m, k, p.a_pitch);
    T* b = device_matrix<T>(y, b_rows, b_columns, p.b_pitch);
    p.c = static_cast<float*>(simt::allocate(static_cast<std::size_t>(m * n) * sizeof(float)));
    p.a = a;
    p.b = b;
    simt::set_options(options);
    Outcome outcome = test::async_gemm<T, kByRows>(p, nullptr);
    if (outcome.ok()) outcome = device::stream_synchronize(nullptr);
    simt::set_options({});
    if (!outcome.ok()) test::report(__FILE__, __LINE__, outcome.text);
    int wrong = 0;
    for (int i = 0; i < m; ++i) {
        for (int j = 0; j < n; ++j) {
            int sum = 0;
            for (int d = 0; d < k; ++d) {
                const int at = kByRows ? d * n + j : j * k + d;
                sum += static_cast<int>(x[static_cast<std::size_t>(i * k + d)]) * static_cast<int>(y[static_cast<std::size_t>(at)]);
            }
            wrong += p.c[i * n + j] == static_cast<float>(sum) ? 0 : 1;  // NaN is wrong too
        }
    }
    if (wrong != 0) test::report(__FILE__, __LINE__, std::to_string(wrong) + " elements of " + std::to_string(m * n) + " differ");
    CHECK(simt::release(a).empty());
    CHECK(simt::release(b).empty());
    CHECK(simt::release(p.c).empty());
}

void check_all(const simt::Options& options) {
    for (const Shape& shape : kShapes) {
        check<f16, false>(shape, options);
        check<f16, true>(shape, options);
        check<bf16, false>(shape, options);
        check<bf16, true>(shape, options);
        check<tf32, false>(shape, options);
    }
}

}  // namespace

JCUCONV_TEST(gemm_is_exact_with_lazy_copies) { check_all({}); }

JCUCONV_TEST(gemm_is_exact_with_eager_copies) { check_all({.copies = Copies::kEager}); }

JCUCONV_TEST(gemm_is_exact_in_random_order) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        check_all({.seed = seed, .copies = Copies::kRandom});
        check_all({.seed = seed, .copies = Copies::kLazy});
    }
}

JCUCONV_TEST(gemm_is_exact_under_truncation) { check_all({.mma = {8, 1, true}}); }

JCUCONV_TEST(gemm_reads_shared_memory_without_bank_conflicts) {
    const simt::Options options{.count_bank_conflicts = true};
    const auto conflicts = [] {
        std::uint64_t count = 0, accesses = 0;
        for (const auto& line : simt::bank_counts()) {
            count += line.conflicts();
            accesses += line.accesses;
        }
        CHECK(accesses > 0);
        return count;
    };
    check<f16, false>({64, 64, 64}, options);
    CHECK(conflicts() == 0);
    check<f16, true>({64, 64, 64}, options);
    CHECK(conflicts() == 0);
    check<tf32, false>({64, 64, 64}, options);
    CHECK(conflicts() == 0);
}
