// What a training step needs around its convolutions: dense layers, reorders, activations, addition, the loss, the optimizers.
#include <cmath>

#include "test/testing/random.h"
#include "test/testing/run.h"

using namespace jcuconv;
using namespace jcuconv::test;

namespace {

constexpr double kUnit = 0x1p-24;

// fp32 or int32 numbers on the device.
Tensor& filled(Tensor& t, const std::vector<float>& values) {
    t.write(values);
    return t;
}

struct Labels {
    Tensor memory;
    explicit Labels(const std::vector<int>& values) : memory(JCUCONV_F32, 1, int(values.size())) {
        std::memcpy(memory.address(), values.data(), values.size() * sizeof(int));
    }
};

}  // namespace

JCUCONV_TEST(activations_forward_and_backward) {
    for (const int type : {0, 1, 2})
        for (const int kind : {JCUCONV_RELU, JCUCONV_TANH, JCUCONV_SIGMOID})
            for (const int count : {1, 7, 300}) {
                const auto t = static_cast<jcuconv_type>(type);
                Random random{std::uint64_t(kind + count)};
                auto xs = random.reals(std::size_t(count));
                for (float& v : xs) v = rounded(t, 6 * v);
                auto gs = random.reals(std::size_t(count));
                for (float& v : gs) v = rounded(t, v);
                xs[0] = kind == JCUCONV_RELU ? 0.0f : -100.0f;
                Expected y, dx;
                std::vector<float> stored;
                for (std::size_t i = 0; i < xs.size(); ++i) {
                    const double v = kind == JCUCONV_RELU ? std::max(0.0f, xs[i]) : kind == JCUCONV_TANH ? std::tanh(double(xs[i])) : 1 / (1 + std::exp(-double(xs[i])));
                    y.value.push_back(v);
                    y.bound.push_back(kind == JCUCONV_RELU ? 0 : 8 * kUnit * std::abs(v) + 0x1p-148);  // a subnormal floor
                    stored.push_back(rounded(t, v));
                    const double s = stored.back();
                    dx.value.push_back(gs[i] * (kind == JCUCONV_RELU ? s > 0 : kind == JCUCONV_TANH ? 1 - s * s : s * (1 - s)));
                    dx.bound.push_back(4 * kUnit * std::abs(gs[i]));
                }
                Tensor x(t, 1, count), out(t, 1, count), stored_y(t, 1, count), dy(t, 1, count);
                filled(x, xs), filled(stored_y, stored), filled(dy, gs);
                const jcuconv_activation problem{count, kind, type, 0};
                Arguments a{};
                a[JCUCONV_ARG_X] = x.span(), a[JCUCONV_ARG_Y] = out.span();
                run_plan(jcuconv_activation_plan, problem, JCUCONV_FPROP, a);
                matches("activation y", out, y, t);
                a[JCUCONV_ARG_Y] = x.span();  // in place
                run_plan(jcuconv_activation_plan, problem, JCUCONV_FPROP, a);
                CHECK(x.same_bits(out));
                a[JCUCONV_ARG_Y] = stored_y.span(), a[JCUCONV_ARG_DY] = a[JCUCONV_ARG_DX] = dy.span();  // in place
                run_plan(jcuconv_activation_plan, problem, JCUCONV_DGRAD, a);
                matches("activation dx", dy, dx, t);
            }
}

JCUCONV_TEST(add_rounds_once_and_may_overwrite_an_input) {
    for (const int type : {0, 1, 2}) {
        const auto t = static_cast<jcuconv_type>(type);
        Random random(3);
        auto as = random.integers(37, 3000), bs = random.integers(37, 3000);
        Expected sum;
        for (std::size_t i = 0; i < as.size(); ++i) as[i] = rounded(t, as[i]), bs[i] = rounded(t, bs[i]), sum.value.push_back(double(as[i]) + bs[i]);
        Tensor x(t, 1, 37), x2(t, 1, 37);
        filled(x, as), filled(x2, bs);
        Arguments a{};
        a[JCUCONV_ARG_X] = x.span(), a[JCUCONV_ARG_X2] = a[JCUCONV_ARG_Y] = x2.span();
        run_plan(jcuconv_add_plan, jcuconv_add{37, type, 0}, JCUCONV_FPROP, a);
        matches("add", x2, sum, t);
    }
}

