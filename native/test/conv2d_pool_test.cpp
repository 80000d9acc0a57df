// Convolution, bias, ReLU and max-pool in one kernel: against their definitions, and bit for bit against the two plans it stands for.
#include "test/testing/conv2d_case.h"

using namespace jcuconv;
using namespace jcuconv::test;

namespace {

struct Window {
    int h, w;
};
constexpr Window kWindows[] = {{2, 2}, {1, 2}, {2, 1}, {4, 1}, {1, 4}, {2, 4}, {4, 4}, {8, 1}, {1, 16}};

struct Kernel {
    Conv2dAlgorithm algorithm;
    jcuconv_type type;
    jcuconv_math math;
};
constexpr Kernel kKernels[] = {{Conv2dAlgorithm::kImplicitGemm, JCUCONV_F32, JCUCONV_MATH_EXACT},
                               {Conv2dAlgorithm::kImplicitGemm, JCUCONV_BF16, JCUCONV_MATH_EXACT},
                               {Conv2dAlgorithm::kMmaGemm, JCUCONV_F16, JCUCONV_MATH_EXACT},
                               {Conv2dAlgorithm::kMmaGemm, JCUCONV_BF16, JCUCONV_MATH_EXACT},
                               {Conv2dAlgorithm::kMmaGemm, JCUCONV_F32, JCUCONV_MATH_TF32},
                               {Conv2dAlgorithm::kMmaGemm, JCUCONV_F32, JCUCONV_MATH_TF32X3}};

bool can(const Kernel& kernel, const Window& window) {
    return window.h * window.w <= (kernel.algorithm == Conv2dAlgorithm::kMmaGemm ? 16 : 4);
}

bool run(jcuconv_conv2d p, const Kernel& kernel, const Window& window, Variant v, bool extra) {
    p.type = kernel.type, p.pool_h = window.h, p.pool_w = window.w;
    set_epilogue(p, extra, extra);
    v.algorithm = kernel.algorithm, v.math = kernel.math;
    return run_case(p, JCUCONV_FPROP, v);
}

bool large(const Kernel& kernel, Conv2dTile tile) { return tile != Conv2dTile::kLarge || kernel.math != JCUCONV_MATH_TF32X3; }

// Every kernel, tile and window that the outputs have room for, with a bias and a ReLU and without.
void run_all(const jcuconv_conv2d& p) {
    const Conv2dShape shape{p};
    int cases = 0;
    for (const Kernel& kernel : kKernels)
        for (const Conv2dTile tile : kTiles)
            for (const Window& window : kWindows) {
                if (!can(kernel, window) || window.h > shape.p() || window.w > shape.q() || !large(kernel, tile)) continue;
                Variant v;
                v.tile = tile, v.seed = ++cases;
                if (!run(p, kernel, window, v, cases % 2 == 0)) return;
            }
    CHECK(cases > 0);
}

// One problem as one plan and as two, of data among which there may be values that are no numbers: the same bits.
void same_as_two_plans(jcuconv_conv2d p, const Window& window, const std::vector<float>& unusual, std::uint64_t seed) {
    const auto type = static_cast<jcuconv_type>(p.type);
    const Conv2dShape shape{p};
    Random random(seed);
    auto xs = random.reals(shape.x_elements());
    for (const float value : unusual) xs[std::size_t(random.between(0, int(xs.size()) - 1))] = value;
    auto biases = random.reals(std::size_t(p.k));
    Tensor x(type, std::int64_t{p.n} * p.h * p.w, p.c), w(type, 1, int(shape.w_elements())), b(JCUCONV_F32, 1, p.k);
    x.write(xs), w.write(random.reals(shape.w_elements())), b.write(biases);
    jcuconv_pool2d pool{};
    pool.n = p.n, pool.h = shape.p(), pool.w = shape.q(), pool.c = p.k, pool.type = p.type;
    pool.r = pool.stride_h = window.h, pool.s = pool.stride_w = window.w, pool.dilation_h = pool.dilation_w = 1;
    const auto rows = std::int64_t{p.n} * (pool.h / window.h) * (pool.w / window.w);
    const Tensor all(type, std::int64_t{p.n} * pool.h * pool.w, p.k), expected(type, rows, p.k), found(type, rows, p.k);
    Arguments a{};
    a[JCUCONV_ARG_X] = x.span(), a[JCUCONV_ARG_W] = w.span(), a[JCUCONV_ARG_BIAS] = b.span(), a[JCUCONV_ARG_Y] = all.span();
    run_plan(jcuconv_conv2d_plan, p, JCUCONV_FPROP, a);
    p.pool_h = window.h, p.pool_w = window.w, a[JCUCONV_ARG_Y] = found.span();
    run_plan(jcuconv_conv2d_plan, p, JCUCONV_FPROP, a);
    Arguments second{};
    second[JCUCONV_ARG_X] = all.span(), second[JCUCONV_ARG_Y] = expected.span();
    run_plan(jcuconv_max_pool2d_plan, pool, JCUCONV_FPROP, second);
    if (!found.same_bits(expected)) report(__FILE__, __LINE__, name_of(p, JCUCONV_FPROP, {}) + ": other bits than two plans");
}

}  // namespace

