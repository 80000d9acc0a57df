// The convolution kernels against their definition: every tile, every vector width, every type, all passes.
#include "kernels/conv2d/conv2d.h"

#include <algorithm>

#include "core/arithmetic.h"
#include "core/conv2d.h"
#include "kernels/common/column_sums.h"
#include "simt/executor.h"
#include "test/testing/conv2d_oracle.h"
#include "test/testing/random.h"
#include "test/testing/tensor.h"

using namespace jcuconv;
using namespace jcuconv::test;

namespace {

constexpr jcuconv_type kTypes[] = {JCUCONV_F32, JCUCONV_F16, JCUCONV_BF16};
constexpr Conv2dTile kTiles[] = {Conv2dTile::kLarge, Conv2dTile::kMedium, Conv2dTile::kSmall};

jcuconv_conv2d conv(int n, int h, int w, int c, int k, int r, int s) {
    jcuconv_conv2d p{};
    p.n = n, p.h = h, p.w = w, p.c = c, p.k = k, p.r = r, p.s = s;
    p.stride_h = p.stride_w = p.dilation_h = p.dilation_w = p.groups = 1;
    return p;
}

// How one case is run.
struct Variant {
    Conv2dTile tile = Conv2dTile::kSmall;
    int splits = 1;
    bool real_data = false;
    int seed = 1;
};

std::string name_of(const jcuconv_conv2d& c, jcuconv_pass pass, const Variant& v) {
    char text[256];
    std::snprintf(text, sizeof text,
                  "n%dc%dh%dw%dk%dr%ds%du%dv%dpt%dpb%dpl%dpr%dd%de%dg%d pitch %ld %ld type %d pass %d tile %d splits %d bias %d "
                  "relu %d accumulate %d",
                  c.n, c.c, c.h, c.w, c.k, c.r, c.s, c.stride_h, c.stride_w, c.pad_top, c.pad_bottom, c.pad_left, c.pad_right,
                  c.dilation_h, c.dilation_w, c.groups, long(c.x_pitch), long(c.y_pitch), c.type, pass, tile_extent(v.tile),
                  v.splits, c.bias, c.relu, c.accumulate);
    return text;
}

Expected finish(const Conv2dSums& sums, const std::vector<float>& bias, const std::vector<float>& old, const jcuconv_conv2d& c,
                bool exact) {
    Expected expected;
    for (std::size_t i = 0; i < sums.value.size(); ++i) {
        double v = sums.value[i];
        double magnitude = sums.magnitude[i];
        if (!bias.empty()) v += bias[i % bias.size()], magnitude += std::abs(bias[i % bias.size()]);
        if (c.relu != 0) v = std::max(v, 0.0);
        if (!old.empty()) v += old[i], magnitude += std::abs(old[i]);
        CHECK(!exact || magnitude <= 0x1p24);  // else integer data would not be exact
        expected.value.push_back(v);
        if (!exact) expected.bound.push_back((sums.terms[i] + 2) * 0x1p-24 * magnitude);
    }
    return expected;
}

bool run_case(const jcuconv_conv2d& problem, jcuconv_pass pass, const Variant& variant) {
    const int failures_before = failures();
    const std::string name = name_of(problem, pass, variant);
    const auto type = static_cast<jcuconv_type>(problem.type);
    const Conv2dShape shape{problem};
    Conv2dGeometry g;
    const Outcome valid = conv2d_geometry(problem, &g);
    if (!valid.ok()) {
        report(__FILE__, __LINE__, name + ": " + valid.text);
        return false;
    }
    CHECK(g.p == shape.p() && g.q == shape.q());
    Conv2dConfig config = choose_conv2d(g, type, pass, 16, 0);
    config.tile = variant.tile;
    if (variant.splits > 1) {
        config.split.split_pixels = std::max<std::int64_t>(1, ceil_div<std::int64_t>(g.pixels_out(), variant.splits));
        config.split.splits = static_cast<int>(ceil_div(g.pixels_out(), config.split.split_pixels));
    }

    Random random(static_cast<std::uint64_t>(variant.seed));
    const auto data = [&](std::size_t count) {
        auto values = variant.real_data ? random.reals(count) : random.integers(count, 3);
        for (float& v : values) v = rounded(type, v);
        return values;
    };
    const auto xs = data(shape.x_elements()), ws = data(shape.w_elements()), ys = data(shape.y_elements());
    const auto bias = problem.bias != 0 ? data(std::size_t(g.k)) : std::vector<float>();
    const bool gradient_of_filter = pass == JCUCONV_WGRAD || pass == JCUCONV_BGRAD;
    const auto out_type = gradient_of_filter ? JCUCONV_F32 : type;

    Tensor x(type, g.pixels_in(), g.c, g.x_pitch), w(type, 1, int(shape.w_elements())), y(type, g.pixels_out(), g.k, g.y_pitch);
    Tensor b(JCUCONV_F32, 1, g.k), dw(JCUCONV_F32, 1, int(shape.w_elements())), dbias(JCUCONV_F32, 1, g.k);
    Tensor& out = pass == JCUCONV_FPROP ? y : pass == JCUCONV_DGRAD ? x : pass == JCUCONV_WGRAD ? dw : dbias;
    const auto old = problem.accumulate != 0 ? data(std::size_t(out.elements())) : std::vector<float>();
    if (&out != &x) x.write(xs);
    w.write(ws);
    if (&out != &y) y.write(ys);
    if (!bias.empty()) b.write(bias);
    if (!old.empty()) out.write(old);
    const auto per_split = std::size_t(pass == JCUCONV_WGRAD ? g.filter_elements() : g.k) * sizeof(float);
    Workspace workspace(config.split.splits > 1 ? std::size_t(config.split.splits) * per_split : 0);
    auto* scratch = static_cast<float*>(workspace.memory);
    auto* bias_address = bias.empty() ? nullptr : static_cast<const float*>(b.address());

    Outcome queued;
    if (pass == JCUCONV_FPROP)
        queued = conv2d_fprop(g, type, config, x.address(), w.address(), y.address(),
                                            {bias_address, problem.relu != 0, false}, nullptr);
    if (pass == JCUCONV_DGRAD)
        queued = conv2d_dgrad(g, type, config, y.address(), w.address(), x.address(),
                                          {nullptr, false, problem.accumulate != 0}, nullptr);
    if (pass == JCUCONV_WGRAD)
        queued = conv2d_wgrad(g, type, config, x.address(), y.address(), static_cast<float*>(dw.address()),
                                         problem.accumulate != 0, scratch, nullptr);
    if (pass == JCUCONV_BGRAD) {
        PixelSplit split = config.split;
        if (split.splits <= 1) split = {1, g.pixels_out(), 0};
        queued = column_sums(type, g.pixels_out(), g.k, g.y_pitch, split, y.address(), static_cast<float*>(dbias.address()),
                             problem.accumulate != 0, scratch, nullptr);
    }
    if (queued.ok()) queued = device::stream_synchronize(nullptr);
    if (!queued.ok()) {
        report(__FILE__, __LINE__, name + ": " + queued.text);
        return false;
    }
    matches(name, out, finish(conv2d_sums(shape, pass, xs, ws, ys), bias, old, problem, !variant.real_data), out_type);
    if (!out.gaps_untouched()) report(__FILE__, __LINE__, name + ": wrote between the pixels");
    return failures() == failures_before;
}

// All passes, tiles and types of one shape.
void run_all(jcuconv_conv2d problem) {
    for (const jcuconv_type type : kTypes) {
        problem.type = type;
        for (const Conv2dTile tile : kTiles) {
            for (int pass = JCUCONV_FPROP; pass <= JCUCONV_BGRAD; ++pass) {
                jcuconv_conv2d p = problem;
                if (pass == JCUCONV_FPROP) p.accumulate = 0;
                if (pass != JCUCONV_FPROP) p.bias = p.relu = 0;
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
    p.groups = 12, p.pad_top = 1, p.pad_left = 2, p.pad_right = 1, p.bias = 1;
    run_all(p);
    p.stride_h = 2, p.stride_w = 3, p.dilation_h = 2, p.relu = 1, p.accumulate = 1;
    run_all(p);
    p = conv(1, 8, 9, 37, 37, 4, 5);  // 20 taps: three chunks of nine; 37 channels: two blocks
    p.groups = 37, p.x_pitch = 40, p.y_pitch = 39, p.dilation_w = 2;
    run_all(p);
}

JCUCONV_TEST(epilogue_adds_bias_then_clips) {
    auto p = conv(1, 6, 5, 5, 9, 2, 3);
    p.bias = 1;
    run_all(p);
    p.relu = 1;
    run_all(p);
    p.bias = 0;
    run_all(p);
}

JCUCONV_TEST(gradients_accumulate) {
    auto p = conv(2, 6, 6, 8, 12, 3, 3);
    p.accumulate = 1, p.stride_h = 2;
    run_all(p);
}

JCUCONV_TEST(relu_keeps_nan) {
    auto p = conv(1, 1, 2, 1, 1, 1, 1);
    p.relu = 1;
    Conv2dGeometry g;
    CHECK(conv2d_geometry(p, &g).ok());
    Tensor x(JCUCONV_F32, 2, 1), w(JCUCONV_F32, 1, 1), y(JCUCONV_F32, 2, 1);
    x.write({std::nanf(""), -2.0f});
    w.write({1.0f});
    CHECK(conv2d_fprop(g, JCUCONV_F32, {}, x.address(), w.address(), y.address(), {nullptr, true, false}, nullptr).ok());
    CHECK(device::stream_synchronize(nullptr).ok());
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
            p.bias = pass == JCUCONV_FPROP && bias, p.relu = pass == JCUCONV_FPROP && relu;
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
