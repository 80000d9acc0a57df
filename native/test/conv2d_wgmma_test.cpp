// The Hopper convolutions against their definition: every shape that a tensor map can say, in every order in which loads may land and threads run.
#include "simt/executor.h"
#include "test/testing/conv2d_case.h"

using namespace jcuconv;
using namespace jcuconv::test;

namespace {

constexpr jcuconv_type kHalves[] = {JCUCONV_F16, JCUCONV_BF16};
constexpr jcuconv_pass kPasses[] = {JCUCONV_FPROP, JCUCONV_DGRAD, JCUCONV_WGRAD};

Variant variant(int seed = 7) {
    Variant v;
    v.algorithm = Conv2dAlgorithm::kWgmmaGemm, v.seed = seed;
    return v;
}

// A gradient loads y: its pixels lie at a pitch that a tensor map can say.
jcuconv_conv2d loadable(jcuconv_conv2d p, jcuconv_pass pass) {
    if (pass != JCUCONV_FPROP) p.y_pitch = round_up<std::int64_t>(std::max<std::int64_t>(p.k, p.y_pitch), 8);
    return p;
}

bool run_pass(jcuconv_conv2d p, jcuconv_pass pass, bool extra, const Variant& v) {
    p = loadable(p, pass);
    p.accumulate = pass != JCUCONV_FPROP && extra;
    set_epilogue(p, pass == JCUCONV_FPROP && extra, pass == JCUCONV_FPROP && extra);
    return run_case(p, pass, v);
}

// Both types, with and without an epilogue or accumulation, the sums over pixels whole and in parts.
void run_all(jcuconv_conv2d p, std::initializer_list<jcuconv_pass> passes = {JCUCONV_FPROP, JCUCONV_DGRAD, JCUCONV_WGRAD}) {
    for (const jcuconv_pass pass : passes)
        for (const jcuconv_type type : kHalves)
            for (const bool extra : {false, true}) {
                Variant v = variant();
                v.splits = pass == JCUCONV_WGRAD && extra != (type == JCUCONV_F16) ? 3 : 1;
                p.type = type;
                if (!run_pass(p, pass, extra, v)) return;
            }
}

bool legal(const jcuconv_conv2d& p, jcuconv_pass pass = JCUCONV_FPROP, jcuconv_type type = JCUCONV_F16, int alignment = 16, int architecture = 90) {
    Conv2dGeometry g;
    CHECK(conv2d_geometry(p, &g).ok());
    return conv2d_legal(Conv2dAlgorithm::kWgmmaGemm, {g, type, pass, alignment, 0, JCUCONV_MATH_EXACT, architecture});
}

}  // namespace

JCUCONV_TEST(wgmma_single_pixel_tile_and_several_tiles) {
    run_all(conv(1, 1, 1, 8, 1, 1, 1));
    run_all(conv(3, 9, 8, 72, 130, 1, 1));
    auto p = conv(2, 9, 8, 136, 136, 3, 3);
    p.pad_top = p.pad_bottom = p.pad_left = p.pad_right = 1;
    run_all(p);
}

JCUCONV_TEST(wgmma_more_slabs_than_stages_and_fewer) {
    run_all(conv(1, 8, 8, 64, 64, 3, 3));    // 9 of 6
    run_all(conv(1, 8, 8, 448, 64, 1, 1));   // 7
    run_all(conv(1, 8, 8, 384, 64, 1, 1));   // exactly 6
    run_all(conv(1, 8, 8, 128, 64, 1, 1));   // 2
    run_all(conv(1, 8, 8, 64, 448, 1, 1), {JCUCONV_DGRAD});
    run_all(conv(1, 8, 8, 64, 384, 1, 1), {JCUCONV_DGRAD});
    run_all(conv(2, 25, 9, 8, 8, 1, 1), {JCUCONV_WGRAD});  // 8 slabs of pixels, the last one of 2
    run_all(conv(6, 8, 8, 8, 8, 1, 1), {JCUCONV_WGRAD});
}

