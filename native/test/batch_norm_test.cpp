// Batch normalization against its formula in fp64. Each stage is held against what the stage before it really wrote, so that bounds
// stay tight: y against the saved statistics, dx against the given ones.
#include <cmath>

#include "test/testing/random.h"
#include "test/testing/run.h"

using namespace jcuconv;
using namespace jcuconv::test;

namespace {

constexpr double kUnit = 0x1p-24;

jcuconv_batch_norm norm(int pixels, int c, int type = 0) {
    jcuconv_batch_norm b{};
    b.pixels = pixels, b.c = c, b.type = type, b.training = 1, b.eps = 1e-5f, b.momentum = 0.1f;
    return b;
}

struct Vector {
    std::vector<float> values;
    Tensor memory;
    Vector(Random& random, int c, double low, double high) : values(std::size_t(c)), memory(JCUCONV_F32, 1, c) {
        for (float& v : values) v = static_cast<float>(low + (high - low) * random.uniform());
        memory.write(values);
    }
    double operator[](std::size_t c) const { return values[c]; }
};

// What a plan works on.
struct Data {
    jcuconv_type type;
    std::size_t c;
    double count;
    std::vector<float> xs, gs;
    Tensor x, dy, y, dx, save_mean, save_var, dgamma, dbeta;
    Vector gamma, beta, running_mean, running_var;
    Arguments a{};

    // Channel i has the mean `mean` * i, all of it times `scale`.
    Data(const jcuconv_batch_norm& b, Random random, double mean, double scale = 1)
        : type(static_cast<jcuconv_type>(b.type)), c(std::size_t(b.c)), count(double(b.pixels)),
          xs(random.reals(std::size_t(b.pixels) * c)), gs(random.reals(xs.size())), x(type, b.pixels, b.c, b.x_pitch),
          dy(type, b.pixels, b.c, b.y_pitch), y(type, b.pixels, b.c, b.y_pitch), dx(type, b.pixels, b.c, b.x_pitch),
          save_mean(JCUCONV_F32, 1, b.c), save_var(JCUCONV_F32, 1, b.c), dgamma(JCUCONV_F32, 1, b.c), dbeta(JCUCONV_F32, 1, b.c),
          gamma(random, b.c, -2, 2), beta(random, b.c, -1, 1), running_mean(random, b.c, -1, 1), running_var(random, b.c, 0.5, 2) {
        for (std::size_t i = 0; i < xs.size(); ++i) xs[i] = rounded(type, scale * (xs[i] + mean * double(i % c))), gs[i] = rounded(type, gs[i]);
        x.write(xs), dy.write(gs);
        a[JCUCONV_ARG_X] = x.span(), a[JCUCONV_ARG_DY] = dy.span(), a[JCUCONV_ARG_Y] = y.span(), a[JCUCONV_ARG_DX] = dx.span();
        a[JCUCONV_ARG_SAVE_MEAN] = save_mean.span(), a[JCUCONV_ARG_SAVE_VAR] = save_var.span();
        a[JCUCONV_ARG_DGAMMA] = dgamma.span(), a[JCUCONV_ARG_DBETA] = dbeta.span();
        a[JCUCONV_ARG_GAMMA] = gamma.memory.span(), a[JCUCONV_ARG_BETA] = beta.memory.span();
        a[JCUCONV_ARG_RUNNING_MEAN] = running_mean.memory.span(), a[JCUCONV_ARG_RUNNING_VAR] = running_var.memory.span();
    }

