// Max and average pooling against their definition, forwards and backwards.
#include <cmath>

#include "simt/executor.h"
#include "test/testing/random.h"
#include "test/testing/run.h"

using namespace jcuconv;
using namespace jcuconv::test;

namespace {

jcuconv_pool2d pool(int n, int h, int w, int c, int window, int stride) {
    jcuconv_pool2d p{};
    p.n = n, p.h = h, p.w = w, p.c = c, p.r = p.s = window, p.stride_h = p.stride_w = stride, p.dilation_h = p.dilation_w = 1;
    return p;
}

int outputs(int extent, int low, int high, int window, int stride, int dilation, bool ceil) {
    const int room = extent + low + high - dilation * (window - 1) - 1;
    int count = room / stride + 1;
    if (ceil && room % stride != 0 && count * stride < extent + low) ++count;
    return count;
}

struct Windows {
    const jcuconv_pool2d& g;
    int p, q;
    explicit Windows(const jcuconv_pool2d& problem)
        : g(problem),
          p(outputs(g.h, g.pad_top, g.pad_bottom, g.r, g.stride_h, g.dilation_h, g.ceil)),
          q(outputs(g.w, g.pad_left, g.pad_right, g.s, g.stride_w, g.dilation_w, g.ceil)) {}

    // f(output element, input element, offset) for every element of every window, row-major.
    template <class F>
    void each(F f) const {
        for (int n = 0; n < g.n; ++n)
            for (int i = 0; i < p; ++i)
                for (int j = 0; j < q; ++j)
                    for (int c = 0; c < g.c; ++c)
                        for (int r = 0; r < g.r; ++r)
                            for (int s = 0; s < g.s; ++s) {
                                const int h = i * g.stride_h - g.pad_top + r * g.dilation_h;
                                const int w = j * g.stride_w - g.pad_left + s * g.dilation_w;
                                if (h < 0 || h >= g.h || w < 0 || w >= g.w) continue;
                                f(std::size_t(((n * p + i) * q + j) * g.c + c), std::size_t(((n * g.h + h) * g.w + w) * g.c + c),
                                  r * g.s + s);
                            }
    }

    // Elements of window (i, j) that an average divides by, counted one by one.
    int divisor(int i, int j) const {
        int count = 0;
        for (int r = 0; r < g.r; ++r)
            for (int s = 0; s < g.s; ++s) {
                const int h = i * g.stride_h - g.pad_top + r, w = j * g.stride_w - g.pad_left + s;
                const bool pixel = h >= 0 && h < g.h && w >= 0 && w < g.w;
                const bool padding = h < g.h + g.pad_bottom && w < g.w + g.pad_right;
                count += pixel || (g.count_padding != 0 && padding);
            }
        return count;
    }
};

void check_max(jcuconv_pool2d g, std::uint64_t seed) {
    const Windows windows(g);
    const auto type = static_cast<jcuconv_type>(g.type);
    Random random(seed);
    const std::int64_t in = std::int64_t{g.n} * g.h * g.w, out = std::int64_t{g.n} * windows.p * windows.q;
    auto xs = random.integers(std::size_t(in * g.c), 3);  // many ties
    for (float& v : xs)
        if (random.chance(5)) v = std::nanf("");
    const auto gs = random.integers(std::size_t(out * g.c), 3);
    std::vector<double> best(std::size_t(out * g.c)), dx(xs.size(), 0.0);
    std::vector<int> offset(best.size(), -1);
    windows.each([&](std::size_t o, std::size_t i, int tap) {
        if (offset[o] < 0 || xs[i] > best[o] || (std::isnan(xs[i]) && !std::isnan(best[o]))) best[o] = xs[i], offset[o] = tap;
    });
    windows.each([&](std::size_t o, std::size_t i, int tap) { dx[i] += offset[o] == tap ? gs[o] : 0; });

    Tensor x(type, in, g.c, g.x_pitch), y(type, out, g.c, g.y_pitch);
    const bool wide = g.r * g.s > 256;
    const std::int64_t offset_bytes = wide ? 4 : 1;
    Workspace argmax(std::uint64_t(out * g.c * offset_bytes));
    x.write(xs);
    Arguments a{};
    a[JCUCONV_ARG_X] = a[JCUCONV_ARG_DX] = x.span();
    a[JCUCONV_ARG_Y] = a[JCUCONV_ARG_DY] = y.span();
    a[JCUCONV_ARG_ARGMAX] = argmax.span();
    g.argmax = 1;
    if (!run_plan(jcuconv_max_pool2d_plan, g, JCUCONV_FPROP, a)) return;
    const auto ys = y.read();
    int wrong = 0;
    for (std::size_t i = 0; i < ys.size(); ++i) {
        const int saved = wide ? static_cast<const std::int32_t*>(argmax.memory)[i] : static_cast<const std::uint8_t*>(argmax.memory)[i];
        wrong += !(ys[i] == float(best[i]) || (std::isnan(ys[i]) && std::isnan(best[i]))) || saved != offset[i];
    }
    CHECK(wrong == 0);
    CHECK(y.gaps_untouched());

    y.write(gs);
    const Tensor gradient(type, in, g.c, g.x_pitch);
    a[JCUCONV_ARG_DX] = gradient.span();
    if (run_plan(jcuconv_max_pool2d_plan, g, JCUCONV_DGRAD, a)) matches("max-pool dx", gradient, {dx, {}}, type);
    CHECK(gradient.gaps_untouched());
}

void check_avg(const jcuconv_pool2d& g, std::uint64_t seed) {
    const Windows windows(g);
    const auto type = static_cast<jcuconv_type>(g.type);
    Random random(seed);
    const std::int64_t in = std::int64_t{g.n} * g.h * g.w, out = std::int64_t{g.n} * windows.p * windows.q;
    const auto xs = random.integers(std::size_t(in * g.c), 3), gs = random.integers(std::size_t(out * g.c), 3);
    Expected y{std::vector<double>(gs.size()), std::vector<double>(gs.size())};
    Expected dx{std::vector<double>(xs.size()), std::vector<double>(xs.size())};
    windows.each([&](std::size_t o, std::size_t i, int) {
        const int pixel = int(o) / g.c;
        const double divisor = windows.divisor(pixel / windows.q % windows.p, pixel % windows.q);
        y.value[o] += xs[i] / divisor;
        y.bound[o] += 4 * 0x1p-24 * std::abs(xs[i]) / divisor;
        dx.value[i] += gs[o] / divisor;
        dx.bound[i] += (g.r * g.s + 2) * 0x1p-24 * std::abs(gs[o]) / divisor;
    });
    Tensor x(type, in, g.c, g.x_pitch), out_y(type, out, g.c, g.y_pitch), dy(type, out, g.c, g.y_pitch);
    const Tensor out_dx(type, in, g.c, g.x_pitch);
    x.write(xs);
    dy.write(gs);
    Arguments a{};
    a[JCUCONV_ARG_X] = x.span(), a[JCUCONV_ARG_Y] = out_y.span(), a[JCUCONV_ARG_DY] = dy.span(), a[JCUCONV_ARG_DX] = out_dx.span();
    if (run_plan(jcuconv_avg_pool2d_plan, g, JCUCONV_FPROP, a)) matches("avg-pool y", out_y, y, type);
    if (run_plan(jcuconv_avg_pool2d_plan, g, JCUCONV_DGRAD, a)) matches("avg-pool dx", out_dx, dx, type);
    CHECK(out_y.gaps_untouched() && out_dx.gaps_untouched());
}

}  // namespace

