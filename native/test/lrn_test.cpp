// Local response normalization against its formula in fp64.
#include <cmath>

#include "test/testing/random.h"
#include "test/testing/run.h"

using namespace jcuconv;
using namespace jcuconv::test;

namespace {

// A few operations in fp32, each with half an ulp: window sum, power, products.
double tolerance(const jcuconv_lrn& l) { return (l.size + 16) * 0x1p-24; }

void check(jcuconv_lrn l, std::uint64_t seed, double magnitude) {
    const auto type = static_cast<jcuconv_type>(l.type);
    const double a = l.alpha_over_size != 0 ? l.alpha / l.size : l.alpha, beta = l.beta;
    Random random(seed);
    const auto count = std::size_t(l.pixels * l.c);
    auto xs = random.reals(count), gs = random.reals(count);
    for (float& v : xs) v = rounded(type, v * magnitude);
    for (float& v : gs) v = rounded(type, v);
    const auto window = [&](int c, auto f) {
        for (int i = std::max(0, c - l.size / 2); i <= std::min(l.c - 1, c + l.size / 2); ++i) f(i);
    };
    Expected scale, y, dx;
    for (std::size_t i = 0; i < count; ++i) {
        const int c = int(i % std::size_t(l.c));
        double sum = 0;
        window(c, [&](int j) { sum += double(xs[i - c + j]) * xs[i - c + j]; });
        scale.value.push_back(l.k + a * sum);
        scale.bound.push_back(tolerance(l) * scale.value[i]);
        y.value.push_back(xs[i] * std::pow(scale.value[i], -beta));
        y.bound.push_back(tolerance(l) * std::abs(y.value[i]) * (1 + beta));
    }
    for (std::size_t i = 0; i < count; ++i) {
        const int c = int(i % std::size_t(l.c));
        double sum = 0, absolute = 0;
        window(c, [&](int j) {
            const std::size_t at = i - c + j;
            const double term = double(gs[at]) * xs[at] * std::pow(scale.value[at], -beta - 1);
            sum += term, absolute += std::abs(term);
        });
        const double direct = gs[i] * std::pow(scale.value[i], -beta);
        dx.value.push_back(direct - 2 * a * beta * xs[i] * sum);
        dx.bound.push_back(tolerance(l) * (1 + beta) * 2 * (std::abs(direct) + std::abs(2 * a * beta * xs[i]) * absolute));
    }
    Tensor x(type, l.pixels, l.c, l.x_pitch), dy(type, l.pixels, l.c, l.y_pitch), out_y(type, l.pixels, l.c, l.y_pitch);
    const Tensor out_dx(type, l.pixels, l.c, l.x_pitch), saved(JCUCONV_F32, l.pixels, l.c);
    x.write(xs);
    dy.write(gs);
    Arguments args{};
    args[JCUCONV_ARG_X] = x.span(), args[JCUCONV_ARG_Y] = out_y.span(), args[JCUCONV_ARG_SAVED] = saved.span();
    args[JCUCONV_ARG_DY] = dy.span(), args[JCUCONV_ARG_DX] = out_dx.span();
    l.save = 1;
    if (run_plan(jcuconv_lrn_plan, l, JCUCONV_FPROP, args)) {
        matches("lrn y", out_y, y, type);
        matches("lrn scale", saved, scale, JCUCONV_F32);
    }
    if (run_plan(jcuconv_lrn_plan, l, JCUCONV_DGRAD, args)) matches("lrn dx", out_dx, dx, type);
    CHECK(out_y.gaps_untouched() && out_dx.gaps_untouched());
}

jcuconv_lrn lrn(int pixels, int c, int size) {
    jcuconv_lrn l{};
    l.pixels = pixels, l.c = c, l.size = size, l.alpha = 1.0f, l.beta = 0.75f, l.k = 2.0f;
    return l;
}

}  // namespace

JCUCONV_TEST(both_conventions_of_alpha) {
    auto l = lrn(9, 16, 5);
    check(l, 1, 2);
    l.alpha_over_size = 1;
    check(l, 2, 2);
}

JCUCONV_TEST(windows_from_1_to_17_and_fewer_channels_than_window) {
    for (const int size : {1, 3, 5, 7, 17})
        for (const int c : {1, 3, 4, 20}) check(lrn(5, c, size), std::uint64_t(size * c), 1);
}

JCUCONV_TEST(other_exponents_types_and_pitches) {
    for (const int type : {0, 1, 2}) {
        auto l = lrn(6, 12, 5);
        l.type = type, l.beta = 0.5f, l.x_pitch = 14, l.y_pitch = 17;
        check(l, 5, 1);
        l.beta = 1.0f, l.x_pitch = 16, l.y_pitch = 20;
        check(l, 6, 1);
    }
}

JCUCONV_TEST(large_values_do_not_drift_along_the_channels) { check(lrn(3, 64, 5), 7, 100); }

JCUCONV_TEST(wrong_lrns_are_named) {
    jcuconv_handle plan;
    auto l = lrn(1, 8, 4);
    CHECK(jcuconv_lrn_plan(&l, JCUCONV_FPROP, 0, &plan) == JCUCONV_INVALID_WINDOW);
    l.size = 19;
    CHECK(jcuconv_lrn_plan(&l, JCUCONV_FPROP, 0, &plan) == JCUCONV_UNSUPPORTED_SIZE);
    l.size = 5, l.k = 0;
    CHECK(jcuconv_lrn_plan(&l, JCUCONV_FPROP, 0, &plan) == JCUCONV_INVALID_PARAMETER);
    l.k = std::nanf("");
    CHECK(jcuconv_lrn_plan(&l, JCUCONV_FPROP, 0, &plan) == JCUCONV_INVALID_PARAMETER);
}
