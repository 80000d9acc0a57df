// Launchers of batch normalization, see jcuconv_batch_norm. Parameters and statistics are fp32 [c].
#pragma once

#include "core/device.h"
#include "core/types.h"
#include "heuristics/pixel_split.h"

namespace jcuconv {

struct BatchNormGeometry {
    std::int64_t pixels;
    int c;
    float eps, momentum;
    std::int64_t x_pitch, y_pitch;
};

struct BatchNormStatistics {
    float *save_mean, *save_var;        // written
    float *running_mean, *running_var;  // moved
};

// `workspace` holds splits x 2 x c fp32 values when there is more than one split.
Outcome batch_norm_statistics(const BatchNormGeometry& g, jcuconv_type type, int vec, const PixelSplit& split, const void* x,
                              const BatchNormStatistics& statistics, float* workspace, device::Stream stream);

// y = gamma * (x - mean) / sqrt(var + eps) + beta.
Outcome batch_norm_fwd(const BatchNormGeometry& g, jcuconv_type type, int vec, const void* x, const float* gamma,
                       const float* beta, const float* mean, const float* var, void* y, device::Stream stream);

struct BatchNormBackward {
    const void *x, *dy;
    const float *gamma, *mean, *var;
    void* dx;  // at the pitch of x
    float *dgamma, *dbeta;
};

// `workspace` as above.
Outcome batch_norm_bwd(const BatchNormGeometry& g, jcuconv_type type, int vec, const PixelSplit& split,
                       const BatchNormBackward& tensors, float* workspace, device::Stream stream);

// How the reductions over pixels share a block: one lane per `vec` channels, eight warps side by side.
constexpr int kBatchNormLanes = 32, kBatchNormWarps = 8;

}  // namespace jcuconv
