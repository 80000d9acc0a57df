// The race detector: silent where barriers order everything, loud where one is missing, whatever the result.
#include "primitives/primitives.h"
#include "test/check.h"

using namespace jcuconv;

namespace {

struct Shared {
    int v[64];
};

template <class F>
std::string run(F f) {
    const simt::Launch launch{"race_kernel", {}, 64, sizeof(Shared), [](void* g) { (*static_cast<F*>(g))(); }, &f};
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
