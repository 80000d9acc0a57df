// Fused epilogues: every step, in every order, in all the operations that have one; and the bias gradient beside a weight gradient.
#include <algorithm>
#include <cmath>

#include "test/testing/conv2d_oracle.h"
#include "test/testing/random.h"
#include "test/testing/run.h"

using namespace jcuconv;
using namespace jcuconv::test;

namespace {

constexpr double kUnit = 0x1p-24;
constexpr int kAll[] = {JCUCONV_EPILOGUE_BIAS, JCUCONV_EPILOGUE_RESIDUAL, JCUCONV_EPILOGUE_RELU, JCUCONV_EPILOGUE_TANH,
                        JCUCONV_EPILOGUE_SIGMOID, JCUCONV_EPILOGUE_SCALE};

// A value on its way through the steps. Integers stay exact until the first transcendental function; after it each step adds its own
// rounding, a factor multiplies the error, and a function passes on an error at most as it is, since its slope is at most 1.
struct Traced {
    double value;
    double error = 0;
    bool exact = true;

    void apply(int step, double bias, double scale, double residual) {
        const auto add = [&](double addend) {
            value += addend;
            if (!exact) error += kUnit * (std::abs(value) + error);
        };
        const auto function = [&](double result) {
            value = result, exact = false;
            error += 8 * kUnit * std::abs(result);
        };
        if (step == JCUCONV_EPILOGUE_BIAS) add(bias);
        if (step == JCUCONV_EPILOGUE_RESIDUAL) add(residual);
        if (step == JCUCONV_EPILOGUE_SCALE) {
            value *= scale, error *= std::abs(scale);
            if (!exact) error += kUnit * (std::abs(value) + error);
        }
        if (step == JCUCONV_EPILOGUE_RELU) value = std::max(value, 0.0);
        if (step == JCUCONV_EPILOGUE_TANH) function(std::tanh(value));
        if (step == JCUCONV_EPILOGUE_SIGMOID) function(1 / (1 + std::exp(-value)));
    }
};

// Halves in -1/2 .. 1/2: few different sums, all exact, and small enough that tanh does not saturate.
std::vector<float> halves(Random& random, std::size_t count) {
    auto values = random.integers(count, 1);
    for (float& v : values) v /= 2;
    return values;
}

template <class Problem>
using Create = jcuconv_status (*)(const Problem*, jcuconv_pass, uint64_t, jcuconv_handle*);

// Runs the forward pass of a problem whose sums are `sums`, with its epilogue, on an output at a pitch.
template <class Problem>
void check(const std::string& name, Create<Problem> create, const Problem& problem, const std::vector<double>& sums, int k,
           std::int64_t pitch, Arguments a, Random& random) {
    auto type = static_cast<jcuconv_type>(problem.type);
    if constexpr (requires { problem.y_f32; })
        if (problem.y_f32 != 0) type = JCUCONV_F32;
    const auto pixels = std::int64_t(sums.size()) / k;
    const auto bias = halves(random, std::size_t(k)), residual = halves(random, sums.size());
    auto scale = random.integers(std::size_t(k), 3);
    for (float& v : scale) v = v / 2 + 0.25f;  // -5/4 .. 7/4, never 0 nor 1
    Expected expected;
    for (std::size_t i = 0; i < sums.size(); ++i) {
        Traced v{sums[i]};
        for (const int step : problem.epilogue) v.apply(step, bias[i % bias.size()], scale[i % scale.size()], residual[i]);
        expected.value.push_back(v.value), expected.bound.push_back(v.error);
    }
    Tensor b(JCUCONV_F32, 1, k), f(JCUCONV_F32, 1, k), z(type, pixels, k, pitch);
    const Tensor y(type, pixels, k, pitch);
    b.write(bias), f.write(scale), z.write(residual);
    a[JCUCONV_ARG_BIAS] = b.span(), a[JCUCONV_ARG_SCALE] = f.span(), a[JCUCONV_ARG_RESIDUAL] = z.span(), a[JCUCONV_ARG_Y] = y.span();
    std::string steps;
    for (const int step : problem.epilogue) steps += " " + std::to_string(step);
    if (run_plan(create, problem, JCUCONV_FPROP, a)) matches(name + steps, y, expected, type);
    CHECK(y.gaps_untouched());
}

// One problem of a kind with every list in `lists`.
template <class Problem>
void check_conv2d(const std::string& name, const jcuconv_conv2d& c, Create<Problem> create, Problem problem, bool transposed,
                  const std::vector<std::vector<int>>& lists) {
    const auto type = static_cast<jcuconv_type>(problem.type);
    const Conv2dShape shape{c};
    Random random(std::uint64_t(c.c * 7 + c.type));
    const auto xs = halves(random, transposed ? shape.y_elements() : shape.x_elements());
    const auto ws = halves(random, shape.w_elements());
    Tensor x(type, 1, int(xs.size())), w(type, 1, int(ws.size()));
    x.write(xs), w.write(ws);
    Arguments a{};
    a[JCUCONV_ARG_X] = x.span(), a[JCUCONV_ARG_W] = w.span();
    const auto sums = transposed ? conv2d_sums(shape, JCUCONV_DGRAD, {}, ws, xs).value : conv2d_sums(shape, JCUCONV_FPROP, xs, ws, {}).value;
    for (const auto& list : lists) {
        std::fill(std::begin(problem.epilogue), std::end(problem.epilogue), 0);
        std::copy(list.begin(), list.end(), problem.epilogue);
        const int k = transposed ? c.c : c.k;
        std::int64_t pitch = 0;
        if constexpr (requires { problem.y_pitch; }) pitch = problem.y_pitch;
        check(name, create, problem, sums, k, pitch, a, random);
    }
}

jcuconv_conv2d conv(int n, int hw, int c, int k, int rs, int groups, int type) {
    jcuconv_conv2d p{};
    p.n = n, p.h = p.w = hw, p.c = c, p.k = k, p.r = p.s = rs, p.groups = groups, p.type = type;
    p.stride_h = p.stride_w = p.dilation_h = p.dilation_w = 1;
    return p;
}

std::vector<std::vector<int>> every_step() {
    std::vector<std::vector<int>> lists = {{}};
    for (const int first : kAll) {
        lists.push_back({first});
        for (const int second : kAll)
            if (second != first) lists.push_back({first, second});
    }
    lists.push_back({1, 2, 3, 4, 5, 6});
    lists.push_back({6, 5, 4, 3, 2, 1});
    lists.push_back({6, 1, 2, 3});
    lists.push_back({2, 1, 4, 3});
    return lists;
}

}  // namespace

