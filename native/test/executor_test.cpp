// The executor and the host primitives: what they compute, and that they find what a GPU would hide.
#include <cmath>
#include <cstring>
#include <set>
#include <vector>

#include "primitives/primitives.h"
#include "test/check.h"
#include "test/testing/kernel.h"

using namespace jcuconv;

namespace {

template <class F>
std::string run(F f, int threads, std::size_t shared_bytes = 0, Dim3 grid = {}, std::uint64_t seed = 0) {
    return test::run_kernel(f, threads, shared_bytes, {.seed = seed}, grid);
}

template <class T>
JCUCONV_DELIBERATE void put(T* place, T value) {
    *place = value;
}

struct Numbers {
    int v[1024];
};

}  // namespace

JCUCONV_TEST(every_thread_of_every_block_runs_once) {
    std::vector<int> seen(2 * 3 * 4 * 100);
    const auto error = run(
        [&] {
            const auto b = block_index();
            const auto g = grid_size();
            ++seen[(((b.z * g.y) + b.y) * g.x + b.x) * 100 + static_cast<unsigned>(thread_index())];
        },
        100, 0, {2, 3, 4});
    CHECK(error.empty());
    for (int n : seen) CHECK(n == 1);
}

JCUCONV_TEST(barrier_orders_writes_before_reads_in_any_order) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        bool all_right = true;
        const auto error = run(
            [&] {
                auto& s = shared<Numbers>();
                for (int round = 0; round < 5; ++round) {
                    s.v[thread_index()] = 7 * thread_index() + round;
                    sync_threads();
                    const int other = block_size() - 1 - thread_index();
                    all_right = all_right && s.v[other] == 7 * other + round;
                    sync_threads();
                }
            },
            257, sizeof(Numbers), {}, seed);
        CHECK(error.empty());
        CHECK(all_right);
    }
}

JCUCONV_TEST(shuffles_and_ballots_follow_their_definition) {
    bool all_right = true;
    const auto error = run(
        [&] {
            const int lane = thread_index() % 32;
            all_right = all_right && shuffle_xor(thread_index(), 5) == (thread_index() ^ 5);
            all_right = all_right && shuffle_down(lane, 3) == (lane + 3 < 32 ? lane + 3 : lane);
            all_right = all_right && shuffle(1.5 * lane, 31) == 1.5 * 31;
            all_right = all_right && ballot(lane % 3 == 0) == 0x49249249u;
            sync_warp();
        },
        96);
    CHECK(error.empty());
    CHECK(all_right);
}

JCUCONV_TEST(named_barriers_serve_producers_and_consumers) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        int sum = 0;
        const auto error = run(
            [&] {
                auto& s = shared<Numbers>();
                if (thread_index() < 32) {
                    s.v[thread_index()] = thread_index();
                    bar_arrive(3, 64);
                } else {
                    bar_sync(3, 64);
                    sum += s.v[thread_index() - 32];
                }
            },
            64, sizeof(Numbers), {}, seed);
        CHECK(error.empty());
        CHECK(sum == 31 * 32 / 2);
    }
}

JCUCONV_TEST(random_order_is_another_order_and_repeatable) {
    const auto order = [](std::uint64_t seed) {
        std::vector<int> list;
        CHECK(run([&] { list.push_back(thread_index()); }, 64, 0, {}, seed).empty());
        return list;
    };
    CHECK(order(1) == order(1));
    CHECK(order(1) != order(2));
    CHECK(order(1) != order(0));
}

JCUCONV_TEST(divergent_barrier_is_an_error) {
    const auto error = run(
        [] {
            if (thread_index() < 5) {
                sync_threads();
            } else {
                sync_threads();
            }
        },
        64);
    CHECK_CONTAINS(error, "divergent barrier");
    CHECK_CONTAINS(error, "executor_test.cpp:");
}

JCUCONV_TEST(early_return_before_a_barrier_is_a_deadlock_report) {
    const auto error = run(
        [] {
            if (thread_index() >= 40 && thread_index() != 50) return;
            sync_threads();
        },
        64);
    CHECK_CONTAINS(error, "deadlock");
    CHECK_CONTAINS(error, "threads 0-39,50 waiting at executor_test.cpp:");
    CHECK_CONTAINS(error, "barrier 0 (41 of 64 arrived)");
    CHECK_CONTAINS(error, "threads 40-49,51-63 returned");
}