    template <class F>
    double sum(std::size_t channel, F term) const {
        double total = 0;
        for (std::size_t i = channel; i < xs.size(); i += c) total += term(i);
        return total;
    }
};

void check_y(const char* name, const Data& d, double eps, const std::vector<float>& mean, const std::vector<float>& var) {
    Expected y;
    for (std::size_t i = 0; i < d.xs.size(); ++i) {
        const std::size_t k = i % d.c;
        const double inverse = 1 / std::sqrt(var[k] + eps);
        y.value.push_back(d.gamma[k] * (d.xs[i] - mean[k]) * inverse + d.beta[k]);
        y.bound.push_back(8 * kUnit * (std::abs(d.gamma[k]) * std::abs(double(d.xs[i]) - mean[k]) * inverse + std::abs(d.beta[k])));
    }
    matches(name, d.y, y, d.type);
}

void check_training(const jcuconv_batch_norm& b, std::uint64_t seed, double mean_of_channels = 0.25, std::uint64_t limit = UINT64_MAX,
                    double scale = 1) {
    const Data d(b, Random(seed), mean_of_channels, scale);
    if (!run_plan(jcuconv_batch_norm_plan, b, JCUCONV_FPROP, d.a, limit)) return;
    Expected mean, var, running_mean, running_var;
    for (std::size_t k = 0; k < d.c; ++k) {
        const double m = d.sum(k, [&](std::size_t i) { return d.xs[i]; }) / d.count;
        const double v = d.sum(k, [&](std::size_t i) { return (d.xs[i] - m) * (d.xs[i] - m); }) / d.count;
        // Summands are distances to the channel's first pixel: their roundings count by the spread. The last one is of the mean itself.
        const double spread = d.sum(k, [&](std::size_t i) { return std::abs(double(d.xs[i]) - d.xs[k]); }) / d.count;
        const double steps = d.count + 16;
        mean.value.push_back(m), mean.bound.push_back(kUnit * (steps * spread + 2 * std::abs(m)));
        var.value.push_back(v), var.bound.push_back(kUnit * steps * 2 * (v + std::sqrt(v) * spread));
        const double unbiased = d.count > 1 ? d.count / (d.count - 1) : 1, w = b.momentum;
        running_mean.value.push_back((1 - w) * d.running_mean[k] + w * m);
        running_mean.bound.push_back(w * mean.bound[k] + 4 * kUnit * (std::abs(d.running_mean[k]) + std::abs(m)));
        running_var.value.push_back((1 - w) * d.running_var[k] + w * v * unbiased);
        running_var.bound.push_back(w * unbiased * var.bound[k] + 4 * kUnit * (d.running_var[k] + v * unbiased));
    }
    matches("save_mean", d.save_mean, mean, JCUCONV_F32);
    matches("save_var", d.save_var, var, JCUCONV_F32);
    matches("running_mean", d.running_mean.memory, running_mean, JCUCONV_F32);
    matches("running_var", d.running_var.memory, running_var, JCUCONV_F32);
    check_y("batch_norm y", d, b.eps, d.save_mean.read(), d.save_var.read());
}

void check_backward(const jcuconv_batch_norm& b, std::uint64_t seed, std::uint64_t limit = UINT64_MAX) {
    Data d(b, Random(seed), 0.25);
    // Any statistics will do: the formula does not care where they come from.
    d.a[JCUCONV_ARG_SAVE_MEAN] = d.running_mean.memory.span(), d.a[JCUCONV_ARG_SAVE_VAR] = d.running_var.memory.span();
    if (!run_plan(jcuconv_batch_norm_plan, b, JCUCONV_DGRAD, d.a, limit)) return;
    Expected dgamma, dbeta, dx;
    const auto inverse = [&](std::size_t k) { return 1 / std::sqrt(d.running_var[k] + b.eps); };
    const auto hat = [&](std::size_t i) { return (d.xs[i] - d.running_mean[i % d.c]) * inverse(i % d.c); };
    for (std::size_t k = 0; k < d.c; ++k) {
        dbeta.value.push_back(d.sum(k, [&](std::size_t i) { return d.gs[i]; }));
        dbeta.bound.push_back(kUnit * (d.count + 2) * d.sum(k, [&](std::size_t i) { return std::abs(d.gs[i]); }));
        dgamma.value.push_back(d.sum(k, [&](std::size_t i) { return d.gs[i] * hat(i); }));
        dgamma.bound.push_back(kUnit * (d.count + 10) * d.sum(k, [&](std::size_t i) { return std::abs(d.gs[i] * hat(i)); }));
    }
    for (std::size_t i = 0; i < d.xs.size(); ++i) {
        const std::size_t k = i % d.c;
        const double factor = d.gamma[k] * inverse(k);
        const double shift = dbeta.value[k] / d.count, slope = dgamma.value[k] / d.count;
        dx.value.push_back(factor * (d.gs[i] - shift - hat(i) * slope));
        dx.bound.push_back(std::abs(factor) * (12 * kUnit * (std::abs(d.gs[i]) + std::abs(shift) + std::abs(hat(i) * slope)) +
                                               (dbeta.bound[k] + std::abs(hat(i)) * dgamma.bound[k]) / d.count));
    }
    matches("dbeta", d.dbeta, dbeta, JCUCONV_F32);
    matches("dgamma", d.dgamma, dgamma, JCUCONV_F32);
    matches("batch_norm dx", d.dx, dx, d.type);
}

}  // namespace

