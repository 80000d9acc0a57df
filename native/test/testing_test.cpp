// The tests' own checks: each one fails where it should. A "kernel" here is a function on the host that makes one mistake.
#include <bit>
#include <utility>

#include "test/testing/random.h"
#include "test/testing/run.h"

using namespace jcuconv;
using namespace jcuconv::test;

namespace {

JCUCONV_DELIBERATE void put(float* place, std::uint32_t bits) { *place = std::bit_cast<float>(bits); }

constexpr std::uint32_t kNan = 0xFFFFFFFFu;

// y = x + 1 over tensors with gaps between their pixels, shifted from the start of their memory, and 64 bytes of workspace.
struct Fixture {
    static constexpr int kPixels = 4, kChannels = 3, kPitch = 5, kShift = 2, kWorkspaceBytes = 64;
    Tensor x{JCUCONV_F32, kPixels, kChannels, kPitch, kShift}, y{JCUCONV_F32, kPixels, kChannels, kPitch, kShift};
    int runs = 0;
    int skipped = -1;  // an element that the kernel forgets
    bool adds = false;  // to what y holds
    Use use_of_y = Use::kOverwrites;

    Fixture() { x.write(Random(1).integers(kPixels * kChannels, 3)); }
    float* in() { return static_cast<float*>(x.address()); }
    float* out() { return static_cast<float*>(y.address()); }

    // The operation, then a mistake.
    template <class F>
    std::string run(F mistake) {
        Operation operation;
        operation.prepare = [] { return std::uint64_t{kWorkspaceBytes}; };
        operation.start = [&](void* workspace) {
            ++runs;
            for (int i = 0; i < kPixels * kChannels; ++i) {
                const int at = i / kChannels * kPitch + i % kChannels;
                if (i != skipped) out()[at] = in()[at] + 1.0f + (adds ? out()[at] : 0.0f);
            }
            mistake(static_cast<float*>(workspace));
            return Outcome();
        };
        return repeat({{"x", x.span(), Use::kReads}, {"y", y.span(), use_of_y}}, operation);
    }
    std::string run() {
        return run([](float*) {});
    }
    Expected expected() {
        Expected e;
        for (const float v : x.read()) e.value.push_back(v + 1.0);
        return e;
    }
};

}  // namespace

JCUCONV_TEST(a_right_operation_passes_and_runs_twice) {
    Fixture f;
    CHECK(f.run().empty());
    CHECK(f.runs == 2);
    CHECK(difference(f.y, f.expected(), JCUCONV_F32).empty());
}

JCUCONV_TEST(writes_around_a_tensor_are_named) {
    constexpr int kEnd = (Fixture::kPixels - 1) * Fixture::kPitch + Fixture::kChannels;
    const std::pair<int, const char*> places[] = {{kEnd, "y: a write 0 bytes behind"},
                                                  {kEnd + 63, "y: a write 252 bytes behind"},
                                                  {-Fixture::kShift - 1, "y: a write 4 bytes before"},
                                                  {-Fixture::kShift - 64, "y: a write 256 bytes before"},
                                                  {-1, "y: a write between its pixels"},
                                                  {Fixture::kChannels, "y: a write between its pixels"}};
    for (const auto& [place, text] : places) {
        Fixture f;
        CHECK_CONTAINS(f.run([&, at = place](float*) { put(f.out() + at, 0); }), text);
        put(f.out() + place, kNan);  // else releasing y would find it again
    }
}

JCUCONV_TEST(writes_around_the_workspace_are_named) {
    Fixture f;
    CHECK_CONTAINS(f.run([](float* workspace) { put(workspace - 1, 0); }), "workspace: a write 4 bytes before");
    CHECK_CONTAINS(f.run([](float* workspace) { put(workspace + Fixture::kWorkspaceBytes / 4, 0); }), "workspace: a write 0 bytes behind");
}

JCUCONV_TEST(a_changed_input_is_named) {
    Fixture f;
    CHECK_CONTAINS(f.run([&](float*) { f.in()[0] += 1; }), "x: the input was changed");
}

JCUCONV_TEST(an_element_that_is_not_written_is_found) {
    Fixture f;
    f.y.write(std::vector<float>(12, 1.0f));  // what an earlier call left
    f.skipped = 7;
    CHECK_CONTAINS(f.run(), "y: run 2");
    f.y.fill_elements(0xFF);
    f.use_of_y = Use::kUpdates;  // the same bits in both runs, but still NaN
    CHECK(f.run().empty());
    CHECK_CONTAINS(difference(f.y, f.expected(), JCUCONV_F32), "1 of 12 elements differ, first 7");
}

JCUCONV_TEST(an_output_that_accumulates_unasked_is_found) {
    Fixture f;
    f.y.write(std::vector<float>(12, 1.0f));
    f.adds = true;
    CHECK_CONTAINS(f.run(), "y: run 2");
    f.use_of_y = Use::kUpdates;
    f.y.write(std::vector<float>(12, 1.0f));
    CHECK(f.run().empty());  // every run starts from the ones
    CHECK(f.y.read()[0] == f.x.read()[0] + 2.0f);
}

JCUCONV_TEST(a_result_that_depends_on_the_run_is_found) {
    Fixture f;
    CHECK_CONTAINS(f.run([&](float*) { f.out()[2] += static_cast<float>(f.runs); }), "y: run 2");
}

JCUCONV_TEST(a_result_that_depends_on_the_workspace_is_found) {
    Fixture f;
    CHECK_CONTAINS(f.run([&](float* workspace) { f.out()[2] = workspace[3] > 0 ? 1.0f : 2.0f; }), "y: run 2");
}

JCUCONV_TEST(a_result_that_depends_on_the_order_of_threads_is_found) {
    Fixture f;
    CHECK_CONTAINS(f.run([&](float*) {
        std::vector<int> order;
        auto body = [&] { order.push_back(thread_index()); };
        const simt::Launch launch{"order", {}, 64, 0, [](void* g) { (*static_cast<decltype(body)*>(g))(); }, &body};
        CHECK(simt::run(launch).empty());
        f.out()[0] = static_cast<float>(order[5]);
    }), "y: run 2");
}

JCUCONV_TEST(a_result_that_depends_on_the_number_of_multiprocessors_is_found) {
    Fixture f;
    CHECK_CONTAINS(f.run([&](float*) { f.out()[0] = static_cast<float>(device::multiprocessors() / 100); }),
                   "y: run 3 (3 multiprocessors) gave other bits");
    Fixture one;
    CHECK_CONTAINS(one.run([&](float*) { one.out()[0] = device::multiprocessors() > 1 ? 1.0f : 2.0f; }), "y: run 4 (1 multiprocessors)");
    Fixture right;
    CHECK(right.run([](float*) { (void)device::multiprocessors(); }).empty());
    CHECK(right.runs == 4);
    CHECK(simt::runtime_options().multiprocessors == 132);
}
