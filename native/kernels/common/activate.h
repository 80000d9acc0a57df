// The activation functions.
#pragma once

#include "jcuconv/problem.h"
#include "primitives/primitives.h"

namespace jcuconv {

JCUCONV_DEVICE float relu(float x) { return x < 0.0f ? 0.0f : x; }  // a NaN stays a NaN

JCUCONV_DEVICE float sigmoid(float x) {
    const float e = exp_f32(x < 0.0f ? x : -x);  // at most 1: cannot overflow
    return (x < 0.0f ? e : 1.0f) / (1.0f + e);
}

}  // namespace jcuconv
