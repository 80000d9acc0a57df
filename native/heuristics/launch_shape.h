// What one launch asks of a device, as plain numbers: computed by heuristics/, obeyed by the launchers, tested against every
// architecture.
#pragma once

#include <cstdint>

namespace jcuconv {

struct LaunchShape {
    std::int64_t grid_x = 1, grid_y = 1, grid_z = 1;
    int threads = 0;
    int shared_bytes = 0;
    int registers = 0;  // per thread, at most: kernel_budget.h
};

}  // namespace jcuconv
