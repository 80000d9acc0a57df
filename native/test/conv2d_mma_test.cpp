// The convolutions on tensor cores against their definition: every type, way of multiplying, tile and width of access, all passes; free of
// bank conflicts in the main loop; within the bound also where the tensor core cuts its sums off.
#include "simt/executor.h"
#include "test/testing/conv2d_case.h"

using namespace jcuconv;
using namespace jcuconv::test;

namespace {

struct Operands {
    jcuconv_type type;
    jcuconv_math math;
};
constexpr Operands kOperands[] = {{JCUCONV_F16, JCUCONV_MATH_EXACT},
                                  {JCUCONV_BF16, JCUCONV_MATH_EXACT},
                                  {JCUCONV_F32, JCUCONV_MATH_TF32},
                                  {JCUCONV_F32, JCUCONV_MATH_TF32X3}};
constexpr jcuconv_pass kPasses[] = {JCUCONV_FPROP, JCUCONV_DGRAD, JCUCONV_WGRAD};

bool has_tile(const Operands& o, jcuconv_pass pass, Conv2dTile tile) {
    return tile != Conv2dTile::kLarge || (o.math != JCUCONV_MATH_TF32X3 && !(o.type == JCUCONV_F32 && pass == JCUCONV_WGRAD));
}

Variant variant(const Operands& o, Conv2dTile tile) {
    Variant v;
    v.tile = tile, v.algorithm = Conv2dAlgorithm::kMmaGemm, v.math = o.math;
    return v;
}

// With an epilogue or accumulation, and without.
bool run_pass(jcuconv_conv2d p, jcuconv_pass pass, const Operands& o, bool extra, Variant v) {
    p.type = o.type;
    p.accumulate = pass != JCUCONV_FPROP && extra;
    set_epilogue(p, pass == JCUCONV_FPROP && extra, pass == JCUCONV_FPROP && extra);
    return run_case(p, pass, v);
}

void run_all(const jcuconv_conv2d& p) {
    for (const Operands& o : kOperands)
        for (const Conv2dTile tile : kTiles)
            for (const jcuconv_pass pass : kPasses) {
                if (!has_tile(o, pass, tile)) continue;
                Variant v = variant(o, tile);
                const bool extra = tile == Conv2dTile::kMedium;
                v.splits = pass == JCUCONV_WGRAD && extra ? 3 : 1;
                if (!run_pass(p, pass, o, extra, v)) return;
            }
}

}  // namespace

JCUCONV_TEST(mma_single_product) { run_all(conv(1, 1, 1, 1, 1, 1, 1)); }

JCUCONV_TEST(mma_vectors_and_several_tiles) {
    auto p = conv(2, 9, 8, 40, 136, 3, 3);
    p.pad_top = p.pad_bottom = p.pad_left = p.pad_right = 1;
    run_all(p);
}

JCUCONV_TEST(mma_channel_tails_and_first_layers) {
    run_all(conv(1, 7, 9, 17, 19, 3, 2));
    run_all(conv(2, 12, 11, 3, 8, 5, 5));
    run_all(conv(2, 12, 11, 1, 6, 5, 5));
    run_all(conv(1, 5, 6, 24, 21, 2, 2));  // vectors in, scalars out
    run_all(conv(1, 5, 6, 6, 24, 2, 2));   // and the other way round
}

JCUCONV_TEST(mma_four_different_paddings) {
    auto p = conv(1, 6, 7, 8, 8, 3, 4);
    p.pad_top = 0, p.pad_bottom = 3, p.pad_left = 2, p.pad_right = 1;
    run_all(p);
}

JCUCONV_TEST(mma_unequal_strides_and_dilations) {
    auto p = conv(2, 11, 13, 8, 16, 3, 3);
    p.stride_h = 2, p.stride_w = 3, p.dilation_h = 3, p.dilation_w = 2;
    p.pad_top = 2, p.pad_left = 3, p.pad_right = 1;
    run_all(p);
    p = conv(1, 13, 13, 2, 3, 3, 3);
    p.stride_h = 4, p.stride_w = 6, p.dilation_h = 2, p.dilation_w = 4;
    p.pad_top = 3, p.pad_bottom = 3;
    run_all(p);
}

