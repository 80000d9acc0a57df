// Launch configurations: legal for every shape, within the limits, and a function of the problem alone.
#include "heuristics/conv2d_config.h"

#include "core/arithmetic.h"
#include "core/conv2d.h"
#include "simt/runtime.h"
#include "test/check.h"
#include "test/testing/random.h"

using namespace jcuconv;

namespace {

Conv2dGeometry geometry(int n, int hw, int c, int k, int rs, int stride = 1, int groups = 1) {
    jcuconv_conv2d p{};
    p.n = n, p.h = p.w = hw, p.c = c, p.k = k, p.r = p.s = rs, p.groups = groups;
    p.pad_top = p.pad_bottom = p.pad_left = p.pad_right = rs / 2;
    p.stride_h = p.stride_w = stride, p.dilation_h = p.dilation_w = 1;
    Conv2dGeometry g;
    const Outcome outcome = conv2d_geometry(p, &g);
    if (!outcome.ok()) test::report(__FILE__, __LINE__, outcome.text);
    return g;
}

constexpr std::size_t kNoLimit = SIZE_MAX;

void check_legal(const Conv2dGeometry& g, jcuconv_pass pass, const Conv2dConfig& config, std::size_t limit) {
    const PixelSplit& split = config.split;
    CHECK(split.workspace_bytes <= limit);
    CHECK(config.vec == 1 || (g.group_c % 4 == 0 && g.group_k % 4 == 0));
    if (pass != JCUCONV_WGRAD) return;
    CHECK(split.splits >= 1 && std::int64_t{split.splits} * g.groups <= 65535);
    CHECK(split.splits * split.split_pixels >= g.pixels_out());             // nothing left out
    CHECK((split.splits - 1) * split.split_pixels < g.pixels_out());        // no empty part
    CHECK(split.split_pixels + std::int64_t{g.p} * g.q < INT32_MAX);        // counted in 32 bits
}

}  // namespace

JCUCONV_TEST(random_problems_get_legal_configurations) {
    test::Random random(5);
    for (int i = 0; i < 3000; ++i) {
        const int groups = random.between(1, 3);
        const auto g = geometry(random.between(1, 512), random.between(1, 256), groups * random.between(1, 600),
                                groups * random.between(1, 600), random.between(1, 7), random.between(1, 4), groups);
        for (const jcuconv_pass pass : {JCUCONV_FPROP, JCUCONV_DGRAD, JCUCONV_WGRAD}) {
            const std::size_t limit = random.chance(30) ? 0 : random.chance(50) ? kNoLimit : std::size_t(random.between(0, 1 << 26));
            check_legal(g, pass, choose_conv2d({g, JCUCONV_F32, pass, 16, limit}), limit);
        }
    }
}

JCUCONV_TEST(large_layers_take_large_tiles_and_narrow_layers_small_ones) {
    CHECK(choose_conv2d({geometry(64, 56, 256, 256, 3), JCUCONV_F32, JCUCONV_FPROP, 16, 0}).tile == Conv2dTile::kLarge);
    CHECK(choose_conv2d({geometry(512, 28, 1, 6, 5), JCUCONV_F32, JCUCONV_FPROP, 16, 0}).tile == Conv2dTile::kSmall);
    CHECK(choose_conv2d({geometry(1, 7, 512, 512, 3), JCUCONV_F32, JCUCONV_FPROP, 16, 0}).tile == Conv2dTile::kSmall);
}

JCUCONV_TEST(one_filter_per_channel_is_depthwise) {
    const auto g = geometry(2, 8, 64, 64, 3, 1, 64);
    CHECK(choose_conv2d({g, JCUCONV_F32, JCUCONV_FPROP, 16, 0}).algorithm == Conv2dAlgorithm::kDepthwise);
    CHECK(choose_conv2d({g, JCUCONV_F32, JCUCONV_FPROP, 16, 0}).vec == 4);
    const auto twice = geometry(2, 8, 64, 128, 3, 1, 64);
    CHECK(choose_conv2d({twice, JCUCONV_F32, JCUCONV_FPROP, 16, 0}).algorithm == Conv2dAlgorithm::kImplicitGemm);
}

JCUCONV_TEST(vectors_need_divisible_channels_and_alignment) {
    const auto g = geometry(2, 8, 16, 16, 3);
    CHECK(choose_conv2d({g, JCUCONV_F32, JCUCONV_FPROP, 16, 0}).vec == 4);
    CHECK(choose_conv2d({g, JCUCONV_F32, JCUCONV_FPROP, 8, 0}).vec == 1);
    CHECK(choose_conv2d({g, JCUCONV_BF16, JCUCONV_FPROP, 8, 0, JCUCONV_MATH_EXACT, 75}).vec == 4);
    CHECK(choose_conv2d({geometry(2, 8, 16, 18, 3), JCUCONV_F32, JCUCONV_FPROP, 16, 0}).vec == 1);
}