JCUCONV_TEST(every_pair_of_steps_in_the_implicit_gemm) {
    for (const int type : {0, 1, 2})
        for (const int k : {5, 8}) {
            auto p = conv(2, 4, 4, k, 2, 1, type);
            p.y_pitch = k + 4;
            check_conv2d("conv2d", p, jcuconv_conv2d_plan, p, false, every_step());
        }
}

JCUCONV_TEST(every_pair_of_steps_in_the_depthwise_kernel) {
    for (const int c : {5, 8}) {
        auto p = conv(1, 5, c, c, 3, c, JCUCONV_F32);
        p.y_pitch = c + 3;
        check_conv2d("depthwise", p, jcuconv_conv2d_plan, p, false, every_step());
    }
}

JCUCONV_TEST(steps_of_a_transposed_convolution_also_depthwise) {
    for (const int groups : {1, 4}) {
        jcuconv_conv_transpose2d t{};
        t.n = 2, t.h = t.w = 3, t.c = t.k = 4, t.r = t.s = 3, t.groups = groups;
        t.stride_h = t.stride_w = 2, t.dilation_h = t.dilation_w = 1, t.y_pitch = 8;
        auto c = conv(2, 7, 4, 4, 3, groups, 0);
        c.stride_h = c.stride_w = 2;
        check_conv2d("transposed", c, jcuconv_conv_transpose2d_plan, t, true, every_step());
    }
}

JCUCONV_TEST(steps_of_a_transposed_convolution_by_wgmma) {
    jcuconv_conv_transpose2d t{};
    t.n = 2, t.h = t.w = 33, t.c = 48, t.k = 96, t.r = t.s = 2, t.groups = 1, t.y_pitch = 104;
    t.stride_h = t.stride_w = 2, t.dilation_h = t.dilation_w = 1;
    auto c = conv(2, 66, 96, 48, 2, 1, 0);
    c.stride_h = c.stride_w = 2;
    for (const jcuconv_type type : {JCUCONV_F16, JCUCONV_BF16}) {
        t.type = c.type = type;
        jcuconv_handle plan = 0;
        CHECK(jcuconv_conv_transpose2d_plan(&t, JCUCONV_FPROP, 0, &plan) == JCUCONV_OK);
        CHECK_CONTAINS(open_plan(plan)->description, "conv2d dgrad wgmma_gemm");
        CHECK(jcuconv_plan_destroy(plan) == JCUCONV_OK);
        check_conv2d("transposed by wgmma", c, jcuconv_conv_transpose2d_plan, t, true, {{1, 2, 3}, {2, 4}});
    }
}

JCUCONV_TEST(steps_of_a_dense_layer) {
    jcuconv_dense d{};
    d.n = 7, d.c = 9, d.k = 12, d.type = JCUCONV_BF16;
    check_conv2d("dense", conv(7, 1, 9, 12, 1, 1, JCUCONV_BF16), jcuconv_dense_plan, d, false, every_step());
}

