// Mistakes that the sanitizer build has to find, each in a kernel of one warp. Without instrumentation all of them go unnoticed.
#include <climits>

#include "primitives/primitives.h"
#include "test/check.h"

using namespace jcuconv;

namespace {

struct Shared {
    float v[32];
};

template <class F>
void run(F f) {
    const simt::Launch launch{"mistake", {}, 32, sizeof(Shared), [](void* g) { (*static_cast<F*>(g))(); }, &f};
    CHECK(simt::run(launch).empty());
}

int volatile four = 4, width = 32, largest = INT_MAX;
float volatile sink;

}  // namespace

JCUCONV_TEST(right) {
    run([] {
        float registers[4] = {};
        shared<Shared>().v[thread_index()] = 1.0f;
        sync_threads();
        registers[four - 1] = shared<Shared>().v[31 - thread_index()];
        sink = shuffle_xor(registers[3], 1);
    });
    // A kernel that is given up in the middle leaves nothing behind that disturbs the next one on the same stacks.
    float before[8] = {};
    const auto half = [&] {
        float registers[64] = {};
        registers[four] = before[0];
        if (thread_index() < 16) sync_threads();
        sink = registers[four];
    };
    auto body = half;
    const simt::Launch launch{"half", {}, 32, 0, [](void* g) { (*static_cast<decltype(body)*>(g))(); }, &body};
    CHECK_CONTAINS(simt::run(launch), "deadlock");
    run([] {
        float registers[128] = {};
        for (int i = 0; i < 128; ++i) registers[i] = static_cast<float>(i + four);
        sink = registers[four];
    });
}

JCUCONV_TEST(write_behind_registers) {
    run([] {
        float registers[4] = {};
        registers[four] = 1.0f;
        sink = registers[0];
    });
}

JCUCONV_TEST(write_behind_stack) {
    run([] {
        float registers[4] = {};
        float* volatile p = registers;
        p[four] = 1.0f;
        sink = registers[0];
    });
}

JCUCONV_TEST(write_on_a_stack_after_a_barrier) {
    run([] {
        float registers[4] = {};
        float* volatile p = registers;
        sync_threads();
        shuffle_xor(1, 1);
        if (thread_index() == 7) p[four] = 1.0f;
        sink = registers[0];
    });
}

JCUCONV_TEST(write_behind_shared) {
    run([] {
        float* p = shared<Shared>().v;
        p[thread_index() + 1] = 1.0f;
    });
}

JCUCONV_TEST(write_behind_global) {
    auto* memory = static_cast<float*>(simt::allocate(32 * sizeof(float)));
    run([=] { memory[thread_index() + 1] = 1.0f; });  // not by store_global, which would find it in every build
    CHECK(simt::release(memory).empty());
}

JCUCONV_TEST(signed_overflow) {
    run([] { sink = static_cast<float>(largest + thread_index() / 31); });
}

JCUCONV_TEST(shift_by_the_width) {
    run([] { sink = static_cast<float>(1u << (width + thread_index() / 32)); });
}

JCUCONV_TEST(misaligned_vector) {
    run([] {
        alignas(16) float registers[8] = {};
        const auto* p = reinterpret_cast<const Pack<float, 4>*>(registers + four - 3);
        sink = p->v[0];
    });
}