JCUCONV_TEST(mma_stride_above_window_leaves_untouched_pixels) {
    auto p = conv(1, 9, 10, 8, 8, 1, 2);
    p.stride_h = 3, p.stride_w = 4;
    run_all(p);
}

JCUCONV_TEST(mma_groups_and_a_slice_of_a_wider_tensor) {
    auto p = conv(2, 5, 6, 24, 48, 3, 3);
    p.groups = 3, p.x_pitch = 32, p.y_pitch = 56, p.pad_top = p.pad_left = 1;
    run_all(p);
    p = conv(2, 5, 6, 12, 24, 3, 3);
    p.groups = 4, p.x_pitch = 13, p.y_pitch = 25;
    run_all(p);
}

JCUCONV_TEST(mma_promised_alignment_decides_about_vectors) {
    auto p = conv(1, 5, 6, 16, 24, 2, 3);
    for (const Operands& o : kOperands)
        for (const jcuconv_pass pass : kPasses) {
            Variant v = variant(o, Conv2dTile::kSmall);
            v.alignment = o.type == JCUCONV_F32 ? 4 : 2;
            run_pass(p, pass, o, true, v);
        }
}

JCUCONV_TEST(mma_fp32_y_of_every_tile_and_width) {
    for (const int type : {1, 2})
        for (const int k : {8, 12, 37, 136}) {
            auto p = conv(2, 9, 8, 16, k, 3, 2);
            p.type = type, p.y_f32 = 1, p.y_pitch = k + (k == 12 ? 4 : 3);
            set_epilogue(p, true, true);
            for (const auto tile : kTiles) {
                Variant v;
                v.algorithm = Conv2dAlgorithm::kMmaGemm, v.tile = tile;
                if (!run_case(p, JCUCONV_FPROP, v)) return;
            }
        }
}

JCUCONV_TEST(mma_random_shapes_are_exact_on_integers) {
    Random random(4711);
    constexpr int kShapes = 110;
    int vectors = 0;
    for (int i = 0; i < kShapes; ++i) {
        const int groups = random.chance(70) ? 1 : random.between(2, 4), eight = random.chance(50) ? 8 : 1;
        auto p = conv(random.between(1, 3), random.between(1, 12), random.between(1, 12), groups * eight * random.between(1, 5),
                      groups * eight * random.between(1, 7), random.between(1, 4), random.between(1, 4));
        p.groups = groups;
        p.stride_h = random.between(1, 3), p.stride_w = random.between(1, 3);
        p.dilation_h = random.between(1, 2), p.dilation_w = random.between(1, 2);
        p.pad_top = random.between(0, 3), p.pad_bottom = random.between(0, 3);
        p.pad_left = random.between(0, 3), p.pad_right = random.between(0, 3);
        p.x_pitch = random.chance(30) ? p.c + eight * random.between(0, 3) : 0;
        p.y_pitch = random.chance(30) ? p.k + eight * random.between(0, 3) : 0;
        if (p.dilation_h * (p.r - 1) >= p.h + p.pad_top + p.pad_bottom || p.dilation_w * (p.s - 1) >= p.w + p.pad_left + p.pad_right)
            continue;
        const Operands& o = kOperands[random.between(0, 3)];
        Conv2dTile tile = kTiles[random.between(0, 2)];
        if (!has_tile(o, JCUCONV_WGRAD, tile)) tile = Conv2dTile::kSmall;
        const bool extra = random.chance(50);
        simt::Options options;
        options.seed = static_cast<std::uint64_t>(i % 3);
        options.copies = i % 2 == 0 ? simt::Copies::kLazy : simt::Copies::kRandom;
        simt::set_options(options);
        for (const jcuconv_pass pass : kPasses) {
            Variant v = variant(o, tile);
            v.splits = pass == JCUCONV_WGRAD ? random.between(1, 5) : 1;
            v.seed = i;
            if (!run_pass(p, pass, o, extra, v)) return;
        }
        vectors += eight == 8;
    }
    simt::set_options({});
    CHECK(vectors >= 20);
}