JCUCONV_TEST(y_and_residual_of_fp32_beside_16_bits) {
    for (const int type : {0, 1, 2})
        for (const int k : {5, 8, 12})
            for (const int extra : {0, 3, 4}) {
                auto p = conv(2, 4, 4, k, 2, 1, type);
                p.y_pitch = k + extra, p.y_f32 = 1;
                check_conv2d("fp32 y", p, jcuconv_conv2d_plan, p, false, {{}, {1, 2, 3}, {2, 6, 4}});
                if (extra != 0) continue;
                jcuconv_dense d{};
                d.n = 7, d.c = 9, d.k = k, d.type = type, d.y_f32 = 1;
                check_conv2d("fp32 y of a dense layer", conv(7, 1, 9, k, 1, 1, type), jcuconv_dense_plan, d, false, {{1}, {2}});
            }
    auto grouped = conv(2, 6, 16, 16, 3, 4, JCUCONV_F16);
    grouped.y_f32 = 1;
    check_conv2d("fp32 y of small groups", grouped, jcuconv_conv2d_plan, grouped, false, {{}, {1, 2}});
    for (const int c : {5, 8}) {
        auto p = conv(1, 5, c, c, 3, c, JCUCONV_F16);
        p.y_pitch = c + 4, p.y_f32 = 1;
        check_conv2d("fp32 y of a depthwise layer", p, jcuconv_conv2d_plan, p, false, {{}, {1, 2}});
    }
}

JCUCONV_TEST(large_tiles_apply_the_epilogue_to_every_row) {
    const auto p = conv(1, 34, 3, 260, 1, 1, JCUCONV_F32);
    check_conv2d("large", p, jcuconv_conv2d_plan, p, false, {{1, 2, 4}, {2, 3}, {6, 1, 3}});
}

JCUCONV_TEST(a_missing_bias_scale_or_residual_is_named) {
    auto p = conv(1, 2, 4, 4, 1, 1, JCUCONV_F32);
    const Tensor x(JCUCONV_F32, 4, 4), w(JCUCONV_F32, 4, 4), y(JCUCONV_F32, 4, 4);
    Arguments a{};
    a[JCUCONV_ARG_X] = x.span(), a[JCUCONV_ARG_W] = w.span(), a[JCUCONV_ARG_Y] = y.span();
    for (const auto& [step, status] : {std::pair{JCUCONV_EPILOGUE_BIAS, JCUCONV_INVALID_BIAS}, {JCUCONV_EPILOGUE_SCALE, JCUCONV_INVALID_SCALE}, {JCUCONV_EPILOGUE_RESIDUAL, JCUCONV_INVALID_RESIDUAL}}) {
        p.epilogue[0] = step;
        jcuconv_handle plan = 0;
        CHECK(jcuconv_conv2d_plan(&p, JCUCONV_FPROP, 0, &plan) == JCUCONV_OK);
        CHECK(jcuconv_execute(plan, a.data(), JCUCONV_ARG_COUNT, {}, nullptr) == status);
        CHECK(jcuconv_plan_destroy(plan) == JCUCONV_OK);
    }
}

JCUCONV_TEST(wgrad_writes_the_bias_gradient_too) {
    for (const int accumulate : {0, 1})
        for (const bool transposed : {false, true}) {
            const auto c = conv(9, 12, 4, 8, 1, 1, JCUCONV_F32);  // enough pixels for several splits of both sums
            const Conv2dShape shape{c};
            Random random(5);
            const auto xs = random.integers(shape.x_elements(), 3), ys = random.integers(shape.y_elements(), 3);
            const auto old = random.integers(shape.w_elements(), 3);
            // Of the transposed convolution, the tensor with four channels is dy.
            const auto& gradient = transposed ? xs : ys;
            const auto channels = std::size_t(transposed ? c.c : c.k);
            Expected dw{conv2d_sums(shape, JCUCONV_WGRAD, xs, {}, ys).value, {}}, dbias{std::vector<double>(channels), {}};
            for (std::size_t i = 0; i < gradient.size(); ++i) dbias.value[i % channels] += gradient[i];
            Tensor x(JCUCONV_F32, 9 * 144, 4), y(JCUCONV_F32, 9 * 144, 8), out_dw(JCUCONV_F32, 1, 32), out_dbias(JCUCONV_F32, 1, int(channels));
            x.write(xs), y.write(ys);
            if (accumulate != 0) {
                out_dw.write(old), out_dbias.write(old);
                for (std::size_t i = 0; i < 32; ++i) dw.value[i] += old[i];
                for (std::size_t i = 0; i < channels; ++i) dbias.value[i] += old[i];
            }
            Arguments a{};
            a[JCUCONV_ARG_DW] = out_dw.span(), a[JCUCONV_ARG_DBIAS] = out_dbias.span();
            a[JCUCONV_ARG_X] = transposed ? y.span() : x.span(), a[JCUCONV_ARG_DY] = transposed ? x.span() : y.span();
            if (transposed) {
                jcuconv_conv_transpose2d t{};
                t.n = 9, t.h = t.w = 12, t.c = 8, t.k = 4, t.accumulate = accumulate, t.dbias = 1;
                t.r = t.s = t.stride_h = t.stride_w = t.dilation_h = t.dilation_w = t.groups = 1;
                run_plan(jcuconv_conv_transpose2d_plan, t, JCUCONV_WGRAD, a);
            } else {
                auto p = c;
                p.accumulate = accumulate, p.dbias = 1;
                run_plan(jcuconv_conv2d_plan, p, JCUCONV_WGRAD, a);
            }
            matches("dw", out_dw, dw, JCUCONV_F32);
            matches("dbias", out_dbias, dbias, JCUCONV_F32);
        }
}
