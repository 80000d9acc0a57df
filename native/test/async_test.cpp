// Host programs that forget to wait, or capture what cannot be captured, are caught without a GPU; the right ones give the same bits
// in every order that events allow.
#include <cmath>

#include "test/testing/async_program.h"

using namespace jcuconv;
using namespace jcuconv::test;

namespace {

constexpr std::uint64_t kSeeds = 100;

// Sets an order of streams for one scope.
struct Order {
    explicit Order(const simt::RuntimeOptions& options) { simt::set_runtime_options(options); }
    ~Order() { simt::set_runtime_options({}); }
};

const simt::RuntimeOptions kLate{}, kEager{0, 132, true};

bool captures(AsyncBug bug) { return bug >= AsyncBug::kCaptureWithSynchronise; }

Numbers run(AsyncBug bug, bool captured) {
    AsyncProgram program(bug);
    return captured ? program.train_captured() : program.train();
}

// Empty, or how the program went wrong.
std::string caught(AsyncBug bug, const Numbers& right) {
    try {
        return run(bug, captures(bug)) == right ? "" : "wrong numbers";
    } catch (const Refused& refused) {
        return refused.what();
    }
}

// The same training in fp64, without streams.
void expect_training(const Numbers& actual) {
    double w[kWeights];
    for (std::size_t i = 0; i < kWeights; ++i) w[i] = first_weight(i);
    constexpr double kTolerance = 1e-5;  // seven steps of sums of at most eight products near 1
    for (int step = 0; step < kSteps; ++step) {
        double loss = 0, dw[kWeights]{};
        for (int row = 0; row < kRows; ++row) {
            double y[kClasses]{}, sum = 0;
            for (int k = 0; k < kClasses; ++k) {
                for (int c = 0; c < kInputs; ++c) y[k] += w[k * kInputs + c] * input(step, static_cast<std::size_t>(row * kInputs + c));
                sum += std::exp(y[k]);
            }
            loss += (std::log(sum) - y[label(row)]) / kRows;
            for (int k = 0; k < kClasses; ++k)
                for (int c = 0; c < kInputs; ++c)
                    dw[k * kInputs + c] += (std::exp(y[k]) / sum - (k == label(row))) / kRows *
                                           input(step, static_cast<std::size_t>(row * kInputs + c));
        }
        CHECK(std::abs(actual.losses[static_cast<std::size_t>(step)] - loss) <= kTolerance);
        for (std::size_t i = 0; i < kWeights; ++i) w[i] -= static_cast<double>(rate(step)) * dw[i];
    }
    for (std::size_t i = 0; i < kWeights; ++i) CHECK(std::abs(actual.weights[i] - w[i]) <= kTolerance);
}

Numbers right_numbers() {
    const Order eager(kEager);
    return run(AsyncBug::kNone, false);
}

}  // namespace

JCUCONV_TEST(the_right_program_gives_the_same_bits_late_eager_and_in_random_order) {
    const Numbers right = right_numbers();
    expect_training(right);
    for (const bool captured : {false, true}) {
        CHECK(run(AsyncBug::kNone, captured) == right);
        for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
            const Order random({.seed = seed});
            CHECK(run(AsyncBug::kNone, captured) == right);
        }
        const Order eager(kEager);
        CHECK(run(AsyncBug::kNone, captured) == right);
    }
}

JCUCONV_TEST(every_bug_of_the_list_is_caught_late) {
    const Numbers right = right_numbers();
    int hidden_when_eager = 0;
    for (int i = 1; i < static_cast<int>(AsyncBug::kCount); ++i) {
        const auto bug = static_cast<AsyncBug>(i);
        const std::string how = caught(bug, right);
        if (how.empty()) report(__FILE__, __LINE__, std::string(kAsyncBugs[i]) + " was not caught");
        const Order eager(kEager);
        const bool hidden = caught(bug, right).empty();
        hidden_when_eager += hidden;
        std::printf("  %-26s %s%s\n", kAsyncBugs[i], how.c_str(), hidden ? " (not when eager)" : "");
    }
    CHECK(hidden_when_eager > 0);  // else running late would find nothing
}

JCUCONV_TEST(bugs_of_order_are_caught_in_random_order_too) {
    const Numbers right = right_numbers();
    for (const AsyncBug bug : {AsyncBug::kWaitMissing, AsyncBug::kEventTooEarly, AsyncBug::kWaitBeforeRecord, AsyncBug::kFreeInFlight,
                               AsyncBug::kDeviceBufferOverwritten, AsyncBug::kWorkspaceShared, AsyncBug::kUpdateBeforeGradient}) {
        for (std::uint64_t seed = 1; seed <= 20; ++seed) {
            const Order random({.seed = seed});
            CHECK(!caught(bug, right).empty());
        }
    }
}
