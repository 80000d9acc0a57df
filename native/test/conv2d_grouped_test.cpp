// Convolutions of several groups of few channels, which a block takes together: exact on integers for every size of a group and of the
// last pack, and an infinity stays in its group.
#include "simt/executor.h"
#include "test/testing/conv2d_case.h"

using namespace jcuconv;
using namespace jcuconv::test;

namespace {

constexpr jcuconv_type kHalves[] = {JCUCONV_F16, JCUCONV_BF16};
constexpr jcuconv_pass kPasses[] = {JCUCONV_WGRAD};

jcuconv_conv2d grouped(int n, int h, int w, int groups, int group_c, int group_k, int r, int s) {
    auto p = conv(n, h, w, groups * group_c, groups * group_k, r, s);
    p.groups = groups;
    p.pad_top = p.pad_bottom = r / 2, p.pad_left = p.pad_right = s / 2;
    return p;
}

Conv2dConfig configured(const jcuconv_conv2d& p, jcuconv_pass pass, int alignment = 16) {
    Conv2dGeometry g;
    CHECK(conv2d_geometry(p, &g).ok());
    return configure_conv2d(Conv2dAlgorithm::kMmaGemm, {g, static_cast<jcuconv_type>(p.type), pass, alignment, 0});
}

bool run(jcuconv_conv2d p, jcuconv_pass pass, jcuconv_type type, Variant v = {}) {
    p.type = type;
    v.algorithm = Conv2dAlgorithm::kMmaGemm;
    return run_case(p, pass, v);
}

bool run_all(const jcuconv_conv2d& p, Variant v = {}) {
    for (const jcuconv_type type : kHalves)
        for (const jcuconv_pass pass : kPasses)
            if (!run(p, pass, type, v)) return false;
    return true;
}

}  // namespace

JCUCONV_TEST(grouped_every_size_of_a_group) {
    for (const int size : {1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 20, 24, 28, 31, 32}) run_all(grouped(1, 6, 5, 8, size, size, 3, 3));
}

JCUCONV_TEST(grouped_filters_and_channels_differ) {
    for (const auto& [c, k] : {std::pair{4, 8}, {8, 4}, {2, 16}, {16, 2}, {1, 4}, {4, 1}, {12, 4}, {4, 12}, {4, 32}, {32, 4}, {6, 10}, {9, 3}})
        run_all(grouped(1, 5, 6, 8, c, k, 3, 3));
}

JCUCONV_TEST(grouped_last_pack_of_fewer_groups) {
    for (const int groups : {2, 3, 7, 9, 10, 13, 32, 37, 40}) run_all(grouped(1, 4, 5, groups, 4, 4, 3, 3));
    run_all(grouped(1, 5, 5, 5, 8, 8, 3, 3));
    run_all(grouped(1, 5, 5, 3, 16, 16, 1, 2));
    run_all(grouped(1, 5, 5, 19, 2, 2, 2, 3));
}

JCUCONV_TEST(grouped_slices_of_wider_tensors_and_alignment) {
    auto p = grouped(2, 7, 5, 10, 4, 4, 3, 3);
    p.x_pitch = 48, p.y_pitch = 56;
    run_all(p);
    p.x_pitch = 41, p.y_pitch = 43;
    run_all(p);
    p.x_pitch = 40, p.y_pitch = 41;
    run_all(p);
    Variant v;
    v.alignment = 2;
    p.x_pitch = p.y_pitch = 0;
    run_all(p, v);
}

JCUCONV_TEST(grouped_wgrad_packs_meet_vectors_where_they_can) {
    const auto expect = [](int groups, int c, int k, int pack, int vec) {
        auto p = grouped(1, 8, 8, groups, c, k, 3, 3);
        p.type = JCUCONV_F16;
        const Conv2dConfig config = configured(p, JCUCONV_WGRAD);
        if (config.pack != pack || config.vec != vec) report(__FILE__, __LINE__, name_of(p, JCUCONV_WGRAD, {}) + ": " + describe(config));
        CHECK(pack == 1 || describe(config).find(" pack " + std::to_string(pack)) != std::string::npos);
        CHECK(configured(p, JCUCONV_FPROP).pack == 1);
        p.type = JCUCONV_F32;
        CHECK(configured(p, JCUCONV_WGRAD).pack == 1);
    };
    expect(32, 4, 4, 8, 8);
    expect(32, 8, 8, 4, 8);
    expect(32, 16, 16, 2, 8);
    expect(32, 32, 32, 1, 8);
    expect(6, 4, 4, 6, 8);    // all groups in one pack
    expect(32, 6, 6, 4, 8);   // five would be no whole vectors
    expect(32, 5, 5, 6, 1);   // 8 would be more than 32 filters
    expect(9, 4, 4, 8, 1);    // 36 channels: the last pack ends in half a vector
    expect(1, 4, 4, 1, 1);
}

JCUCONV_TEST(grouped_infinity_stays_in_its_group) {
    Variant v;
    v.infinity = true;
    for (const int size : {2, 3, 4, 8, 12, 16})
        for (v.seed = 1; v.seed < 4; ++v.seed) {
            auto p = grouped(2, 7, 6, 8, size, size, 3, 3);
            p.pad_top = p.pad_bottom = p.pad_left = p.pad_right = 0;  // a zero of the padding would make a NaN of it
            run_all(p, v);
        }
}

JCUCONV_TEST(grouped_random_shapes_are_exact_on_integers) {
    Random random(512);
    int packed = 0, ragged = 0;
    for (int i = 0; i < 60; ++i) {
        const int groups = random.between(2, 40), c = random.between(1, 12), k = random.chance(50) ? c : random.between(1, 12);
        auto p = grouped(random.between(1, 2), random.between(1, 9), random.between(1, 9), groups, c, k, random.between(1, 4), random.between(1, 4));
        p.stride_h = random.between(1, 3), p.stride_w = random.between(1, 3);
        p.dilation_h = random.between(1, 2), p.dilation_w = random.between(1, 2);
        p.pad_top = random.between(0, 3), p.pad_bottom = random.between(0, 3);
        p.pad_left = random.between(0, 3), p.pad_right = random.between(0, 3);
        p.x_pitch = random.chance(30) ? p.c + random.between(0, 9) : 0;
        p.y_pitch = random.chance(30) ? p.k + random.between(0, 9) : 0;
        if (p.dilation_h * (p.r - 1) >= p.h + p.pad_top + p.pad_bottom || p.dilation_w * (p.s - 1) >= p.w + p.pad_left + p.pad_right)
            continue;
        simt::Options options;
        options.seed = static_cast<std::uint64_t>(i % 3);
        options.copies = i % 2 == 0 ? simt::Copies::kLazy : simt::Copies::kRandom;
        simt::set_options(options);
        p.type = kHalves[i % 2];
        for (const jcuconv_pass pass : kPasses) {
            p.accumulate = pass != JCUCONV_FPROP && random.chance(50);
            Variant v;
            v.tile = kTiles[random.between(0, 2)], v.seed = i;
            v.splits = pass == JCUCONV_WGRAD ? random.between(1, 4) : 1;
            const int pack = configured(p, pass).pack;
            packed += pack > 1, ragged += pack > 1 && groups % pack != 0;
            if (!run(p, pass, kHalves[i % 2], v)) return simt::set_options({});
        }
    }
    simt::set_options({});
    CHECK(packed >= 20 && ragged >= 10);
}