JCUCONV_TEST(workspace_limit_bounds_the_splits) {
    const auto g = geometry(256, 56, 64, 64, 3);
    const auto free = choose_conv2d({g, JCUCONV_F32, JCUCONV_WGRAD, 16, kNoLimit});
    CHECK(free.split.splits > 8);
    const auto bounded = choose_conv2d({g, JCUCONV_F32, JCUCONV_WGRAD, 16, free.split.workspace_bytes / 2});
    CHECK(bounded.split.splits > 1 && bounded.split.workspace_bytes <= free.split.workspace_bytes / 2);
    CHECK(choose_conv2d({g, JCUCONV_F32, JCUCONV_WGRAD, 16, 0}).split.splits == 1);
    CHECK_CONTAINS(describe(free), "splits " + std::to_string(free.split.splits));
}

JCUCONV_TEST(one_block_per_multiprocessor_is_split_into_whole_waves) {
    const auto g = geometry(64, 28, 128, 128, 3);
    const auto split = [&](std::size_t limit) { return choose_conv2d({g, JCUCONV_F16, JCUCONV_WGRAD, 16, limit}); };
    const Conv2dConfig free = split(kNoLimit);
    const std::int64_t slabs = reduction_size(g, free), part = free.split.split_pixels;
    CHECK(free.algorithm == Conv2dAlgorithm::kWgmmaGemm && slabs == 784);
    CHECK(free.split.splits == 14 && 9 * free.split.splits <= 132);  // nine tiles: one wave
    CHECK(free.split.splits * part >= slabs && (free.split.splits - 1) * part < slabs);
    CHECK(free.split.workspace_bytes == 14u * 128 * 9 * 128 * 4);
    const Conv2dConfig bounded = split(free.split.workspace_bytes - 1);
    CHECK(bounded.split.workspace_bytes < free.split.workspace_bytes && bounded.split.splits == 13);
    CHECK(configure_conv2d(Conv2dAlgorithm::kWgmmaGemm, {g, JCUCONV_F16, JCUCONV_WGRAD, 16, 0}).split.splits == 1);
}

JCUCONV_TEST(the_choice_does_not_depend_on_the_device) {
    const auto g = geometry(64, 28, 64, 64, 3);
    std::string first;
    for (const int multiprocessors : {1, 3, 132}) {
        simt::set_runtime_options({0, multiprocessors});
        const auto text = describe(choose_conv2d({g, JCUCONV_F32, JCUCONV_WGRAD, 16, kNoLimit}));
        if (first.empty()) first = text;
        CHECK(text == first);
    }
    simt::set_runtime_options({});
}

JCUCONV_TEST(tensor_cores_take_what_the_architecture_has_and_fp32_only_when_asked) {
    const auto g = geometry(8, 14, 64, 64, 3);
    const auto algorithm = [&](jcuconv_type type, jcuconv_math math, int architecture) {
        return choose_conv2d({g, type, JCUCONV_FPROP, 16, 0, math, architecture}).algorithm;
    };
    for (const int architecture : {75, 80, 86, 89, 90, 100, 120}) {
        CHECK(algorithm(JCUCONV_F16, JCUCONV_MATH_EXACT, architecture) == Conv2dAlgorithm::kMmaGemm);
        CHECK(algorithm(JCUCONV_F32, JCUCONV_MATH_EXACT, architecture) == Conv2dAlgorithm::kImplicitGemm);
        const auto newer = architecture >= 80 ? Conv2dAlgorithm::kMmaGemm : Conv2dAlgorithm::kImplicitGemm;
        CHECK(algorithm(JCUCONV_BF16, JCUCONV_MATH_EXACT, architecture) == newer);
        CHECK(algorithm(JCUCONV_F32, JCUCONV_MATH_TF32, architecture) == newer);
        CHECK(algorithm(JCUCONV_F32, JCUCONV_MATH_TF32X3, architecture) == newer);
    }
}

JCUCONV_TEST(tensor_core_vectors_are_16_bytes_of_every_side_that_is_loaded) {
    const auto config = [](const Conv2dGeometry& g, jcuconv_pass pass, int alignment = 16) {
        return choose_conv2d({g, JCUCONV_F16, pass, alignment, 0});
    };
    const auto both = geometry(2, 8, 16, 24, 3), input = geometry(2, 8, 16, 21, 3), output = geometry(2, 8, 3, 24, 3);
    for (const jcuconv_pass pass : {JCUCONV_FPROP, JCUCONV_DGRAD, JCUCONV_WGRAD}) {
        CHECK(config(both, pass).vec == 8 && config(both, pass).vec_out == (pass == JCUCONV_WGRAD ? 4 : 8));
        CHECK(config(both, pass, 8).vec == 1 && config(both, pass, 8).vec_out == 1);
        CHECK(config(input, pass).vec == (pass == JCUCONV_FPROP ? 8 : 1));
        CHECK(config(output, pass).vec == 1);
    }
    CHECK(config(input, JCUCONV_FPROP).vec_out == 1 && config(output, JCUCONV_FPROP).vec_out == 8);
}

