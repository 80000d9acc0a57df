// Launchers of the optimizers, one launch for all parameters of a network. See jcuconv_optimizer for the formulas and for `hyper`.
#pragma once

#include "core/device.h"
#include "core/types.h"

namespace jcuconv {

struct OptimizerTensors {
    float* w;
    const float* dw;
    float *m, *v;  // null where the rule has no such state
    const float* hyper;
    void* w_storage;  // null for fp32 storage
};

// Indices into `hyper`.
constexpr int kLearningRate = 0, kGradientScale = 1, kWeightDecay = 2, kMomentum = 3, kBeta2 = 4, kEps = 5, kCorrection1 = 6,
              kCorrection2 = 7, kApply = 8, kHyperCount = 9;

Outcome sgd(std::int64_t count, jcuconv_type storage, const OptimizerTensors& t, device::Stream stream);
Outcome adam(std::int64_t count, jcuconv_type storage, const OptimizerTensors& t, device::Stream stream);

// See jcuconv_step_control. `flag` is null without loss scaling.
struct StepControl {
    int rates, rows, growth_interval;
    const std::int32_t* flag;
    const float* rate;
    std::int32_t *counters, *seed;
    float *loss_scale, *hyper;
};

Outcome step_control(const StepControl& control, device::Stream stream);

}  // namespace jcuconv
