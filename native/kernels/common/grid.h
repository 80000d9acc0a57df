// The grid that heuristics/ computed, as a launch wants it.
#pragma once

#include "heuristics/launch_shape.h"
#include "primitives/primitives.h"

namespace jcuconv {

inline Dim3 grid_of(const LaunchShape& shape) {
    return {static_cast<unsigned>(shape.grid_x), static_cast<unsigned>(shape.grid_y), static_cast<unsigned>(shape.grid_z)};
}

}  // namespace jcuconv
