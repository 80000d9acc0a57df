// The convolution kernels against their definition: every tile, every vector width, every type, all passes.
#include "simt/executor.h"
#include "test/testing/conv2d_case.h"

using namespace jcuconv;
using namespace jcuconv::test;

namespace {

// All passes, tiles and types of one shape.
void run_all(jcuconv_conv2d problem) {
    for (const jcuconv_type type : kTypes) {
        problem.type = type;
        for (const Conv2dTile tile : kTiles) {
            for (int pass = JCUCONV_FPROP; pass <= JCUCONV_BGRAD; ++pass) {
                jcuconv_conv2d p = problem;
                if (pass == JCUCONV_FPROP) p.accumulate = 0;
                if (pass != JCUCONV_FPROP) set_epilogue(p, false, false);
                if (!run_case(p, static_cast<jcuconv_pass>(pass), {tile, pass >= JCUCONV_WGRAD ? 3 : 1, false, 7})) return;
            }
        }
    }
}

}  // namespace

JCUCONV_TEST(unit_everything) { run_all(conv(1, 1, 1, 1, 1, 1, 1)); }

JCUCONV_TEST(vectors_and_several_tiles) {
    auto p = conv(2, 9, 8, 40, 36, 3, 3);
    p.pad_top = p.pad_bottom = p.pad_left = p.pad_right = 1;
    run_all(p);
}

JCUCONV_TEST(channel_tail_of_17_and_first_layer_of_3) {
    run_all(conv(1, 7, 9, 17, 19, 3, 2));
    run_all(conv(2, 12, 11, 3, 8, 5, 5));
}

JCUCONV_TEST(four_different_paddings) {
    auto p = conv(1, 6, 7, 4, 4, 3, 4);
    p.pad_top = 0, p.pad_bottom = 3, p.pad_left = 2, p.pad_right = 1;
    run_all(p);
}

JCUCONV_TEST(unequal_strides_and_dilations) {
    auto p = conv(2, 11, 13, 4, 8, 3, 3);
    p.stride_h = 2, p.stride_w = 3, p.dilation_h = 3, p.dilation_w = 2;
    p.pad_top = 2, p.pad_left = 3, p.pad_right = 1;
    run_all(p);
}

JCUCONV_TEST(stride_above_window_leaves_untouched_pixels) {
    auto p = conv(1, 9, 10, 4, 4, 1, 2);
    p.stride_h = 3, p.stride_w = 4;
    run_all(p);  // dgrad must write zeros where no window was
}

JCUCONV_TEST(stride_and_dilation_share_a_factor) {
    auto p = conv(1, 13, 13, 2, 3, 3, 3);
    p.stride_h = 4, p.stride_w = 6, p.dilation_h = 2, p.dilation_w = 4;
    p.pad_top = 3, p.pad_bottom = 3;
    run_all(p);
}

JCUCONV_TEST(groups_and_a_slice_of_a_wider_tensor) {
    auto p = conv(2, 5, 6, 12, 24, 3, 3);
    p.groups = 3, p.x_pitch = 20, p.y_pitch = 28;
    p.pad_top = p.pad_left = 1;
    run_all(p);
    p.groups = 12, p.x_pitch = 13, p.y_pitch = 25;  // no vectors, one channel per group
    run_all(p);
}

JCUCONV_TEST(depthwise_with_strips_tails_and_many_taps) {
    auto p = conv(2, 9, 11, 12, 12, 3, 3);
    p.groups = 12, p.pad_top = 1, p.pad_left = 2, p.pad_right = 1;
    set_epilogue(p, true, false);
    run_all(p);
    p.stride_h = 2, p.stride_w = 3, p.dilation_h = 2, p.accumulate = 1;
    set_epilogue(p, true, true);
    run_all(p);
    p = conv(1, 8, 9, 37, 37, 4, 5);  // 20 taps: three chunks of nine; 37 channels: two blocks
    p.groups = 37, p.x_pitch = 40, p.y_pitch = 39, p.dilation_w = 2;
    run_all(p);
}

