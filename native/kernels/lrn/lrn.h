// Local response normalization across channels: y = x * scale^-beta, scale[c] = k + factor * sum of x^2 over the window of
// 2 * half + 1 channels around c, clipped to those that exist.
#pragma once

#include "core/device.h"
#include "core/types.h"

namespace jcuconv {

struct LrnGeometry {
    std::int64_t pixels;
    int c, half;
    float factor, beta, k;  // factor: alpha or alpha / size, as the convention says
    std::int64_t x_pitch, y_pitch;
};

constexpr int kMaxLrnHalf = 8;  // windows of 17 channels

// `scale` (dense, fp32) may be null.
Outcome lrn_fwd(const LrnGeometry& g, jcuconv_type type, int vec, const void* x, void* y, float* scale, device::Stream stream);
// dx has the pitch of x.
Outcome lrn_bwd(const LrnGeometry& g, jcuconv_type type, int vec, const void* x, const void* dy, void* dx, device::Stream stream);

}  // namespace jcuconv
