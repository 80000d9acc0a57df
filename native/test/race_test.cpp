// The race detector: silent where barriers order everything, loud where one is missing, whatever the result.
#include "primitives/primitives.h"
#include "test/check.h"

using namespace jcuconv;

namespace {

struct Shared {
    int v[64];
};

template <class F>
std::string run(F f, std::size_t bytes = sizeof(Shared)) {
    const simt::Launch launch{"race_kernel", {}, 64, bytes, [](void* g) { (*static_cast<F*>(g))(); }, &f};
    return simt::run(launch);
}

int volatile sink;

}  // namespace

JCUCONV_TEST(race_barriers_order_everything) {
    CHECK(run([] {
              auto& s = shared<Shared>();
              for (int i = 0; i < 3; ++i) {
                  s.v[thread_index()] = i;
                  sync_threads();
                  sink = s.v[63 - thread_index()];
                  sync_threads();
              }
          }).empty());
}

JCUCONV_TEST(race_missing_first_barrier_is_found) {
    CHECK_CONTAINS(run([] {
                       auto& s = shared<Shared>();
                       s.v[thread_index()] = 1;
                       sink = s.v[63 - thread_index()];
                   }),
                   "and no barrier lies between");
}

JCUCONV_TEST(race_missing_second_barrier_is_found_though_the_result_is_right) {
    CHECK_CONTAINS(run([] {
                       auto& s = shared<Shared>();
                       s.v[thread_index()] = 1;
                       sync_threads();
                       sink = s.v[63 - thread_index()];
                       s.v[thread_index()] = 1;
                   }),
                   "and no barrier lies between");
}

JCUCONV_TEST(race_sync_warp_orders_a_warp_and_a_shuffle_does_not) {
    const auto exchange = [](bool sync) {
        return run([=] {
            auto& s = shared<Shared>();
            s.v[thread_index()] = 1;
            if (sync) {
                sync_warp();
            } else {
                shuffle_xor(1, 1);
            }
            sink = s.v[thread_index() ^ 1];
        });
    };
    CHECK(exchange(true).empty());
    CHECK_CONTAINS(exchange(false), "race on byte");
}

JCUCONV_TEST(race_named_barrier_orders_who_waits_after_who_arrived) {
    const auto hand_over = [](bool back) {
        return run([=] {
            auto& s = shared<Shared>();
            if (thread_index() < 32) {
                s.v[thread_index()] = 1;
                bar_arrive(1, 64);
                if (back) s.v[thread_index()] = 2;  // the reader has not said that it is done
            } else {
                bar_sync(1, 64);
                sink = s.v[thread_index() - 32];
            }
        });
    };
    CHECK(hand_over(false).empty());
    CHECK_CONTAINS(hand_over(true), "race on byte");
}

JCUCONV_TEST(race_atomics_do_not_race_with_each_other_but_with_reads) {
    const auto count = [](bool barrier) {
        return run([=] {
            auto& s = shared<Shared>();
            if (thread_index() == 0) s.v[0] = 0;
            sync_threads();
            atomic_add(&s.v[0], 1);
            if (barrier) sync_threads();
            sink = s.v[0];
        });
    };
    CHECK(count(true).empty());
    CHECK_CONTAINS(count(false), "race on byte 0");
}

namespace {

// Which synchronisation of a loop that refills one buffer is left out.
enum class Missing { kNothing, kWait, kBarrierAfterWait, kBarrierBeforeRefill };

std::string refill(Missing missing, simt::Copies copies, bool matrix) {
    auto* source = static_cast<int*>(simt::allocate(2 * sizeof(Shared)));
    simt::set_options({.copies = copies});
    const auto error = run([=] {
        auto& s = shared<Shared>();
        for (int i = 0; i < 2; ++i) {
            if (thread_index() < 16) cp_async<16>(&s.v[4 * thread_index()], source + 64 * i + 4 * thread_index());
            cp_async_commit();
            if (missing != Missing::kWait) cp_async_wait<0>();
            if (missing != Missing::kBarrierAfterWait) sync_threads();
            if (matrix) {
                std::uint32_t registers[1];
                ldmatrix(registers, &s.v[4 * (thread_index() % 8)]);
                sink = static_cast<int>(registers[0]);
            } else {
                sink = s.v[63 - thread_index()];
            }
            if (missing != Missing::kBarrierBeforeRefill) sync_threads();
        }
        cp_async_wait<0>();
    });
    simt::set_options({});
    CHECK(simt::release(source).empty());
    return error;
}

}  // namespace