JCUCONV_TEST(an_fp32_output_is_stored_in_fours_of_its_own_alignment) {
    const auto twelve = geometry(8, 14, 32, 12, 3), odd = geometry(8, 14, 32, 10, 3), depthwise = geometry(8, 14, 32, 32, 3, 1, 32);
    const auto task = [](const Conv2dGeometry& g, int alignment, bool y_f32, int architecture = 90) {
        return Conv2dTask{g, JCUCONV_BF16, JCUCONV_FPROP, alignment, 0, JCUCONV_MATH_EXACT, architecture, y_f32};
    };
    for (const auto algorithm : {Conv2dAlgorithm::kMmaGemm, Conv2dAlgorithm::kWgmmaGemm}) {
        CHECK(configure_conv2d(algorithm, task(twelve, 16, true)).vec_out == 4);
        CHECK(configure_conv2d(algorithm, task(twelve, 16, false)).vec_out == 1);
        CHECK(configure_conv2d(algorithm, task(odd, 16, true)).vec_out == 1);
    }
    CHECK(configure_conv2d(Conv2dAlgorithm::kMmaGemm, task(twelve, 8, true)).vec_out == 1);
    const auto grouped = geometry(8, 14, 32, 32, 3, 1, 4);
    CHECK(conv2d_legal(Conv2dAlgorithm::kGroupedMma, task(grouped, 16, false)));
    CHECK(!conv2d_legal(Conv2dAlgorithm::kGroupedMma, task(grouped, 16, true)));
    CHECK(configure_conv2d(Conv2dAlgorithm::kDepthwise, task(depthwise, 8, false)).vec == 4);
    CHECK(configure_conv2d(Conv2dAlgorithm::kDepthwise, task(depthwise, 8, true)).vec == 1);
    CHECK(configure_conv2d(Conv2dAlgorithm::kDepthwise, task(depthwise, 16, true)).vec == 4);
}

JCUCONV_TEST(the_rows_passed_over_say_why) {
    const auto why = [](const Conv2dGeometry& g, jcuconv_type type, jcuconv_pass pass = JCUCONV_FPROP, int architecture = 90) {
        return explain_conv2d({g, type, pass, 16, 0, JCUCONV_MATH_EXACT, architecture});
    };
    CHECK(why(geometry(2, 8, 64, 64, 3, 1, 64), JCUCONV_F32).empty());  // depthwise, the first row
    const auto wide = geometry(64, 56, 256, 256, 3);
    CHECK(why(wide, JCUCONV_F16) == "not depthwise: groups of more than one channel; not grouped_mma: a single group");
    CHECK(why(wide, JCUCONV_F16, JCUCONV_DGRAD) == "not depthwise: groups of more than one channel; not grouped_mma: a single group");
    CHECK(explain_conv2d({wide, JCUCONV_F16, JCUCONV_WGRAD, 16, kNoLimit}) == "not depthwise: groups of more than one channel; not grouped_mma: a single group");
    CHECK_CONTAINS(why(geometry(64, 56, 256, 64, 3), JCUCONV_F16, JCUCONV_WGRAD), "not wgmma_gemm: more than a quarter of the tiles' rows");
    CHECK_CONTAINS(why(geometry(64, 56, 64, 128, 1), JCUCONV_F16, JCUCONV_WGRAD), "not wgmma_gemm: more than a quarter of the tiles' columns");
    CHECK_CONTAINS(why(geometry(64, 28, 128, 128, 3), JCUCONV_F16, JCUCONV_WGRAD), "not wgmma_gemm: too few tiles");  // without workspace
    CHECK_CONTAINS(why(geometry(64, 56, 256, 256, 3, 3), JCUCONV_F16, JCUCONV_DGRAD), "not wgmma_gemm: more than 4 phases");
    CHECK_CONTAINS(why(wide, JCUCONV_F16, JCUCONV_FPROP, 80), "not wgmma_gemm: no sm_90");
    CHECK_CONTAINS(why(geometry(64, 56, 3, 256, 3), JCUCONV_F16), "not wgmma_gemm: channels are no multiple of 8");
    CHECK_CONTAINS(why(geometry(1, 7, 512, 512, 3), JCUCONV_F16), "not wgmma_gemm: too few tiles for half of a GPU");
    CHECK_CONTAINS(why(geometry(64, 56, 256, 256, 3, 1, 2), JCUCONV_F16), "not wgmma_gemm: groups");
    CHECK_CONTAINS(why(wide, JCUCONV_F32),
                   "not wgmma_gemm: fp32; not mma_gemm: exact fp32 is asked for; not pointwise: no 1x1 window over every pixel");
}
