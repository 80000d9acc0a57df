// The convolution kernels that only some shapes get, against the definition: forced on shapes that the heuristics give to another
// kernel too, as long as they are legal.
#include "simt/executor.h"
#include "test/testing/conv2d_case.h"

using namespace jcuconv;
using namespace jcuconv::test;

namespace {

using Passes = std::initializer_list<jcuconv_pass>;
constexpr Passes kAllPasses = {JCUCONV_FPROP, JCUCONV_DGRAD, JCUCONV_WGRAD};

// All types that the algorithm has of one shape, with and without an epilogue or accumulation.
void run_all(Conv2dAlgorithm algorithm, const jcuconv_conv2d& problem, const std::vector<Conv2dTile>& tiles = {Conv2dTile::kMedium},
             Passes passes = kAllPasses) {
    for (const jcuconv_type type : kTypes) {
        if (algorithm == Conv2dAlgorithm::kPointwise && type != JCUCONV_F32) continue;
        for (const Conv2dTile tile : tiles)
            for (const jcuconv_pass pass : passes)
                for (const bool extra : {false, true}) {
                    jcuconv_conv2d p = problem;
                    p.type = type;
                    p.accumulate = pass != JCUCONV_FPROP && extra;
                    set_epilogue(p, pass == JCUCONV_FPROP && extra, pass == JCUCONV_FPROP && extra);
                    if (!run_case(p, pass, {tile, pass == JCUCONV_WGRAD && extra ? 3 : 1, false, 5, algorithm})) return;
                }
    }
}

const std::vector<Conv2dTile> kGemmTiles = {Conv2dTile::kLarge, Conv2dTile::kMedium};

}  // namespace

JCUCONV_TEST(pointwise_single_element_tile_and_several_tiles) {
    run_all(Conv2dAlgorithm::kPointwise, conv(1, 1, 1, 4, 4, 1, 1), kGemmTiles);
    run_all(Conv2dAlgorithm::kPointwise, conv(3, 7, 9, 72, 132, 1, 1), kGemmTiles);
    run_all(Conv2dAlgorithm::kPointwise, conv(130, 1, 1, 20, 68, 1, 1), kGemmTiles);  // a dense layer
}

JCUCONV_TEST(pointwise_groups_and_a_slice_of_a_wider_tensor) {
    auto p = conv(2, 5, 6, 24, 48, 1, 1);
    p.groups = 3, p.x_pitch = 32, p.y_pitch = 52;
    run_all(Conv2dAlgorithm::kPointwise, p, kGemmTiles);
}

JCUCONV_TEST(pointwise_ignores_the_dilation_of_a_single_tap) {
    auto p = conv(2, 5, 6, 8, 4, 1, 1);
    p.dilation_h = 3, p.dilation_w = 2;
    run_all(Conv2dAlgorithm::kPointwise, p, kGemmTiles);
}

JCUCONV_TEST(pointwise_is_illegal_where_a_pixel_is_skipped_or_padded) {
    const auto legal = [](jcuconv_conv2d p, int alignment = 16) {
        Conv2dGeometry g;
        CHECK(conv2d_geometry(p, &g).ok());
        return conv2d_legal(Conv2dAlgorithm::kPointwise, {g, JCUCONV_F32, JCUCONV_FPROP, alignment, 0});
    };
    auto p = conv(2, 5, 6, 8, 4, 1, 1);
    CHECK(legal(p) && !legal(p, 8));
    p.stride_w = 2;
    CHECK(!legal(p));
    p.stride_w = 1, p.pad_bottom = 1;
    CHECK(!legal(p));
    p.pad_bottom = 0, p.pad_top = 1;
    CHECK(!legal(p));
    CHECK(!legal(conv(2, 5, 6, 6, 4, 1, 1)) && !legal(conv(2, 5, 6, 8, 4, 1, 2)));
    p = conv(2, 5, 6, 8, 4, 1, 1);
    p.y_pitch = 6;
    CHECK(!legal(p));
}