JCUCONV_TEST(training_of_all_types_with_tails_of_pixels_and_channels) {
    for (const int type : {0, 1, 2})
        for (const auto& [pixels, c] : {std::pair{1, 1}, {2, 3}, {7, 4}, {65, 33}, {130, 132}}) {
            check_training(norm(pixels, c, type), std::uint64_t(pixels));
            check_backward(norm(pixels, c, type), std::uint64_t(c));
        }
}

JCUCONV_TEST(several_splits_with_a_shorter_last_one) {
    for (const int c : {3, 8}) {
        check_training(norm(3001, c), 1);
        check_backward(norm(3001, c), 2);
    }
}

JCUCONV_TEST(no_workspace_means_one_split) {
    check_training(norm(3001, 4), 3, 0.25, 0);
    check_backward(norm(3001, 4), 4, 0);
}

JCUCONV_TEST(pitches_of_a_slice) {
    for (const int extra : {1, 4}) {
        auto b = norm(70, 8, JCUCONV_F16);
        b.x_pitch = 8 + extra, b.y_pitch = 8 + 2 * extra;
        check_training(b, 5);
        check_backward(b, 6);
    }
}

JCUCONV_TEST(a_mean_far_above_the_spread_keeps_the_variance) { check_training(norm(2000, 5), 7, 10000); }

// A rounding of anything of the size of 1 would be all that is left.
JCUCONV_TEST(tiny_values_keep_their_statistics) { check_training(norm(2000, 5), 7, 0.25, UINT64_MAX, 0x1p-30); }

JCUCONV_TEST(equal_values_have_no_variance) {
    const auto b = norm(100, 4);
    Data d(b, Random(8), 0);
    d.x.write(std::vector<float>(400, 1e-3f));
    run_plan(jcuconv_batch_norm_plan, b, JCUCONV_FPROP, d.a);
    for (const float v : d.save_var.read()) CHECK(v == 0.0f);
    for (const float v : d.save_mean.read()) CHECK(v == 1e-3f);
}

JCUCONV_TEST(momentum_one_takes_the_batch_and_zero_keeps_the_old) {
    for (const float momentum : {0.0f, 1.0f}) {
        auto b = norm(50, 3);
        b.momentum = momentum;
        check_training(b, 9);
    }
}

JCUCONV_TEST(inference_uses_the_running_statistics) {
    for (const int type : {0, 1, 2})
        for (const int c : {3, 8}) {
            auto b = norm(37, c, type);
            b.training = 0;
            const Data d(b, Random(10), 0.25);
            run_plan(jcuconv_batch_norm_plan, b, JCUCONV_FPROP, d.a);
            check_y("inference y", d, b.eps, d.running_mean.values, d.running_var.values);
        }
}

JCUCONV_TEST(wrong_norms_are_named) {
    const auto refused = [](auto change) {
        auto b = norm(4, 4);
        change(b);
        jcuconv_handle plan;
        return jcuconv_batch_norm_plan(&b, JCUCONV_FPROP, 0, &plan);
    };
    using B = jcuconv_batch_norm;
    CHECK(refused([](B& b) { b.pixels = 0; }) == JCUCONV_INVALID_IMAGE);
    CHECK(refused([](B& b) { b.c = 0; }) == JCUCONV_INVALID_CHANNELS);
    CHECK(refused([](B& b) { b.eps = 0; }) == JCUCONV_INVALID_PARAMETER);
    CHECK(refused([](B& b) { b.momentum = std::nanf(""); }) == JCUCONV_INVALID_PARAMETER);
    CHECK(refused([](B& b) { b.training = 2; }) == JCUCONV_INVALID_PARAMETER);
    CHECK(refused([](B& b) { b.x_pitch = 3; }) == JCUCONV_INVALID_PITCH);
    CHECK(refused([](B& b) { b.pixels = INT64_MAX; }) == JCUCONV_UNSUPPORTED_SIZE);
}