JCUCONV_TEST(partial_overlap_is_refused_even_where_in_place_is_allowed) {
    const Tensor x(JCUCONV_F32, 1, 64);
    const jcuconv_add problem{32, JCUCONV_F32, 0};
    jcuconv_handle plan = 0;
    CHECK(jcuconv_add_plan(&problem, JCUCONV_FPROP, 0, &plan) == JCUCONV_OK);
    Arguments a{};
    a[JCUCONV_ARG_X] = a[JCUCONV_ARG_X2] = {x.address(), 128};
    a[JCUCONV_ARG_Y] = {static_cast<char*>(x.address()) + 16, 128};
    CHECK(jcuconv_execute(plan, a.data(), JCUCONV_ARG_COUNT, {}, nullptr) == JCUCONV_INVALID_Y);
    CHECK(jcuconv_plan_destroy(plan) == JCUCONV_OK);
}

JCUCONV_TEST(softmax_cross_entropy_matches_its_formula) {
    for (const int type : {0, 1, 2})
        for (const int classes : {1, 2, 10, 33, 1000}) {
            const auto t = static_cast<jcuconv_type>(type);
            constexpr int kRows = 19, kIgnored = -1;
            Random random{std::uint64_t(classes)};
            auto xs = random.reals(std::size_t(kRows * classes));
            for (float& v : xs) v = rounded(t, 30 * v);
            std::vector<int> labels(kRows);
            for (int& label : labels) label = random.chance(20) ? kIgnored : random.between(0, classes - 1);
            double loss = 0, rows = 0;
            const double scale = 128;
            for (const int label : labels) rows += label != kIgnored;
            Expected dx;
            for (int row = 0; row < kRows; ++row) {
                const float* logits = xs.data() + row * classes;
                double max = -INFINITY, sum = 0;
                for (int c = 0; c < classes; ++c) max = std::max(max, double(logits[c]));
                for (int c = 0; c < classes; ++c) sum += std::exp(logits[c] - max);
                const double log_sum = max + std::log(sum);
                if (labels[std::size_t(row)] != kIgnored) loss += log_sum - logits[labels[std::size_t(row)]];
                for (int c = 0; c < classes; ++c) {
                    const double p = std::exp(logits[c] - log_sum);
                    const bool counts = labels[std::size_t(row)] != kIgnored;
                    dx.value.push_back(counts ? scale / rows * (p - (c == labels[std::size_t(row)])) : 0);
                    // exp magnifies the rounding of its argument, at most 64 with these logits
                    dx.bound.push_back(counts ? scale / rows * (p * 256 + 4) * kUnit : 0);
                }
            }
            Tensor x(t, kRows, classes), out(JCUCONV_F32, 1, 1), factor(JCUCONV_F32, 1, 1);
            const Tensor gradient(t, kRows, classes);
            const Labels label_memory(labels);
            filled(x, xs), filled(factor, {float(scale)});
            const jcuconv_softmax_cross_entropy problem{kRows, classes, kIgnored, type, 0};
            Arguments a{};
            a[JCUCONV_ARG_X] = x.span(), a[JCUCONV_ARG_LABELS] = label_memory.memory.span(), a[JCUCONV_ARG_LOSS] = out.span();
            a[JCUCONV_ARG_LOSS_SCALE] = factor.span(), a[JCUCONV_ARG_DX] = gradient.span();
            run_plan(jcuconv_softmax_cross_entropy_plan, problem, JCUCONV_FPROP, a);
            matches("loss", out, {{loss / rows}, {64 * 64 * kUnit}}, JCUCONV_F32);
            run_plan(jcuconv_softmax_cross_entropy_plan, problem, JCUCONV_DGRAD, a);
            matches("loss gradient", gradient, dx, t);
        }
}

JCUCONV_TEST(a_wrong_label_makes_the_loss_nan_and_no_label_makes_it_zero) {
    Tensor x(JCUCONV_F32, 2, 3), loss(JCUCONV_F32, 1, 1);
    filled(x, {1, 2, 3, 4, 5, 6});
    Arguments a{};
    a[JCUCONV_ARG_X] = x.span(), a[JCUCONV_ARG_LOSS] = loss.span();
    const jcuconv_softmax_cross_entropy problem{2, 3, -1, JCUCONV_F32, 0};
    const Labels wrong({0, 3}), none({-1, -1});
    a[JCUCONV_ARG_LABELS] = wrong.memory.span();
    run_plan(jcuconv_softmax_cross_entropy_plan, problem, JCUCONV_FPROP, a);
    CHECK(std::isnan(loss.read()[0]));
    a[JCUCONV_ARG_LABELS] = none.memory.span();
    run_plan(jcuconv_softmax_cross_entropy_plan, problem, JCUCONV_FPROP, a);
    CHECK(loss.read()[0] == 0.0f);
}

