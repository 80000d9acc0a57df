// Integer helpers for the host and the device.
#pragma once

#include <cstdint>

namespace jcuconv {

template <class T>
constexpr T ceil_div(T a, T b) {
    return (a + b - 1) / b;
}

template <class T>
constexpr T round_up(T a, T b) {
    return ceil_div(a, b) * b;
}

}  // namespace jcuconv