JCUCONV_TEST(race_copies_are_writes_from_their_issue_to_their_wait) {
    for (const bool matrix : {false, true}) {
        for (const auto mode : {simt::Copies::kLazy, simt::Copies::kEager, simt::Copies::kRandom}) {
            CHECK(refill(Missing::kNothing, mode, matrix).empty());
            CHECK(!refill(Missing::kBarrierAfterWait, mode, matrix).empty());
            CHECK_CONTAINS(refill(Missing::kBarrierBeforeRefill, mode, matrix), "race on byte");
            CHECK_CONTAINS(refill(Missing::kWait, mode, matrix), "is in flight");
        }
    }
}

// The read belongs to the lane that names the row, not to the lane that runs the operation for the warp.
JCUCONV_TEST(race_ldmatrix_reads_are_booked_on_the_lane_that_names_the_row) {
    const auto load = [](int row_of_lane_0, bool sync) {
        return run([=] {
            auto& s = shared<Shared>();
            if (thread_index() < 8)
                for (int i = 0; i < 4; ++i) s.v[4 * thread_index() + i] = i;
            if (sync) sync_threads();
            std::uint32_t registers[1];
            const int lane = thread_index() % 32;
            if (thread_index() < 32) ldmatrix(registers, &s.v[4 * (lane == 0 ? row_of_lane_0 : lane % 8)]);
        });
    };
    CHECK(load(0, false).empty());  // each lane names the row that it wrote
    CHECK(load(5, true).empty());
    const auto error = load(5, false);
    CHECK_CONTAINS(error, "thread 5: race on byte 80 of shared memory: this thread writes what thread 0 read");
}

JCUCONV_TEST(race_plain_writes_to_a_copy_in_flight_are_found) {
    auto* source = static_cast<int*>(simt::allocate(sizeof(Shared)));
    CHECK_CONTAINS(run([=] {
                       auto& s = shared<Shared>();
                       cp_async<4>(&s.v[thread_index()], source + thread_index());
                       cp_async_commit();
                       s.v[thread_index()] = 1;
                       cp_async_wait<0>();
                   }),
                   "a write touches bytes 0-3 of shared memory while the copy that thread 0 issued at race_test.cpp:");
    CHECK(simt::release(source).empty());
}

namespace {

struct Operands {
    alignas(1024) float v[4096];
    alignas(8) Mbarrier full;
};

// Plain stores, then a product that reads them.
std::string product(bool fenced, bool barrier) {
    const auto body = [&] {
        auto& s = shared<Operands>();
        for (int i = thread_index(); i < 4096; i += 128) s.v[i] = 0.0f;
        if (fenced) fence_async_proxy();
        if (barrier) sync_threads();
        float sums[8][4];
        const auto whole = wgmma_descriptor(s.v, 16, 1024, Swizzle::k128);
        wgmma_fence();
        wgmma<f16, 64>(sums, whole, whole, false);
        wgmma_commit();
        wgmma_wait<0>();
    };
    const simt::Launch launch{"race_kernel", {}, 128, sizeof(Operands), [](void* g) { (*static_cast<decltype(&body)>(g))(); }, const_cast<void*>(static_cast<const void*>(&body))};
    return simt::run(launch);
}

}  // namespace

JCUCONV_TEST(race_missing_proxy_fence_before_a_product_is_found) {
    CHECK(product(true, true).empty());
    CHECK_CONTAINS(product(false, true), "without a fence_async_proxy afterwards");
    CHECK_CONTAINS(product(true, false), "no barrier lies between");
}

JCUCONV_TEST(race_mbarriers_order_who_waits_after_who_arrived) {
    const auto hand_over = [](bool wait) {
        return run([=] {
            auto& s = shared<Operands>();
            if (thread_index() == 0) mbar_init(s.full, 1);
            sync_threads();
            if (thread_index() == 0) {
                s.v[0] = 1;
                mbar_arrive(s.full);
            } else if (thread_index() == 32) {
                if (wait) mbar_wait(s.full, 0);
                sink = static_cast<int>(s.v[0]);
            }
        }, sizeof(Operands));
    };
    CHECK(hand_over(true).empty());
    CHECK_CONTAINS(hand_over(false), "no barrier lies between");
}

JCUCONV_TEST(race_mbarrier_used_before_others_can_know_of_it_is_found) {
    CHECK_CONTAINS(run([] {
                       auto& s = shared<Operands>();
                       if (thread_index() == 0) mbar_init(s.full, 1);
                       if (thread_index() == 1) mbar_arrive(s.full);
                   }, sizeof(Operands)),
                   "no barrier lies between");
}
