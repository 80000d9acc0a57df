// What a configuration should cost on a GPU, before anybody has run it: bytes, FLOP, waves, and the part of the roofline to expect.
#pragma once

#include "heuristics/conv2d_config.h"

namespace jcuconv {

// Ceilings of a GPU. Those of the H200: copies are measured by others; the mma.sync rate is an assumption, 0.62 of what wgmma reaches,
// until a microbenchmark has measured it; FFMA is 0.9 of 67 TFLOP/s.
struct Ceilings {
    double bytes_per_us = 4.3e6;
    double wgmma_flop_per_us = 790e6; // fp16 and bf16, measured by others
    double mma_flop_per_us = 490e6;   // fp16 and bf16; tf32 has half of it, three terms a sixth
    double ffma_flop_per_us = 60e6;
    int multiprocessors = 132;
};

struct Conv2dEstimate {
    double flop = 0;    // of the convolution
    double bytes = 0;   // its tensors, each once, and the parts of a split
    double floor_us = 0;      // of any kernel on the same units: the larger of bytes and FLOP over their ceilings
    double expected_us = 0;   // of this kernel: padding of the tiles, whole waves, the rate of its inner loop
    double waves = 0;         // blocks over blocks that are resident together
    bool memory_bound = false;

    double part() const { return expected_us > 0 ? floor_us / expected_us : 0; }
};

Conv2dEstimate estimate_conv2d(const Conv2dTask& task, const Conv2dConfig& config, const Ceilings& ceilings = {});

// One line for people: "an H200 should take 12.3 us, 65 % of its roofline (math)".
std::string describe(const Conv2dEstimate& estimate);

}  // namespace jcuconv
