// Asynchronous copies: what they deliver, and that a missing wait or barrier is found in the mode that can show it.
#include <cmath>
#include <cstring>
#include <numeric>
#include <vector>

#include "primitives/primitives.h"
#include "test/check.h"
#include "test/testing/kernel.h"

using namespace jcuconv;
using simt::Copies;

namespace {

constexpr int kThreads = 64;

struct Tile {
    alignas(16) float v[4 * kThreads];
};

// Numbers 1, 2, 3 ... in device memory.
struct Source {
    float* p;
    explicit Source(int count) : p(static_cast<float*>(simt::allocate(static_cast<std::size_t>(count) * sizeof(float)))) {
        std::iota(p, p + count, 1.0f);
    }
    ~Source() { CHECK(simt::release(p).empty()); }
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;
};

template <class F>
std::string run(F f, Copies copies, std::uint64_t seed = 0) {
    return test::run_kernel(f, kThreads, sizeof(Tile), {.seed = seed, .copies = copies});
}

constexpr Copies kModes[] = {Copies::kLazy, Copies::kEager, Copies::kRandom};

}  // namespace

JCUCONV_TEST(copies_of_every_size_arrive_in_every_mode) {
    const Source source(4 * kThreads);
    for (const Copies mode : kModes) {
        for (std::uint64_t seed = 0; seed < 10; ++seed) {
            bool right = true;
            const auto copy = [&]<int kBytes>(std::integral_constant<int, kBytes>) {
                return run(
                    [&] {
                        auto& s = shared<Tile>();
                        const int n = kBytes / 4, first = n * thread_index();
                        cp_async<kBytes>(&s.v[first], source.p + first);
                        cp_async_commit();
                        cp_async_wait<0>();
                        sync_threads();
                        for (int i = 0; i < n; ++i) {
                            const int other = n * kThreads - 1 - first - i;
                            right = right && s.v[other] == static_cast<float>(other + 1);
                        }
                    },
                    mode, seed);
            };
            CHECK(copy(std::integral_constant<int, 4>{}).empty());
            CHECK(copy(std::integral_constant<int, 8>{}).empty());
            CHECK(copy(std::integral_constant<int, 16>{}).empty());
            CHECK(right);
        }
    }
}

JCUCONV_TEST(bytes_beyond_the_source_are_zero) {
    const Source source(4 * kThreads);
    for (const Copies mode : kModes) {
        bool right = true;
        const auto error = run(
            [&] {
                auto& s = shared<Tile>();
                const int t = thread_index(), bytes = t % 17;
                cp_async<16>(&s.v[4 * t], source.p + 4 * t, bytes);
                cp_async_commit();
                cp_async_wait<0>();
                unsigned char expected[16] = {};
                std::memcpy(expected, source.p + 4 * t, static_cast<std::size_t>(bytes));
                right = right && std::memcmp(expected, &s.v[4 * t], 16) == 0;
            },
            mode);
        CHECK(error.empty());
        CHECK(right);
    }
}

JCUCONV_TEST(wait_leaves_the_latest_groups_in_flight) {
    const Source source(4 * kThreads);
    bool first_arrived = true, second_arrived = false, uncommitted_arrived = false;
    const auto error = run(
        [&] {
            auto& s = shared<Tile>();
            const int t = thread_index();
            cp_async<4>(&s.v[t], source.p + t);
            cp_async_commit();
            cp_async<4>(&s.v[kThreads + t], source.p + t);
            cp_async_commit();
            cp_async<4>(&s.v[2 * kThreads + t], source.p + t);
            cp_async_wait<1>();
            first_arrived = first_arrived && s.v[t] == static_cast<float>(t + 1);
            second_arrived = second_arrived || !std::isnan(s.v[kThreads + t]);
            cp_async_wait<0>();
            uncommitted_arrived = uncommitted_arrived || !std::isnan(s.v[2 * kThreads + t]);
            cp_async_commit();
            cp_async_wait<0>();
        },
        Copies::kLazy);
    CHECK(error.empty());
    CHECK(first_arrived);
    CHECK(!second_arrived);
    CHECK(!uncommitted_arrived);
}