JCUCONV_TEST(wgmma_four_different_paddings) {
    auto p = conv(2, 6, 7, 8, 24, 3, 4);
    p.pad_top = 0, p.pad_bottom = 3, p.pad_left = 2, p.pad_right = 1;
    run_all(p);
    p.pad_top = 2, p.pad_bottom = 0, p.pad_left = 0, p.pad_right = 3;
    run_all(p);
}

JCUCONV_TEST(wgmma_unequal_strides_and_dilations_with_padding_left_over) {
    auto p = conv(2, 13, 15, 16, 24, 3, 2);
    p.stride_h = 2, p.stride_w = 3, p.dilation_h = 3, p.dilation_w = 2;
    p.pad_top = 2, p.pad_left = 3, p.pad_right = 1;
    run_all(p, {JCUCONV_FPROP, JCUCONV_WGRAD});
    p.stride_h = 3, p.stride_w = 1, p.dilation_h = 1, p.dilation_w = 5;
    run_all(p);
    p = conv(1, 20, 20, 8, 8, 1, 1);
    p.stride_h = 8, p.stride_w = 7;
    run_all(p, {JCUCONV_FPROP, JCUCONV_WGRAD});
}

JCUCONV_TEST(wgmma_phases_of_every_stride_with_their_own_taps) {
    constexpr int kStrides[][2] = {{2, 2}, {1, 2}, {2, 1}, {1, 3}, {3, 1}, {4, 1}, {1, 4}};
    int i = 0;
    for (const auto& [down, across] : kStrides)
        for (const int dilation : {1, 2, 3}) {
            auto p = conv(2, 9 + i % 3, 10 + i % 2, 8, 72, 3, 1 + i % 4);
            p.stride_h = down, p.stride_w = across, p.dilation_h = dilation, p.dilation_w = 1 + i % 3;
            p.pad_top = i % 3, p.pad_bottom = i % 2, p.pad_left = (i + 1) % 4, p.pad_right = i % 5;
            p.type = kHalves[i % 2];
            if (!run_pass(p, JCUCONV_DGRAD, i % 2 == 0, variant(i))) return;
            ++i;
        }
}

JCUCONV_TEST(wgmma_phases_without_taps_or_pixels) {
    auto p = conv(3, 9, 10, 136, 24, 1, 1);
    p.stride_h = p.stride_w = 2;
    run_all(p, {JCUCONV_DGRAD});  // three of four phases meet no tap
    p = conv(2, 9, 1, 8, 8, 2, 1);
    p.stride_h = 2, p.stride_w = 2;
    run_all(p, {JCUCONV_DGRAD});  // one column: half of the phases have no pixel
    p = conv(2, 8, 9, 8, 16, 2, 2);
    p.stride_h = p.stride_w = 2, p.dilation_h = p.dilation_w = 2;
    run_all(p, {JCUCONV_DGRAD});  // all taps in one phase
}

JCUCONV_TEST(wgmma_halves_of_a_tile_with_taps_of_their_own) {
    run_all(conv(1, 6, 5, 64, 16, 2, 3), {JCUCONV_WGRAD});   // six taps of one half: tiles are full
    run_all(conv(1, 6, 5, 72, 130, 1, 3), {JCUCONV_WGRAD});  // two halves a tap, the second one mostly empty
    run_all(conv(1, 6, 5, 136, 8, 1, 1), {JCUCONV_WGRAD});   // three halves: one is left over
}

JCUCONV_TEST(wgmma_parts_begin_anywhere_and_the_last_one_is_short) {
    auto p = conv(5, 7, 9, 24, 40, 3, 3);
    p.pad_top = p.pad_left = 1, p.pad_bottom = 2;
    for (const int splits : {2, 3, 4, 5, 9})
        for (const bool extra : {false, true}) {
            p.type = kHalves[splits % 2];
            Variant v = variant(splits);
            v.splits = splits;
            if (!run_pass(p, JCUCONV_WGRAD, extra, v)) return;
        }
}