JCUCONV_TEST(divergent_warp_is_an_error) {
    CHECK_CONTAINS(run([] { thread_index() % 2 ? shuffle_xor(1, 1) : shuffle_down(1, 1); }, 32), "divergent warp");
    CHECK_CONTAINS(run(
                       [] {
                           if (thread_index() < 16) shuffle_xor(1, 1);
                       },
                       32),
                   "in shuffle_xor of warp 0 (16 of 32 lanes arrived)");
    CHECK_CONTAINS(run([] { shuffle_xor(1, 16); }, 40), "a shuffle reads lane");
}

// Each warp is at another place: the report says who waits where and for whom.
JCUCONV_TEST(deadlock_report_groups_threads_by_what_they_wait_for) {
    const auto error = run(
        [] {
            const int warp = thread_index() / 32;
            if (warp == 0) bar_sync(2, 96);
            if (warp == 1) sync_threads();
            if (warp == 2 && thread_index() % 2 == 0) ballot(true);
        },
        128, 0, {2, 1, 1});
    CHECK_CONTAINS(error, "test_kernel, block (0,0,0): deadlock, no thread can run\n");
    CHECK_CONTAINS(error, "\n    threads 0-31 waiting at executor_test.cpp:");
    CHECK_CONTAINS(error, "for barrier 2 (32 of 96 arrived)");
    CHECK_CONTAINS(error, "\n    threads 32-63 waiting at executor_test.cpp:");
    CHECK_CONTAINS(error, "for barrier 0 (32 of 128 arrived)");
    CHECK_CONTAINS(error, "threads 64,66,68,70,72,74,76,78,80,82,84,86,88,90,92,94 waiting at executor_test.cpp:");
    CHECK_CONTAINS(error, "in ballot of warp 2 (16 of 32 lanes arrived)");
    CHECK_CONTAINS(error, ",95-127 returned");
}

JCUCONV_TEST(refusal_ends_the_grid_with_its_reason) {
    CHECK_CONTAINS(run([] { refuse("needs sm_80"); }, 32), "thread 0: needs sm_80");
}

JCUCONV_TEST(mixed_barrier_counts_are_an_error) {
    const auto error = run([] { thread_index() < 32 ? bar_sync(1, 64) : bar_sync(1, 96); }, 96);
    CHECK_CONTAINS(error, "barrier 1 is used for 96 threads");
    CHECK_CONTAINS(run([] { bar_sync(1, 40); }, 64), "multiple of 32");
    CHECK_CONTAINS(run([] { bar_sync(16, 64); }, 64), "does not exist");
}

JCUCONV_TEST(shared_memory_starts_as_nan_in_every_block) {
    struct Floats {
        float v[64];
    };
    bool all_nan = true;
    const auto error = run(
        [&] {
            auto& s = shared<Floats>();
            all_nan = all_nan && std::isnan(s.v[thread_index()]);
            s.v[thread_index()] = 1.0f;
        },
        64, sizeof(Floats), {3, 1, 1});
    CHECK(error.empty());
    CHECK(all_nan);
}

JCUCONV_TEST(shared_memory_limits_are_checked) {
    CHECK_CONTAINS(run([] { shared<Numbers>().v[0] = 1; }, 32, 64), "uses 4096 bytes of shared memory, the launch gives 64");
    CHECK_CONTAINS(run([] { put(&shared<Numbers>().v[0] + 1024 + thread_index(), 1); }, 32, sizeof(Numbers)),
                   "bytes behind its 4096 bytes");
}

JCUCONV_TEST(launch_limits_are_checked) {
    CHECK_CONTAINS(run([] {}, 1025), "block size 1025");
    CHECK_CONTAINS(run([] {}, 32, 0, {1, 65536, 1}), "grid exceeds");
    CHECK_CONTAINS(run([] {}, 32, 0, {0, 1, 1}), "empty grid");
    CHECK_CONTAINS(run([] {}, 32, 300 * 1024), "exceed");
}

