// Launchers of the channel scale, see jcuconv_channel_scale.
#pragma once

#include "core/device.h"
#include "core/types.h"

namespace jcuconv {

struct ChannelScaleGeometry {
    std::int64_t n, pixels;  // pixels of one image
    int c;
};

constexpr int kChannelScaleLanes = 32;  // channels of a block of the backward pass

Outcome channel_scale_fwd(const ChannelScaleGeometry& g, jcuconv_type type, int vec, const void* x, const void* gates, void* y,
                          device::Stream stream);
Outcome channel_scale_bwd(const ChannelScaleGeometry& g, jcuconv_type type, const void* x, const void* gates, const void* dy, void* dx,
                          void* dgates, device::Stream stream);

}  // namespace jcuconv
