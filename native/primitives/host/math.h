// Elementary functions, by the C library: a few units in the last place.
#pragma once

#include <cmath>

namespace jcuconv {

inline float pow_f32(float x, float y) { return std::pow(x, y); }
inline double pow_f64(double x, double y) { return std::pow(x, y); }
inline float sqrt_f32(float x) { return std::sqrt(x); }
inline float exp_f32(float x) { return std::exp(x); }
inline float log_f32(float x) { return std::log(x); }
inline float nan_f32() { return std::nanf(""); }
inline float tanh_f32(float x) { return std::tanh(x); }

}  // namespace jcuconv