JCUCONV_TEST(global_accesses_are_checked) {
    auto* p = static_cast<float*>(simt::allocate(100 * sizeof(float)));
    CHECK(std::isnan(p[0]) && std::isnan(p[99]));
    CHECK(run([=] { store_global(p + thread_index(), 2.0f); }, 100).empty());
    CHECK_CONTAINS(run([=] { load_global(p + thread_index()); }, 101), "at byte 400 of an allocation of 400 bytes");
    CHECK_CONTAINS(run([=] { store_global(p - 1, 1.0f); }, 1), "write of 4 bytes");
    CHECK_CONTAINS(run([=] { load_global(reinterpret_cast<const Pack<float, 4>*>(p + 1)); }, 1), "not aligned to 16");
    CHECK(simt::release(p).empty());
    CHECK_CONTAINS(run([=] { load_global(p); }, 1), "read of 4 bytes");
}

// Byte by byte: a call of memcpy would be seen by the sanitizer all the same.
template <class T>
JCUCONV_DELIBERATE T peek(const std::byte* place) {
    T v;
    for (std::size_t i = 0; i < sizeof v; ++i) reinterpret_cast<volatile std::byte*>(&v)[i] = place[i];
    return v;
}

// Whatever type a kernel reads there, unmasked padding cannot pass for a number.
JCUCONV_TEST(guard_bands_are_nan_in_every_type_and_reading_them_is_an_error) {
    auto* p = static_cast<std::byte*>(simt::allocate(8));
    for (const int offset : {-64, -8, 0, 8, 64}) {
        const auto read = [&]<class T>(T) { return peek<T>(p + offset); };
        CHECK(std::isnan(read(float{})) && std::isnan(read(double{})));
        CHECK(std::isnan(to_f32(read(f16{}))) && std::isnan(to_f32(read(bf16{}))) && std::isnan(to_f32(read(tf32{}))));
        CHECK(read(int{}) == -1);
        const auto load = [&]<class T>(T) { return run([&] { load_global(reinterpret_cast<const T*>(p + offset)); }, 1); };
        for (const auto& error : {load(float{}), load(f16{}), load(bf16{}), load(std::uint64_t{}), load(Pack<f16, 4>{})})
            CHECK(error.empty() == (offset == 0));
    }
    CHECK(simt::release(p).empty());
}

JCUCONV_TEST(guard_bands_find_writes_around_a_buffer) {
    auto* behind = static_cast<char*>(simt::allocate(100));
    put(behind + 100 + 7, '\1');
    CHECK_CONTAINS(simt::release(behind), "a write 7 bytes behind");
    auto* before = static_cast<char*>(simt::allocate(100));
    put(before - 4, '\1');
    CHECK_CONTAINS(simt::release(before), "a write 4 bytes before");
    CHECK_CONTAINS(simt::release(before), "not a live allocation");
    CHECK(simt::live_allocations() == 0);
}

JCUCONV_TEST(atomics_count_every_thread) {
    auto* p = static_cast<int*>(simt::allocate(sizeof(int)));
    *p = 0;
    std::set<int> seen;
    CHECK(run([&] { seen.insert(atomic_add(p, 1)); }, 128, 0, {4, 1, 1}, 3).empty());
    CHECK(*p == 512);
    CHECK(seen.size() == 512);
    CHECK_CONTAINS(run([&] { atomic_add(p + 1, 1); }, 1), "atomic_add at executor_test.cpp:");
    CHECK(simt::release(p).empty());
}

JCUCONV_TEST(conversions_round_to_nearest_even) {
    CHECK(to_f32(from_f32<f16>(2049.0f)) == 2048.0f);
    CHECK(to_f32(from_f32<f16>(2051.0f)) == 2052.0f);
    CHECK(std::isinf(to_f32(from_f32<f16>(65520.0f))));
    CHECK(to_f32(from_f32<f16>(5.9604645e-8f)) == 5.9604645e-8f);  // the smallest subnormal
    CHECK(to_f32(from_f32<bf16>(257.0f)) == 256.0f);
    CHECK(to_f32(from_f32<bf16>(259.0f)) == 260.0f);
    CHECK(std::isinf(to_f32(from_f32<bf16>(3.4e38f))));
    CHECK(std::isnan(to_f32(from_f32<bf16>(std::nanf("")))) && std::isnan(to_f32(from_f32<f16>(std::nanf("")))));
}