JCUCONV_TEST(wgmma_wgrad_of_odd_channels_at_a_pitch) {
    for (const int c : {1, 3, 12, 67}) {
        auto p = conv(2, 5, 6, c, 19, 3, 2);
        p.x_pitch = round_up(c, 8), p.pad_left = 1;
        run_all(p, {JCUCONV_WGRAD});
    }
}

JCUCONV_TEST(wgmma_dgrad_stores_at_any_pitch) {
    auto p = conv(2, 5, 6, 24, 19, 3, 2);
    p.x_pitch = 27, p.stride_w = 2, p.pad_left = 1;
    run_all(p, {JCUCONV_DGRAD});
}

JCUCONV_TEST(wgmma_tiles_cross_rows_and_images) {
    auto p = conv(37, 3, 5, 8, 8, 2, 2);
    p.pad_left = p.pad_bottom = 1;
    run_all(p);
}

JCUCONV_TEST(wgmma_a_slice_of_a_wider_tensor_and_odd_filters) {
    auto p = conv(2, 5, 6, 24, 19, 3, 3);
    p.x_pitch = 40, p.y_pitch = 23;
    p.pad_top = p.pad_left = 1;
    run_all(p);
    p.k = 32, p.y_pitch = 48;
    run_all(p);
}

JCUCONV_TEST(wgmma_fp32_y) {
    for (const int k : {8, 20, 131}) {
        auto p = conv(1, 12, 13, 24, k, 3, 3);
        p.type = kHalves[k % 2], p.y_f32 = 1, p.y_pitch = k + (k == 20 ? 4 : 0);
        set_epilogue(p, true, k == 8);
        if (!run_case(p, JCUCONV_FPROP, variant(k))) return;
    }
}

JCUCONV_TEST(wgmma_takes_only_what_a_tensor_map_can_say) {
    auto p = conv(2, 9, 9, 64, 64, 3, 3);
    for (const jcuconv_pass pass : kPasses) {
        CHECK(legal(p, pass) && legal(p, pass, JCUCONV_BF16) && !legal(p, pass, JCUCONV_F32));
        CHECK(!legal(p, pass, JCUCONV_F16, 8));
        for (const int architecture : {75, 80, 86, 89, 100, 120}) CHECK(!legal(p, pass, JCUCONV_F16, 16, architecture));
        CHECK(!legal(conv(2, 9, 9, 12, 64, 3, 3), pass));
    }
    auto odd = conv(2, 9, 9, 13, 21, 3, 3);
    odd.x_pitch = 16, odd.y_pitch = 24;
    CHECK(legal(odd, JCUCONV_WGRAD));  // what is stored lies as it likes
    odd.x_pitch = 13;
    CHECK(!legal(odd, JCUCONV_WGRAD));
    odd.x_pitch = 16, odd.y_pitch = 21;
    CHECK(!legal(odd, JCUCONV_WGRAD));
    p.x_pitch = 68;
    CHECK(!legal(p));
    p.x_pitch = 0, p.groups = 2;
    CHECK(!legal(p));
    p.groups = 1, p.stride_w = 9;
    CHECK(!legal(p));
    p.stride_w = 1, p.pad_left = 129;
    CHECK(!legal(p));
    p.pad_left = 128;
    CHECK(legal(p));
    p.pad_left = 0, p.dilation_w = 128, p.w = 300;  // the last tap lies 256 away
    CHECK(!legal(p));
    p.dilation_w = 60;
    CHECK(legal(p));
    p.dilation_w = 65;  // the walk over base pixels ends 130 before the border
    CHECK(!legal(p));
}