// 3 is the first that is none of three classes.
JCUCONV_TEST(a_wrong_label_makes_the_gradients_of_its_row_nan) {
    Tensor x(JCUCONV_F32, 3, 3), factor(JCUCONV_F32, 1, 1);
    const Tensor gradients(JCUCONV_F32, 3, 3);
    filled(x, {1, 2, 3, 4, 5, 6, 7, 8, 9}), filled(factor, {1});
    const Labels labels({3, 2, -2});
    Arguments a{};
    a[JCUCONV_ARG_X] = x.span(), a[JCUCONV_ARG_LABELS] = labels.memory.span();
    a[JCUCONV_ARG_LOSS_SCALE] = factor.span(), a[JCUCONV_ARG_DX] = gradients.span();
    const jcuconv_softmax_cross_entropy problem{3, 3, -1, JCUCONV_F32, 0};
    run_plan(jcuconv_softmax_cross_entropy_plan, problem, JCUCONV_DGRAD, a);
    const auto found = gradients.read();
    for (std::size_t i = 0; i < found.size(); ++i) CHECK(std::isnan(found[i]) == (i / 3 != 1));
}

JCUCONV_TEST(optimizers_follow_their_formulas) {
    for (const int kind : {JCUCONV_SGD, JCUCONV_SGD_MOMENTUM, JCUCONV_ADAM})
        for (const int storage : {0, 1, 2}) {
            constexpr int kCount = 301;
            const auto type = static_cast<jcuconv_type>(storage);
            const std::vector<float> h = {0.1f, 0.5f, 0.01f, 0.9f, 0.999f, 1e-3f, 0.3f, 0.2f, 1};
            Random random{std::uint64_t(kind)};
            const auto ws = random.reals(kCount), gs = random.reals(kCount), ms = random.reals(kCount);
            auto vs = random.reals(kCount);
            Expected w, m, v;
            for (std::size_t i = 0; i < kCount; ++i) {
                vs[i] = std::abs(vs[i]);
                double step, new_m = ms[i], new_v = vs[i];
                if (kind == JCUCONV_ADAM) {
                    const double g = double(h[1]) * gs[i];
                    new_m = double(h[3]) * ms[i] + (1 - double(h[3])) * g;
                    new_v = double(h[4]) * vs[i] + (1 - double(h[4])) * g * g;
                    step = new_m / h[6] / (std::sqrt(new_v / h[7]) + h[5]) + double(h[2]) * ws[i];
                } else {
                    step = double(h[1]) * gs[i] + double(h[2]) * ws[i];
                    if (kind == JCUCONV_SGD_MOMENTUM) new_m = step += double(h[3]) * ms[i];
                }
                w.value.push_back(ws[i] - h[0] * step);
                w.bound.push_back(kUnit * (4 * std::abs(ws[i]) + 16 * h[0] * (std::abs(step) + 1)));
                m.value.push_back(new_m), m.bound.push_back(8 * kUnit);
                v.value.push_back(new_v), v.bound.push_back(8 * kUnit);
            }
            Tensor tw(JCUCONV_F32, 1, kCount), dw(JCUCONV_F32, 1, kCount), tm(JCUCONV_F32, 1, kCount), tv(JCUCONV_F32, 1, kCount);
            Tensor hyper(JCUCONV_F32, 1, 9);
            const Tensor copy(type, 1, kCount);
            filled(tw, ws), filled(dw, gs), filled(tm, ms), filled(tv, vs), filled(hyper, h);
            Arguments a{};
            a[JCUCONV_ARG_W] = tw.span(), a[JCUCONV_ARG_DW] = dw.span(), a[JCUCONV_ARG_M] = tm.span(), a[JCUCONV_ARG_V] = tv.span();
            a[JCUCONV_ARG_HYPER] = hyper.span(), a[JCUCONV_ARG_W_STORAGE] = copy.span();
            run_plan(jcuconv_optimizer_plan, jcuconv_optimizer{kCount, kind, storage}, JCUCONV_FPROP, a);
            matches("w", tw, w, JCUCONV_F32);
            if (kind != JCUCONV_SGD) matches("m", tm, m, JCUCONV_F32);
            if (kind == JCUCONV_ADAM) matches("v", tv, v, JCUCONV_F32);
            if (storage == JCUCONV_F32) continue;
            const auto updated = tw.read(), copied = copy.read();
            for (std::size_t i = 0; i < kCount; ++i) CHECK(copied[i] == rounded(type, updated[i]));
        }
}