// The bug of the table: plain reads see NaN, checked reads name both lines. An eager copy hides it.
JCUCONV_TEST(missing_wait_shows_in_lazy_mode_and_hides_in_eager_mode) {
    const Source source(kThreads);
    const auto kernel = [&](bool& all_nan, bool checked) {
        all_nan = true;
        return [&all_nan, checked, p = source.p] {
            auto& s = shared<Tile>();
            const int t = thread_index();
            cp_async<4>(&s.v[t], p + t);
            cp_async_commit();
            sync_threads();
            const float seen = checked ? load_shared(&s.v[t]) : s.v[t];
            all_nan = all_nan && std::isnan(seen);
            cp_async_wait<0>();
        };
    };
    bool all_nan = false;
    CHECK(run(kernel(all_nan, false), Copies::kLazy).empty());
    CHECK(all_nan);
    CHECK(run(kernel(all_nan, false), Copies::kEager).empty());
    CHECK(!all_nan);
    CHECK(run(kernel(all_nan, true), Copies::kEager).empty());
    const auto error = run(kernel(all_nan, true), Copies::kLazy);
    CHECK_CONTAINS(error, "thread 63: load_shared at async_copy_test.cpp:");
    CHECK_CONTAINS(error, "touches bytes 252-255 of shared memory while the copy that thread 63 issued at async_copy_test.cpp:");
    CHECK_CONTAINS(error, "is in flight");
}

JCUCONV_TEST(random_mode_shows_a_missing_wait_with_some_seeds) {
    const Source source(kThreads);
    int found = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        const auto error = run(
            [&] {
                auto& s = shared<Tile>();
                const int t = thread_index();
                cp_async<4>(&s.v[t], source.p + t);
                cp_async_commit();
                sync_threads();
                load_shared(&s.v[t]);
                cp_async_wait<0>();
            },
            Copies::kRandom, seed);
        found += error.empty() ? 0 : 1;
    }
    CHECK(found > 0);
}

// Threads wait for their own copies only: without the barrier a neighbour's tile is still NaN, also in eager mode, where the
// neighbour has not run yet.
JCUCONV_TEST(missing_barrier_after_a_wait_shows_in_every_mode) {
    const Source source(kThreads);
    for (const Copies mode : kModes) {
        for (const bool barrier : {false, true}) {
            bool any_nan = false;
            const auto error = run(
                [&, barrier] {
                    auto& s = shared<Tile>();
                    const int t = thread_index();
                    cp_async<4>(&s.v[t], source.p + t);
                    cp_async_commit();
                    cp_async_wait<0>();
                    if (barrier) sync_threads();
                    any_nan = any_nan || std::isnan(s.v[kThreads - 1 - t]);
                },
                mode);
            CHECK(error.empty());
            CHECK(any_nan == !barrier);
        }
    }
}

JCUCONV_TEST(block_must_not_end_with_copies_in_flight) {
    const Source source(kThreads);
    const auto forget = [&](bool commit) {
        return [p = source.p, commit] {
            cp_async<4>(&shared<Tile>().v[thread_index()], p + thread_index());
            if (commit) cp_async_commit();
            if (!commit) cp_async_wait<0>();  // covers committed groups only
        };
    };
    for (const bool commit : {true, false}) {
        const auto error = run(forget(commit), Copies::kLazy);
        CHECK_CONTAINS(error, "thread 0: the block ended, but no cp_async_wait covers the copy issued at async_copy_test.cpp:");
        CHECK(!run(forget(commit), Copies::kRandom, 3).empty());
        CHECK(run(forget(commit), Copies::kEager).empty());
    }
}

JCUCONV_TEST(copies_in_flight_must_not_overlap) {
    const Source source(8);
    const auto error = run(
        [&] {
            if (thread_index() > 1) return;
            cp_async<8>(&shared<Tile>().v[0], source.p);
            cp_async_commit();
            cp_async_wait<0>();
            cp_async<4>(&shared<Tile>().v[1], source.p);
            sync_warp();
        },
        Copies::kLazy);
    CHECK_CONTAINS(error, "writes bytes of shared memory that the copy of thread 0 at async_copy_test.cpp:");
}