JCUCONV_TEST(pooled_single_window) { run_all(conv(1, 4, 4, 1, 1, 1, 1)); }

JCUCONV_TEST(pooled_first_layers_with_outputs_that_fill_no_window) {
    auto p = conv(2, 11, 9, 3, 8, 3, 3);
    p.pad_top = p.pad_bottom = p.pad_left = p.pad_right = 1;
    run_all(p);
    run_all(conv(3, 9, 20, 1, 6, 5, 5));
}

JCUCONV_TEST(pooled_vectors_in_and_out_and_several_tiles) {
    run_all(conv(2, 11, 10, 16, 136, 2, 2));
    run_all(conv(1, 9, 18, 24, 21, 1, 3));  // vectors in, scalars out
    run_all(conv(1, 9, 7, 6, 24, 2, 2));    // and the other way round
}

JCUCONV_TEST(pooled_strides_dilations_and_four_paddings) {
    auto p = conv(2, 17, 19, 4, 8, 3, 2);
    p.stride_h = 2, p.stride_w = 3, p.dilation_h = 2, p.dilation_w = 3;
    p.pad_top = 0, p.pad_bottom = 3, p.pad_left = 2, p.pad_right = 1;
    run_all(p);
}

JCUCONV_TEST(pooled_groups_and_slices_of_wider_tensors) {
    auto p = conv(2, 6, 8, 24, 48, 3, 3);
    p.groups = 3, p.x_pitch = 32, p.y_pitch = 56, p.pad_top = p.pad_left = 1;
    run_all(p);
    p = conv(2, 6, 5, 4, 4, 3, 3);
    p.groups = 4, p.x_pitch = 5, p.y_pitch = 7;
    run_all(p);
}

JCUCONV_TEST(pooled_random_shapes_are_exact_on_integers) {
    Random random(815);
    constexpr int kShapes = 150;
    int ran = 0;
    for (int i = 0; i < kShapes; ++i) {
        const int groups = random.chance(75) ? 1 : random.between(2, 4), eight = random.chance(40) ? 8 : 1;
        auto p = conv(random.between(1, 3), random.between(2, 15), random.between(2, 15), groups * eight * random.between(1, 4),
                      groups * eight * random.between(1, 6), random.between(1, 4), random.between(1, 4));
        p.groups = groups;
        p.stride_h = random.between(1, 2), p.stride_w = random.between(1, 2);
        p.dilation_h = random.between(1, 2), p.dilation_w = random.between(1, 2);
        p.pad_top = random.between(0, 2), p.pad_bottom = random.between(0, 2), p.pad_left = random.between(0, 2), p.pad_right = random.between(0, 2);
        p.x_pitch = random.chance(30) ? p.c + eight * random.between(0, 3) : 0;
        p.y_pitch = random.chance(30) ? p.k + eight * random.between(0, 3) : 0;
        const Kernel& kernel = kKernels[random.between(0, 5)];
        const Window& window = kWindows[random.between(0, 8)];
        Variant v;
        v.tile = kTiles[random.between(0, 2)], v.seed = i;
        if (!large(kernel, v.tile)) v.tile = Conv2dTile::kSmall;
        const bool extra = random.chance(50);
        if (p.dilation_h * (p.r - 1) >= p.h + p.pad_top + p.pad_bottom || p.dilation_w * (p.s - 1) >= p.w + p.pad_left + p.pad_right) continue;
        const Conv2dShape shape{p};
        if (!can(kernel, window) || window.h > shape.p() || window.w > shape.q()) continue;
        simt::Options options;
        options.seed = static_cast<std::uint64_t>(i % 3);
        options.copies = i % 2 == 0 ? simt::Copies::kLazy : simt::Copies::kRandom;
        simt::set_options(options);
        if (!run(p, kernel, window, v, extra)) break;
        ++ran;
    }
    simt::set_options({});
    CHECK(ran >= 60);
}