JCUCONV_TEST(epilogue_adds_bias_then_clips) {
    auto p = conv(1, 6, 5, 5, 9, 2, 3);
    set_epilogue(p, true, false);
    run_all(p);
    set_epilogue(p, true, true);
    run_all(p);
    set_epilogue(p, false, true);
    run_all(p);
}

JCUCONV_TEST(gradients_accumulate) {
    auto p = conv(2, 6, 6, 8, 12, 3, 3);
    p.accumulate = 1, p.stride_h = 2;
    run_all(p);
}

JCUCONV_TEST(relu_keeps_nan) {
    auto p = conv(1, 1, 2, 1, 1, 1, 1);
    Conv2dGeometry g;
    CHECK(conv2d_geometry(p, &g).ok());
    Tensor x(JCUCONV_F32, 2, 1), w(JCUCONV_F32, 1, 1), y(JCUCONV_F32, 2, 1);
    x.write({std::nanf(""), -2.0f});
    w.write({1.0f});
    Operation operation;
    operation.start = [&](void*) { return conv2d_fprop(g, JCUCONV_F32, {}, x.address(), w.address(), y.address(), {JCUCONV_EPILOGUE_RELU, nullptr, nullptr, nullptr, false, false}, nullptr); };
    run_operation("relu", {{"x", x.span(), Use::kReads}, {"w", w.span(), Use::kReads}, {"y", y.span(), Use::kOverwrites}}, operation);
    CHECK(std::isnan(y.read()[0]) && y.read()[1] == 0.0f);
}

JCUCONV_TEST(random_shapes_are_exact_on_integers_in_any_thread_order) {
    Random random(2026);
    constexpr int kShapes = 150;
    for (int i = 0; i < kShapes; ++i) {
        const int groups = random.chance(60) ? 1 : random.between(2, 4), four = random.chance(50) ? 4 : 1;
        auto p = conv(random.between(1, 3), random.between(1, 12), random.between(1, 12), groups * four * random.between(1, 6),
                      groups * four * random.between(1, 9), random.between(1, 4), random.between(1, 4));
        p.groups = groups;
        if (random.chance(15)) p.k = p.groups = p.c;  // depthwise
        p.stride_h = random.between(1, 3), p.stride_w = random.between(1, 3);
        p.dilation_h = random.between(1, 2), p.dilation_w = random.between(1, 2);
        p.pad_top = random.between(0, 3), p.pad_bottom = random.between(0, 3);
        p.pad_left = random.between(0, 3), p.pad_right = random.between(0, 3);
        p.x_pitch = random.chance(30) ? p.c + random.between(0, 8) : 0;
        p.y_pitch = random.chance(30) ? p.k + random.between(0, 8) : 0;
        p.type = kTypes[random.between(0, 2)];
        if (Conv2dShape{p}.p() < 1 || Conv2dShape{p}.q() < 1 || p.dilation_h * (p.r - 1) >= p.h + p.pad_top + p.pad_bottom ||
            p.dilation_w * (p.s - 1) >= p.w + p.pad_left + p.pad_right)
            continue;
        const bool accumulate = random.chance(30), bias = random.chance(50), relu = random.chance(50);
        simt::set_options({static_cast<std::uint64_t>(i % 3)});
        for (int pass = JCUCONV_FPROP; pass <= JCUCONV_BGRAD; ++pass) {
            set_epilogue(p, pass == JCUCONV_FPROP && bias, pass == JCUCONV_FPROP && relu);
            p.accumulate = pass != JCUCONV_FPROP && accumulate;
            if (!run_case(p, static_cast<jcuconv_pass>(pass), {kTiles[random.between(0, 2)], random.between(1, 5), false, i})) return;
        }
    }
    simt::set_options({});
}

JCUCONV_TEST(real_data_stays_within_the_a_priori_bound) {
    auto p = conv(2, 10, 10, 24, 20, 3, 3);
    p.stride_w = 2, p.pad_top = 1;
    for (const jcuconv_type type : kTypes)
        for (int pass = JCUCONV_FPROP; pass <= JCUCONV_BGRAD; ++pass) {
            p.type = type;
            run_case(p, static_cast<jcuconv_pass>(pass), {Conv2dTile::kMedium, 2, true, pass});
        }
}