// The second rounding is what measurements by others say of recent tensor cores: sums of four products, cut off two bits below fp32.
JCUCONV_TEST(mma_real_data_stays_within_the_bound_also_where_sums_are_cut_off) {
    auto p = conv(2, 10, 10, 24, 40, 3, 3);
    p.stride_w = 2, p.pad_top = 1;
    for (const simt::MmaRounding& rounding : {simt::MmaRounding{}, simt::MmaRounding{4, 2, true}})
        for (const Operands& o : kOperands)
            for (const jcuconv_pass pass : kPasses) {
                simt::Options options;
                options.mma = rounding;
                simt::set_options(options);
                Variant v = variant(o, Conv2dTile::kMedium);
                v.real_data = true, v.splits = pass == JCUCONV_WGRAD ? 2 : 1, v.seed = pass;
                run_pass(p, pass, o, false, v);
            }
    simt::set_options({});
}

// Of an infinity, three terms make a NaN; fp16, bf16 and tf32 keep it.
JCUCONV_TEST(mma_infinity_spreads_as_documented) {
    for (const Operands& o : kOperands) {
        auto p = conv(1, 1, 1, 1, 1, 1, 1);
        p.type = o.type;
        Conv2dGeometry g;
        CHECK(conv2d_geometry(p, &g).ok());
        const Conv2dConfig config = configure_conv2d(Conv2dAlgorithm::kMmaGemm, {g, o.type, JCUCONV_FPROP, 16, 0, o.math});
        Tensor x(o.type, 1, 1), w(o.type, 1, 1), y(o.type, 1, 1);
        x.write({std::numeric_limits<float>::infinity()});
        w.write({2.0f});
        Operation operation;
        operation.start = [&](void*) {
            return conv2d_fprop(g, o.type, config, x.address(), w.address(), y.address(), Conv2dEpilogue{}, nullptr);
        };
        run_operation("infinity", {{"x", x.span(), Use::kReads}, {"w", w.span(), Use::kReads}, {"y", y.span(), Use::kOverwrites}}, operation);
        CHECK(o.math == JCUCONV_MATH_TF32X3 ? std::isnan(y.read()[0]) : std::isinf(y.read()[0]));
    }
}

JCUCONV_TEST(mma_main_loop_has_no_bank_conflicts) {
    auto p = conv(1, 16, 16, 64, 128, 3, 3);
    p.pad_top = p.pad_bottom = p.pad_left = p.pad_right = 1;
    for (const Operands& o : kOperands)
        for (const Conv2dTile tile : kTiles)
            for (const jcuconv_pass pass : kPasses) {
                if (!has_tile(o, pass, tile)) continue;
                p.type = o.type;
                Conv2dGeometry g;
                CHECK(conv2d_geometry(p, &g).ok());
                Conv2dConfig config = configure_conv2d(Conv2dAlgorithm::kMmaGemm, {g, o.type, pass, 16, 0, o.math});
                config.tile = tile;
                config.split = {1, g.pixels_out(), 0};
                CHECK(config.vec > 1);
                Tensor x(o.type, g.pixels_in(), g.c, g.x_pitch), w(o.type, 1, int(g.filter_elements())), y(o.type, g.pixels_out(), g.k, g.y_pitch);
                Tensor dw(JCUCONV_F32, 1, int(g.filter_elements()));
                simt::Options options;
                options.count_bank_conflicts = true;
                simt::set_options(options);
                Outcome outcome;
                if (pass == JCUCONV_FPROP) outcome = conv2d_fprop(g, o.type, config, x.address(), w.address(), y.address(), {}, nullptr);
                if (pass == JCUCONV_DGRAD) outcome = conv2d_dgrad(g, o.type, config, y.address(), w.address(), x.address(), {}, nullptr);
                if (pass == JCUCONV_WGRAD)
                    outcome = conv2d_wgrad(g, o.type, config, x.address(), y.address(), static_cast<float*>(dw.address()), false, nullptr, nullptr);
                if (outcome.ok()) outcome = device::stream_synchronize(nullptr);
                simt::set_options({});
                CHECK(outcome.ok());
                std::uint64_t accesses = 0;
                for (const auto& line : simt::bank_counts()) {
                    accesses += line.accesses;
                    if (line.conflicts() != 0)
                        report(__FILE__, __LINE__, "pass " + std::to_string(pass) + " type " + std::to_string(o.type) + " tile " +
                                                       std::to_string(tile_extent(tile)) + ": " + std::to_string(line.conflicts()) +
                                                       " bank conflicts at " + line.place + " " + line.what);
                }
                CHECK(accesses > 1000);
            }
}