JCUCONV_TEST(overlapping_windows_of_alexnet) { check_max(pool(2, 13, 13, 8, 3, 2), 1); }
JCUCONV_TEST(window_over_256_elements_saves_int32) { check_max(pool(1, 20, 20, 4, 17, 2), 2); }
JCUCONV_TEST(largest_byte_window) { check_max(pool(1, 18, 18, 3, 16, 1), 3); }

JCUCONV_TEST(ceil_mode_drops_windows_that_start_in_the_padding) {
    auto g = pool(1, 6, 5, 2, 3, 2);
    g.ceil = 1;
    check_max(g, 4);
    g.pad_bottom = 2, g.pad_right = 1;
    check_max(g, 5);
    check_avg(g, 5);
}

JCUCONV_TEST(global_average_is_one_window) {
    auto g = pool(2, 7, 7, 12, 7, 1);
    check_avg(g, 6);
    g.type = JCUCONV_BF16;
    check_avg(g, 7);
}

JCUCONV_TEST(random_pools_of_all_types) {
    Random random(11);
    for (std::uint64_t i = 0; i < 200; ++i) {
        auto g = pool(random.between(1, 2), random.between(3, 10), random.between(3, 10), random.between(1, 12), 2, 1);
        g.r = random.between(1, 3), g.s = random.between(1, 3);
        g.stride_h = random.between(1, 4), g.stride_w = random.between(1, 4);
        g.pad_top = random.between(0, g.r - 1), g.pad_bottom = random.between(0, g.r - 1);
        g.pad_left = random.between(0, g.s - 1), g.pad_right = random.between(0, g.s - 1);
        g.ceil = random.chance(40), g.count_padding = random.chance(50);
        g.x_pitch = random.chance(30) ? g.c + random.between(0, 4) : 0, g.y_pitch = random.chance(30) ? g.c + random.between(0, 4) : 0;
        g.type = random.between(0, 2);
        simt::set_options({i % 2});
        check_avg(g, i);
        g.count_padding = 0;
        if (random.chance(30) && g.h > 2 * (g.r - 1) && g.w > 2 * (g.s - 1)) g.dilation_h = g.dilation_w = 2;
        check_max(g, i);
        if (failures() > 0) break;
    }
    simt::set_options({});
}

JCUCONV_TEST(wrong_pools_are_named) {
    jcuconv_handle plan;
    const auto refused = [&](auto change) {
        auto g = pool(1, 6, 6, 4, 3, 2);
        change(g);
        return jcuconv_max_pool2d_plan(&g, JCUCONV_FPROP, 0, &plan);
    };
    CHECK(refused([](auto& g) { g.pad_top = 3; }) == JCUCONV_INVALID_PADDING);
    CHECK(refused([](auto& g) { g.r = 7; }) == JCUCONV_INVALID_WINDOW);
    CHECK(refused([](auto& g) { g.stride_w = 0; }) == JCUCONV_INVALID_STRIDE);
    CHECK(refused([](auto& g) { g.ceil = 2; }) == JCUCONV_INVALID_PARAMETER);
    auto g = pool(1, 6, 6, 4, 3, 2);
    CHECK(jcuconv_max_pool2d_plan(&g, JCUCONV_WGRAD, 0, &plan) == JCUCONV_INVALID_PASS);
    g.dilation_w = 2;
    CHECK(jcuconv_avg_pool2d_plan(&g, JCUCONV_FPROP, 0, &plan) == JCUCONV_INVALID_DILATION);
}