JCUCONV_TEST(sources_are_checked_against_the_registry) {
    const Source source(5);
    const auto copy = [&](int from, int bytes) {
        return run(
            [&, from, bytes] {
                if (thread_index() != 0) return;
                cp_async<16>(&shared<Tile>().v[0], source.p + from, bytes);
                cp_async_commit();
                cp_async_wait<0>();
            },
            Copies::kLazy);
    };
    CHECK(copy(0, 16).empty());
    CHECK(copy(4, 4).empty());
    CHECK(copy(400, 0).empty());
    const auto error = copy(4, 8);
    CHECK_CONTAINS(error, "cp_async at async_copy_test.cpp:");
    CHECK_CONTAINS(error, "of 8 bytes at 0x");
    CHECK_CONTAINS(error, "at byte 16 of an allocation of 20 bytes");
    CHECK_CONTAINS(copy(-4, 16), "cp_async at");  // the guard band
    CHECK_CONTAINS(copy(1, 16), "not aligned to 16");
    CHECK_CONTAINS(copy(0, 17), "takes 17 bytes of 16");
    CHECK_CONTAINS(copy(0, -1), "takes -1 bytes of 16");
}

JCUCONV_TEST(destinations_are_checked_against_the_block) {
    const Source source(8);
    const auto copy = [&](void* to, int offset) {
        return run(
            [&, to, offset] {
                auto* p = to != nullptr ? to : &shared<Tile>().v[offset];
                cp_async<16>(p, source.p);
            },
            Copies::kLazy);
    };
    CHECK_CONTAINS(copy(source.p, 0), "outside the block's shared memory");
    CHECK_CONTAINS(copy(nullptr, 4 * kThreads), "outside the block's shared memory");
    CHECK_CONTAINS(copy(nullptr, 4 * kThreads - 2), "touches bytes 1016-1031 of 1024 bytes of shared memory");
    CHECK_CONTAINS(copy(nullptr, 2), "touches byte 8 of shared memory: not aligned to 16");
}

// After a failed block nothing of it may linger in the next launch.
JCUCONV_TEST(failed_blocks_leave_no_copy_behind) {
    const Source source(kThreads);
    for (int i = 0; i < 3; ++i) {
        CHECK(!run([&] { cp_async<16>(&shared<Tile>().v[4 * thread_index()], source.p); }, Copies::kLazy).empty());
        CHECK(run([] { load_shared(&shared<Tile>().v[thread_index()]); }, Copies::kLazy).empty());
    }
}

JCUCONV_TEST(bank_conflicts_of_plain_accesses_are_counted) {
    const auto conflicts = [](int stride, bool wide) {
        const auto error = test::run_kernel(
            [=] {
                auto& s = shared<Tile>();
                if (wide) {
                    load_shared(reinterpret_cast<const Pack<float, 4>*>(&s.v[stride * thread_index() % 256]));
                } else {
                    load_shared(&s.v[stride * thread_index() % 256]);
                }
            },
            32, sizeof(Tile), {.count_bank_conflicts = true});
        CHECK(error.empty());
        const auto counts = simt::bank_counts();
        CHECK(counts.size() == 1 && counts[0].accesses == 1 && counts[0].what == "load_shared");
        CHECK(counts[0].least_wavefronts == (wide ? 4 : 1));
        return counts[0].conflicts();
    };
    CHECK(conflicts(1, false) == 0);
    CHECK(conflicts(2, false) == 1);
    CHECK(conflicts(8, false) == 7);
    CHECK(conflicts(32, false) == 7);  // 8 different words, each read by 4 lanes
    CHECK(conflicts(33, false) == 0);
    CHECK(conflicts(0, false) == 0);   // all lanes read one word
    CHECK(conflicts(4, true) == 0);
    CHECK(conflicts(8, true) == 4);
}
