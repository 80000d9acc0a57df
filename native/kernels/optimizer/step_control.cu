// The decisions of a training step, see jcuconv_step_control: which rate, whether to apply the update, the next loss scale.
//
// Layouts    flag int32 [1] or absent, rate fp32 [rates], counters int32 [8], seed int32 [4], loss_scale fp32 [1], hyper
//            fp32 [rows][9].
// Mapping    One thread: a dozen dependent scalars.
// Limits     Steps and updates count in 64 bits, as two int32 because the host reads them as a tensor of int32.
// Resources  No shared memory. Cost: a launch.
// Lost       The same on the host: a training step could not be one CUDA graph, since the host would wait for the flag.
#include "kernels/optimizer/optimizer.h"
#include "primitives/primitives.h"

namespace jcuconv {

namespace {

// Indices into `counters`.
constexpr int kStep = 0, kUpdates = 2, kGoodSteps = 4, kRanks = 5, kApplied = 6;
constexpr int kSeedStep = 2;  // into `seed`
constexpr float kLeastScale = 1.0f, kMostScale = 16777216.0f;

JCUCONV_DEVICE std::uint64_t load_wide(const std::int32_t* low) {
    return std::uint64_t{static_cast<std::uint32_t>(load_global(low + 1))} << 32 | static_cast<std::uint32_t>(load_global(low));
}

JCUCONV_DEVICE void store_wide(std::int32_t* low, std::uint64_t value) {
    store_global(low, static_cast<std::int32_t>(static_cast<std::uint32_t>(value)));
    store_global(low + 1, static_cast<std::int32_t>(static_cast<std::uint32_t>(value >> 32)));
}

// 1 - beta^t, in fp64 because beta is close to 1.
JCUCONV_DEVICE float correction(float beta, std::uint64_t t) {
    return static_cast<float>(1.0 - pow_f64(double{beta}, static_cast<double>(t)));
}

JCUCONV_KERNEL(1)
step_control_kernel(const StepControl c) {
    const bool scaling = c.flag != nullptr;
    const bool overflow = scaling && load_global(c.flag) != 0;
    const std::uint64_t step = load_wide(c.counters + kStep);
    const std::uint64_t updates = load_wide(c.counters + kUpdates) + (overflow ? 0u : 1u);
    const auto last = static_cast<std::uint64_t>(c.rates - 1);
    const float rate = load_global(c.rate + (step < last ? step : last)), scale = load_global(c.loss_scale);
    const auto gradient_scale = static_cast<float>(1.0 / (double{scale} * load_global(c.counters + kRanks)));
    for (int row = 0; row < c.rows; ++row) {
        float* hyper = c.hyper + row * kHyperCount;
        store_global(hyper + kLearningRate, rate);
        store_global(hyper + kGradientScale, gradient_scale);
        store_global(hyper + kCorrection1, correction(load_global(hyper + kMomentum), updates));
        store_global(hyper + kCorrection2, correction(load_global(hyper + kBeta2), updates));
        store_global(hyper + kApply, overflow ? 0.0f : 1.0f);
    }
    if (scaling) {
        const std::int32_t good = overflow ? 0 : load_global(c.counters + kGoodSteps) + 1;
        const bool grow = good >= c.growth_interval;
        if (overflow) store_global(c.loss_scale, scale / 2 > kLeastScale ? scale / 2 : kLeastScale);
        if (grow) store_global(c.loss_scale, scale * 2 < kMostScale ? scale * 2 : kMostScale);
        store_global(c.counters + kGoodSteps, grow ? 0 : good);
    }
    store_wide(c.counters + kStep, step + 1);
    store_wide(c.counters + kUpdates, updates);
    store_global(c.counters + kApplied, overflow ? 0 : 1);
    store_wide(c.seed + kSeedStep, step + 1);
}

}  // namespace

Outcome step_control(const StepControl& control, device::Stream stream) {
    return launch("step_control", step_control_kernel, {1, 1, 1}, 1, 0, stream, control);
}

}  // namespace jcuconv