// What lies outside a window must not be multiplied, not even by zero.
JCUCONV_TEST(an_infinity_reaches_its_windows_alone) {
    auto wide = conv(2, 7, 6, 5, 7, 3, 3), vectors = conv(2, 7, 6, 8, 16, 3, 3), deep = conv(2, 7, 6, 8, 8, 3, 3);
    auto strided = conv(2, 9, 8, 4, 4, 3, 2);
    strided.stride_h = 2, strided.stride_w = 3, strided.pad_top = strided.pad_left = 1;
    deep.groups = 8;
    auto small = conv(2, 7, 6, 40, 40, 3, 3);
    small.groups = 10;
    for (auto* p : {&wide, &vectors, &deep, &small}) p->pad_top = p->pad_bottom = p->pad_left = p->pad_right = 1;
    const std::pair<Conv2dAlgorithm, std::vector<jcuconv_conv2d>> cases[] = {
        {Conv2dAlgorithm::kImplicitGemm, {wide, vectors, strided}},
        {Conv2dAlgorithm::kPointwise, {conv(2, 7, 6, 12, 20, 1, 1)}},
        {Conv2dAlgorithm::kDepthwise, {deep}},
        {Conv2dAlgorithm::kMmaGemm, {wide, vectors, strided}},
        {Conv2dAlgorithm::kGroupedMma, {small}},
        {Conv2dAlgorithm::kWgmmaGemm, {vectors}},
    };
    for (const auto& [algorithm, problems] : cases)
        for (jcuconv_conv2d p : problems)
            for (const jcuconv_type type : kTypes)
                for (const jcuconv_pass pass : {JCUCONV_FPROP, JCUCONV_DGRAD}) {
                    p.type = type;
                    Conv2dGeometry g;
                    CHECK(conv2d_geometry(p, &g).ok());
                    const int architecture = algorithm == Conv2dAlgorithm::kImplicitGemm ? 75 : 90;
                    if (!conv2d_legal(algorithm, {g, type, pass, 16, 0, JCUCONV_MATH_EXACT, architecture})) continue;
                    Variant variant{Conv2dTile::kMedium, 1, false, 5, algorithm};
                    variant.infinity = true;
                    run_case(p, pass, variant);
                }
}

JCUCONV_TEST(random_shapes_are_exact_in_every_legal_algorithm) {
    Random random(77);
    constexpr int kShapes = 120;
    int ran[std::size(kConv2dAlgorithms)] = {};
    for (int i = 0; i < kShapes; ++i) {
        const bool point = random.chance(40);
        auto p = conv(random.between(1, 3), random.between(1, 14), random.between(1, 14), 4 * random.between(1, 8),
                      4 * random.between(1, 8), point ? 1 : random.between(1, 5), point ? 1 : random.between(1, 5));
        if (random.chance(30)) p.groups = 2, p.c *= 2, p.k *= 2;
        if (random.chance(30)) p.k = p.groups = p.c;  // depthwise
        if (!point) {
            p.pad_top = random.between(0, 3), p.pad_bottom = random.between(0, 3);
            p.pad_left = random.between(0, 3), p.pad_right = random.between(0, 3);
            p.stride_h = random.between(1, 2), p.stride_w = random.between(1, 2);
        }
        p.x_pitch = random.chance(30) ? p.c + 4 * random.between(0, 3) : 0;
        p.y_pitch = random.chance(30) ? p.k + 4 * random.between(0, 3) : 0;
        p.type = kTypes[random.between(0, 2)];
        if (p.r > p.h + p.pad_top + p.pad_bottom || p.s > p.w + p.pad_left + p.pad_right) continue;
        const bool extra = random.chance(50);
        simt::set_options({static_cast<std::uint64_t>(i % 3)});
        Conv2dGeometry g;
        CHECK(conv2d_geometry(p, &g).ok());
        for (const jcuconv_pass pass : kAllPasses)
            for (const Conv2dAlgorithm algorithm : kConv2dAlgorithms) {
                if (!conv2d_legal(algorithm, {g, static_cast<jcuconv_type>(p.type), pass, 16, 0})) continue;
                p.accumulate = pass != JCUCONV_FPROP && extra;
                set_epilogue(p, pass == JCUCONV_FPROP && extra, pass == JCUCONV_FPROP && extra);
                const auto tile = kGemmTiles[std::size_t(random.between(0, 1))];
                if (!run_case(p, pass, {tile, random.between(1, 4), false, i, algorithm})) return;
                ++ran[static_cast<int>(algorithm)];
            }
    }
    simt::set_options({});
    for (const Conv2dAlgorithm algorithm : kConv2dAlgorithms)  // the last two want channels in eights: conv2d_grouped_test, conv2d_wgmma_test
        CHECK(ran[static_cast<int>(algorithm)] >= 20 || algorithm >= Conv2dAlgorithm::kGroupedMma);
}

JCUCONV_TEST(real_data_stays_within_the_bound_in_every_algorithm) {
    const auto p = conv(2, 9, 10, 48, 40, 1, 1);
    for (const jcuconv_pass pass : kAllPasses) run_case(p, pass, {Conv2dTile::kMedium, 2, true, pass, Conv2dAlgorithm::kPointwise});
}