JCUCONV_TEST(dense_is_a_matrix_product_in_all_passes) {
    constexpr int kRows = 5, kIn = 23, kOut = 7;
    Random random(12);
    const auto xs = random.integers(kRows * kIn, 3), ws = random.integers(kOut * kIn, 3), gs = random.integers(kRows * kOut, 3);
    const auto bs = random.integers(kOut, 3);
    Expected y{std::vector<double>(kRows * kOut), {}}, dx{std::vector<double>(kRows * kIn), {}};
    Expected dw{std::vector<double>(kOut * kIn), {}}, dbias{std::vector<double>(kOut), {}};
    for (std::size_t n = 0; n < kRows; ++n)
        for (std::size_t k = 0; k < kOut; ++k) {
            const double g = gs[n * kOut + k];
            dbias.value[k] += g;
            for (std::size_t c = 0; c < kIn; ++c) {
                y.value[n * kOut + k] += double(xs[n * kIn + c]) * ws[k * kIn + c];
                dx.value[n * kIn + c] += g * ws[k * kIn + c];
                dw.value[k * kIn + c] += g * xs[n * kIn + c];
            }
            y.value[n * kOut + k] = std::max(0.0, y.value[n * kOut + k] + bs[k]);
        }
    Tensor x(JCUCONV_F32, kRows, kIn), w(JCUCONV_F32, kOut, kIn), dy(JCUCONV_F32, kRows, kOut), bias(JCUCONV_F32, 1, kOut);
    const Tensor out(JCUCONV_F32, kRows, kOut), out_dx(JCUCONV_F32, kRows, kIn), out_dw(JCUCONV_F32, kOut, kIn);
    const Tensor out_dbias(JCUCONV_F32, 1, kOut);
    filled(x, xs), filled(w, ws), filled(dy, gs), filled(bias, bs);
    Arguments a{};
    a[JCUCONV_ARG_X] = x.span(), a[JCUCONV_ARG_W] = w.span(), a[JCUCONV_ARG_BIAS] = bias.span(), a[JCUCONV_ARG_Y] = out.span();
    a[JCUCONV_ARG_DY] = dy.span(), a[JCUCONV_ARG_DX] = out_dx.span(), a[JCUCONV_ARG_DW] = out_dw.span();
    a[JCUCONV_ARG_DBIAS] = out_dbias.span();
    run_plan(jcuconv_dense_plan, jcuconv_dense{kRows, kIn, kOut, 0, 0, {JCUCONV_EPILOGUE_BIAS, JCUCONV_EPILOGUE_RELU}, 0, 0, 0, 0, 0}, JCUCONV_FPROP, a);
    matches("dense y", out, y, JCUCONV_F32);
    const jcuconv_dense backward{kRows, kIn, kOut, 0, 0, {}, 0, 0, 0, 0, 0};
    run_plan(jcuconv_dense_plan, backward, JCUCONV_DGRAD, a);
    run_plan(jcuconv_dense_plan, backward, JCUCONV_WGRAD, a);
    run_plan(jcuconv_dense_plan, backward, JCUCONV_BGRAD, a);
    matches("dense dx", out_dx, dx, JCUCONV_F32);
    matches("dense dw", out_dw, dw, JCUCONV_F32);
    matches("dense dbias", out_dbias, dbias, JCUCONV_F32);
}

JCUCONV_TEST(reorder_changes_layout_and_type) {
    for (int from = 0; from < 3; ++from)
        for (int to = 0; to < 3; ++to)
            for (const int pixels : {1, 31, 70})
                for (const int layouts : {0, 1, 2, 3}) {
                    constexpr int kImages = 2, kChannels = 33;
                    const jcuconv_reorder o{kImages, pixels, kChannels, layouts & 1, layouts >> 1, from, to};
                    const auto count = std::size_t(kImages * pixels * kChannels);
                    auto values = Random(count).reals(count);
                    for (float& v : values) v = rounded(static_cast<jcuconv_type>(from), 1e5 * v);
                    const auto at = [&](int layout, int n, int p, int c) {
                        return std::size_t(layout == JCUCONV_NHWC ? (n * pixels + p) * kChannels + c : (n * kChannels + c) * pixels + p);
                    };
                    Expected expected{std::vector<double>(count), {}};
                    for (int n = 0; n < kImages; ++n)
                        for (int p = 0; p < pixels; ++p)
                            for (int c = 0; c < kChannels; ++c)
                                expected.value[at(o.y_layout, n, p, c)] = values[at(o.x_layout, n, p, c)];
                    Tensor x(static_cast<jcuconv_type>(from), 1, int(count));
                    const Tensor y(static_cast<jcuconv_type>(to), 1, int(count));
                    x.write(values);
                    Arguments a{};
                    a[JCUCONV_ARG_X] = x.span(), a[JCUCONV_ARG_Y] = y.span();
                    run_plan(jcuconv_reorder_plan, o, JCUCONV_FPROP, a);
                    matches("reorder", y, expected, static_cast<jcuconv_type>(to));
                }
}
