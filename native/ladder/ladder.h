// What every step of the ladder shares: the problem, its data, the check and the clock. A step is one kernel and a call of climb().
//
// The problem is the convolution that most networks spend their time in: 3x3, one pixel of padding, NHWC, fp16 in and out, fp32 sums:
//     y[n,p,q,k] = sum over r,s,c of x[n,p+r-1,q+s-1,c] * w[k,r,s,c]
// On the emulated device it is small and only checked. On a GPU it is the size of a ResNet layer and timed too.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "core/device.h"
#include "primitives/primitives.h"

namespace jcuconv::ladder {

struct Problem {
    int n, h, w, c, k;  // output pixels are as many as input pixels

    constexpr std::int64_t pixels() const { return std::int64_t{n} * h * w; }
    double flop() const { return 2.0 * static_cast<double>(pixels()) * k * 9 * c; }
    double bytes() const { return 2.0 * (static_cast<double>(pixels()) * (c + k) + 9.0 * c * k); }
};

#if defined(__CUDACC__)
constexpr Problem kProblem{32, 56, 56, 64, 64};
constexpr int kRounds = 50;
#else
constexpr Problem kProblem{2, 9, 10, 40, 72};  // no multiple of any tile
constexpr int kRounds = 0;
#endif

// Element (pixel, depth) of the matrix of patches, which is never stored. Depth is (r,s,c), c fastest.
JCUCONV_DEVICE f16 patch(const Problem& p, const f16* x, std::int64_t pixel, int depth) {
    const int tap = depth / p.c, c = depth % p.c;
    const std::int64_t line = pixel / p.w;
    const int row = static_cast<int>(line % p.h) + tap / 3 - 1, column = static_cast<int>(pixel % p.w) + tap % 3 - 1;
    const bool inside = pixel < std::int64_t{p.n} * p.h * p.w && tap < 9 && row >= 0 && row < p.h && column >= 0 && column < p.w;
    return inside ? load_global(x + ((line / p.h * p.h + row) * p.w + column) * p.c + c) : from_f32<f16>(0.0f);
}

// Small integers: every sum is exact, whatever the order.
inline float value(std::uint32_t i) { return static_cast<float>(static_cast<int>((i * 2654435761u) >> 29) - 4); }

// fp16 of a small integer, on the host of either compiler.
inline std::uint16_t half_bits(float v) {
    if (v == 0) return 0;
    const std::uint16_t sign = v < 0 ? 0x8000 : 0;
    int magnitude = static_cast<int>(v < 0 ? -v : v), exponent = 25;
    while (magnitude < 1024) magnitude *= 2, --exponent;
    while (magnitude >= 2048) magnitude /= 2, ++exponent;
    return static_cast<std::uint16_t>(sign | exponent << 10 | (magnitude & 1023));
}

inline float expected(const Problem& p, std::int64_t pixel, int k) {
    const int q = static_cast<int>(pixel % p.w), line = static_cast<int>(pixel / p.w % p.h);
    const std::int64_t image = pixel / p.w / p.h;
    float sum = 0;
    for (int r = 0; r < 3; ++r)
        for (int s = 0; s < 3; ++s) {
            const int y = line + r - 1, x = q + s - 1;
            if (y < 0 || y >= p.h || x < 0 || x >= p.w) continue;
            for (int c = 0; c < p.c; ++c) {
                const auto at = static_cast<std::uint32_t>(((image * p.h + y) * p.w + x) * p.c + c);
                sum += value(at) * value(7u + static_cast<std::uint32_t>(((k * 3 + r) * 3 + s) * p.c + c));
            }
        }
    return sum;
}

// Runs a step: launcher(problem, x, w, y, stream). Returns the exit status of its program.
template <class Launcher>
int climb(const char* step, const char* idea, Launcher launcher) {
    const Problem p = kProblem;
    const std::size_t xs = static_cast<std::size_t>(p.pixels()) * p.c, ws = std::size_t{9} * p.c * p.k, ys = static_cast<std::size_t>(p.pixels()) * p.k;
    std::vector<std::uint16_t> x(xs), w(ws), y(ys);
    for (std::size_t i = 0; i < xs; ++i) x[i] = half_bits(value(static_cast<std::uint32_t>(i)));
    for (std::size_t i = 0; i < ws; ++i) w[i] = half_bits(value(7u + static_cast<std::uint32_t>(i)));
    const auto must = [](const Outcome& outcome) {
        if (outcome.ok()) return;
        std::printf("%s\n", outcome.text.c_str());
        std::exit(1);
    };
    void *dx, *dw, *dy;
    must(device::allocate(xs * 2, &dx));
    must(device::allocate(ws * 2, &dw));
    must(device::allocate(ys * 2, &dy));
    must(device::copy(dx, x.data(), xs * 2, device::Copy::kToDevice, nullptr));
    must(device::copy(dw, w.data(), ws * 2, device::Copy::kToDevice, nullptr));
    must(device::fill(dy, 0xFF, ys * 2, nullptr));
    const auto run = [&] { must(launcher(p, static_cast<const f16*>(dx), static_cast<const f16*>(dw), static_cast<f16*>(dy), device::Stream{})); };
    run();
    must(device::copy(y.data(), dy, ys * 2, device::Copy::kToHost, nullptr));
    must(device::stream_synchronize(nullptr));
    std::size_t wrong = 0, checked = 0;
    const std::size_t every = ys > 100000 ? 9973 : 1;
    for (std::size_t i = 0; i < ys; i += every, ++checked)
        wrong += y[i] != half_bits(expected(p, static_cast<std::int64_t>(i) / p.k, static_cast<int>(i) % p.k));
    std::printf("%-28s %s\n  %zu of %zu outputs wrong\n", step, idea, wrong, checked);
    if constexpr (kRounds > 0) {
        const auto began = std::chrono::steady_clock::now();
        for (int round = 0; round < kRounds; ++round) run();
        must(device::stream_synchronize(nullptr));
        const double us = std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - began).count() / double{kRounds};
        std::printf("  %.1f us, %.1f TFLOP/s, %.0f GB/s of what must move\n", us, p.flop() / us / 1e6, p.bytes() / us / 1e3);
    }
    for (void* memory : {dx, dw, dy}) must(device::release(memory));
    return wrong == 0 ? 0 : 1;
}

}  // namespace jcuconv::ladder
