// Launchers of softmax with cross-entropy, see jcuconv_softmax_cross_entropy. Rows are dense.
#pragma once

#include "core/device.h"
#include "core/types.h"

namespace jcuconv {

struct SoftmaxGeometry {
    std::int64_t rows;
    int classes, ignore_label;
};

// `losses`: workspace, one fp32 per row.
Outcome softmax_cross_entropy_fwd(const SoftmaxGeometry& g, jcuconv_type type, const void* x, const std::int32_t* labels,
                                  float* loss, float* losses, device::Stream stream);
// `counted`: workspace, one fp32: the rows that count.
Outcome softmax_cross_entropy_bwd(const SoftmaxGeometry& g, jcuconv_type type, const void* x, const std::int32_t* labels,
                                  const float* loss_scale, void* dx, float* counted, device::Stream stream);

}  // namespace jcuconv