JCUCONV_TEST(pooled_real_data_and_infinities) {
    auto p = conv(2, 8, 9, 5, 12, 3, 3);
    p.pad_top = 1;
    for (const Kernel& kernel : kKernels) {
        Variant v;
        v.tile = Conv2dTile::kMedium, v.real_data = true;
        run(p, kernel, {2, 2}, v, true);
        v.real_data = false, v.infinity = true;
        if (kernel.math != JCUCONV_MATH_TF32X3) run(p, kernel, {2, 2}, v, false);
    }
}

JCUCONV_TEST(pooled_bits_are_those_of_two_plans_with_nan_and_infinities_too) {
    const float nan = std::nanf(""), inf = INFINITY;
    auto p = conv(2, 9, 8, 3, 10, 3, 3);
    p.pad_left = 1;
    auto wide = conv(1, 7, 9, 8, 16, 2, 2);
    for (auto& problem : {&p, &wide})
        for (const int type : {0, 1, 2})
            for (const jcuconv_math math : {JCUCONV_MATH_EXACT, JCUCONV_MATH_TF32, JCUCONV_MATH_TF32X3}) {
                if (type != JCUCONV_F32 && math != JCUCONV_MATH_EXACT) continue;
                for (const Window& window : {Window{2, 2}, Window{1, 2}, Window{4, 1}}) {
                    problem->type = type, problem->math = math;
                    for (const int steps : {0, 1, 2, 3}) {
                        set_epilogue(*problem, steps % 2 == 1, steps / 2 == 1);
                        same_as_two_plans(*problem, window, {}, 3);
                        same_as_two_plans(*problem, window, {nan, inf, -inf, -inf, nan}, std::uint64_t(10 + steps));
                    }
                }
            }
}

JCUCONV_TEST(pooled_plan_says_what_it_does_and_who_was_passed_over) {
    auto p = conv(4, 32, 32, 64, 64, 3, 3);
    p.type = JCUCONV_F16, p.pool_h = p.pool_w = 2, p.pad_top = p.pad_bottom = p.pad_left = p.pad_right = 1;
    jcuconv_handle plan = 0;
    CHECK(jcuconv_conv2d_plan(&p, JCUCONV_FPROP, 0, &plan) == JCUCONV_OK);
    char text[512] = "";
    CHECK(jcuconv_plan_describe(plan, text, sizeof text) == JCUCONV_OK);
    CHECK_CONTAINS(text, "mma_gemm");
    CHECK_CONTAINS(text, " pool 2x2");
    CHECK(jcuconv_plan_explain(plan, text, sizeof text) == JCUCONV_OK);
    CHECK_CONTAINS(text, "not wgmma_gemm: it stores sums, not the maximum of a window of them");
    CHECK(jcuconv_plan_destroy(plan) == JCUCONV_OK);
    p = conv(1, 9, 9, 8, 8, 3, 3), p.pool_h = 2;
    for (const int groups : {1, 8}) {  // neither pointwise nor depthwise
        p.groups = groups;
        CHECK(jcuconv_conv2d_plan(&p, JCUCONV_FPROP, 0, &plan) == JCUCONV_OK);
        CHECK(jcuconv_plan_describe(plan, text, sizeof text) == JCUCONV_OK);
        CHECK_CONTAINS(text, "implicit_gemm");
        CHECK(jcuconv_plan_destroy(plan) == JCUCONV_OK);
    }
}