JCUCONV_TEST(wgmma_dgrad_takes_only_what_a_tensor_map_can_say) {
    const auto taken = [](const jcuconv_conv2d& p) { return legal(p, JCUCONV_DGRAD); };
    auto p = conv(2, 40, 40, 64, 64, 3, 3);
    p.x_pitch = 67;
    CHECK(taken(p));  // of what is stored alone
    p.k = 60;
    CHECK(!taken(p));
    p.y_pitch = 64;
    CHECK(taken(p));
    p.stride_h = p.stride_w = 2;
    CHECK(taken(p));
    p.stride_w = 3;
    CHECK(!taken(p));
    p.stride_h = 1, p.stride_w = 4;
    CHECK(taken(p));
    p.stride_w = 5;
    CHECK(!taken(p));
    p = conv(1, 1, 300, 64, 64, 1, 3);
    p.dilation_w = 64;  // the last tap lies 128 before a pixel's first
    CHECK(taken(p));
    p.dilation_w = 65;
    CHECK(!taken(p));
    p.stride_w = 2;  // half of it in dy
    CHECK(taken(p));
    p = conv(1, 1, 300, 64, 64, 1, 1);
    p.pad_left = 127;
    CHECK(taken(p));
    p.pad_left = 128;
    CHECK(!taken(p));
}

JCUCONV_TEST(wgmma_random_shapes_are_exact_on_integers) {
    Random random(9090);
    constexpr int kShapes = 140;
    int ran[JCUCONV_WGRAD + 1] = {};
    for (int i = 0; i < kShapes; ++i) {
        auto p = conv(random.between(1, 4), random.between(1, 14), random.between(1, 14), 8 * random.between(1, 12), random.between(1, 150),
                      random.between(1, 4), random.between(1, 4));
        p.stride_h = random.between(1, 3), p.stride_w = random.between(1, random.chance(50) ? 2 : 3);
        p.dilation_h = random.between(1, 2), p.dilation_w = random.between(1, 2);
        p.pad_top = random.between(0, 3), p.pad_bottom = random.between(0, 3);
        p.pad_left = random.between(0, 3), p.pad_right = random.between(0, 3);
        p.x_pitch = random.chance(30) ? p.c + 8 * random.between(0, 3) : 0;
        p.y_pitch = random.chance(30) ? p.k + random.between(0, 9) : 0;
        if (p.dilation_h * (p.r - 1) >= p.h + p.pad_top + p.pad_bottom || p.dilation_w * (p.s - 1) >= p.w + p.pad_left + p.pad_right) continue;
        p.type = kHalves[i % 2];
        const bool extra = random.chance(50);
        simt::Options options;
        options.seed = static_cast<std::uint64_t>(i % 4);
        options.copies = i % 3 == 0 ? simt::Copies::kLazy : i % 3 == 1 ? simt::Copies::kEager : simt::Copies::kRandom;
        simt::set_options(options);
        for (const jcuconv_pass pass : kPasses) {
            if (!legal(loadable(p, pass), pass)) continue;
            Variant v = variant(i);
            v.splits = pass == JCUCONV_WGRAD ? 1 + i % 5 : 1;
            if (!run_pass(p, pass, extra, v)) return;
            ++ran[pass];
        }
    }
    simt::set_options({});
    CHECK(ran[JCUCONV_FPROP] >= 110 && ran[JCUCONV_DGRAD] >= 75 && ran[JCUCONV_WGRAD] >= 110);
}

// What is filled in behind the last pixel, filter and channel is zero on both sides.
JCUCONV_TEST(wgmma_an_infinity_reaches_no_other_element) {
    auto p = conv(1, 7, 9, 24, 40, 3, 2);
    for (const jcuconv_type type : kHalves)
        for (const jcuconv_pass pass : kPasses) {
            p.type = type;
            Variant v = variant();
            v.infinity = true;
            run_pass(p, pass, false, v);
        }
}

JCUCONV_TEST(wgmma_real_data_stays_within_the_bound_also_where_sums_are_cut_off) {
    auto p = conv(2, 10, 10, 40, 72, 3, 3);
    p.stride_w = 2, p.pad_top = 1;
    for (const simt::MmaRounding& rounding : {simt::MmaRounding{}, simt::MmaRounding{16, 2, true}})
        for (const jcuconv_type type : kHalves) {
            simt::Options options;
            options.mma = rounding;
            simt::set_options(options);
            p.type = type;
            Variant v = variant(3);
            v.real_data = true;
            for (const jcuconv_pass pass : kPasses) run_pass(p, pass, false, v);
        }
    simt::set_options({});
}
