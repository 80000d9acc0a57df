// Convolutions of several groups of few channels, which a block takes together: exact on integers for every size of a group and of the
// last pack, and an infinity stays in its group.
#include "simt/executor.h"
#include "test/testing/conv2d_case.h"

using namespace jcuconv;
using namespace jcuconv::test;

namespace {

constexpr jcuconv_type kHalves[] = {JCUCONV_F16, JCUCONV_BF16};
constexpr jcuconv_pass kPasses[] = {JCUCONV_FPROP, JCUCONV_DGRAD, JCUCONV_WGRAD};

jcuconv_conv2d grouped(int n, int h, int w, int groups, int group_c, int group_k, int r, int s) {
    auto p = conv(n, h, w, groups * group_c, groups * group_k, r, s);
    p.groups = groups;
    p.pad_top = p.pad_bottom = r / 2, p.pad_left = p.pad_right = s / 2;
    return p;
}

Conv2dGeometry geometry_of(const jcuconv_conv2d& p) {
    Conv2dGeometry g;
    CHECK(conv2d_geometry(p, &g).ok());
    return g;
}

bool has_kernel(const jcuconv_conv2d& p, jcuconv_pass pass, int alignment = 16) {
    return conv2d_legal(Conv2dAlgorithm::kGroupedMma, {geometry_of(p), static_cast<jcuconv_type>(p.type), pass, alignment, 0});
}

Conv2dConfig configured(const jcuconv_conv2d& p, jcuconv_pass pass) {
    const auto algorithm = pass == JCUCONV_WGRAD ? Conv2dAlgorithm::kMmaGemm : Conv2dAlgorithm::kGroupedMma;
    return configure_conv2d(algorithm, {geometry_of(p), static_cast<jcuconv_type>(p.type), pass, 16, 0});
}

// By the kernel for groups, if it can do it and there is one for the pass, otherwise by the general one.
bool run(jcuconv_conv2d p, jcuconv_pass pass, jcuconv_type type, Variant v = {}) {
    p.type = type;
    v.algorithm = has_kernel(p, pass, v.alignment) ? Conv2dAlgorithm::kGroupedMma : Conv2dAlgorithm::kMmaGemm;
    return run_case(p, pass, v);
}

// Without an epilogue or accumulation, and with.
bool run_all(jcuconv_conv2d p, Variant v = {}) {
    for (const jcuconv_type type : kHalves)
        for (const jcuconv_pass pass : kPasses) {
            if (!run(p, pass, type, v)) return false;
        }
    if (v.infinity) return true;
    set_epilogue(p, true, true);
    if (!run(p, JCUCONV_FPROP, JCUCONV_F16, v)) return false;
    set_epilogue(p, false, false);
    p.accumulate = 1;
    return run(p, JCUCONV_DGRAD, JCUCONV_F16, v) && run(p, JCUCONV_WGRAD, JCUCONV_BF16, v);
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

// Why the kernel cannot take a problem, and that it is the chosen one where it pays.
JCUCONV_TEST(grouped_kernel_takes_what_it_can) {
    auto p = grouped(4, 14, 14, 32, 4, 4, 3, 3);
    p.type = JCUCONV_F16;
    const auto why = [](const jcuconv_conv2d& problem, jcuconv_pass pass = JCUCONV_FPROP, int alignment = 16, int architecture = 90) {
        const Conv2dTask task{geometry_of(problem), static_cast<jcuconv_type>(problem.type), pass, alignment, 0, JCUCONV_MATH_EXACT, architecture};
        const std::string passed = explain_conv2d(task);
        const std::size_t at = passed.find("not grouped_mma: ");
        CHECK((at == std::string::npos) == (choose_conv2d(task).algorithm == Conv2dAlgorithm::kGroupedMma));
        return at == std::string::npos ? "" : passed.substr(at + 17, passed.find(';', at) - at - 17);
    };
    CHECK(why(p) == "" && why(p, JCUCONV_DGRAD) == "");
    CHECK(configured(p, JCUCONV_FPROP).pack == 8 && configured(p, JCUCONV_FPROP).vec == 8 && configured(p, JCUCONV_FPROP).vec_out == 8);
    CHECK(describe(configured(p, JCUCONV_FPROP)) == "grouped_mma pack 8 vec 8 splits 1 workspace 0");
    CHECK(why(p, JCUCONV_WGRAD) == "the weight gradient");
    auto pooled = p;
    pooled.pool_h = pooled.pool_w = 2;
    CHECK_CONTAINS(why(pooled), "sums");
    CHECK(why(p, JCUCONV_FPROP, 8) == "tensors not aligned to 16 bytes");
    CHECK(why(p, JCUCONV_FPROP, 16, 75) == "");
    p.type = JCUCONV_BF16;
    CHECK(why(p, JCUCONV_FPROP, 16, 75) == "tensor cores before sm_80 take fp16 alone");
    p.type = JCUCONV_F16;
    p.x_pitch = 132;
    CHECK(why(p) == "channels are no multiple of 8" && why(p, JCUCONV_DGRAD) == "");
    CHECK(configured(p, JCUCONV_DGRAD).vec_out == 1);
    const auto other = [&](int groups, int c, int k, int rs, jcuconv_pass pass = JCUCONV_FPROP) {
        auto q = grouped(4, 14, 14, groups, c, k, rs, rs);
        q.type = JCUCONV_F16;
        return why(q, pass);
    };
    CHECK(other(1, 8, 8, 3) == "a single group");
    CHECK(other(8, 4, 5, 3) == "an odd number of channels per group" && other(8, 5, 4, 3, JCUCONV_DGRAD) == other(8, 4, 5, 3));
    CHECK(other(8, 40, 8, 3) == "groups of more than 32 channels" && other(8, 8, 40, 3) == other(8, 40, 8, 3));
    CHECK(other(8, 16, 24, 3) == "a group fills most of a tile" && other(8, 24, 16, 3, JCUCONV_DGRAD) == other(8, 16, 24, 3));
    CHECK(other(8, 24, 8, 3) == "no two groups fit into a slab");
    CHECK(other(8, 30, 8, 3) == "a window that does not fit into shared memory");  // with a slab that begins anywhere
    auto wide = grouped(1, 200, 200, 4, 8, 8, 3, 3);
    wide.type = JCUCONV_F16, wide.dilation_h = wide.dilation_w = 50;
    CHECK(why(wide) == "a window that does not fit into shared memory");
    p = grouped(4, 14, 14, 32, 4, 4, 3, 3);
    p.type = JCUCONV_F32;
    CHECK(why(p) == "fp32");
}

JCUCONV_TEST(grouped_tiles_strides_and_dilations) {
    auto p = grouped(1, 21, 37, 4, 8, 8, 3, 3);  // several tiles, in both directions
    run_all(p);
    p.stride_h = 2, p.stride_w = 3;
    run_all(p);
    p.dilation_h = 3, p.dilation_w = 2;
    run_all(p);
    p = grouped(2, 12, 13, 8, 4, 4, 5, 4);
    p.pad_top = 0, p.pad_bottom = 3, p.pad_left = 2, p.pad_right = 1, p.stride_h = 4, p.stride_w = 2, p.dilation_h = 2, p.dilation_w = 4;
    p.h = p.w = 19;
    run_all(p);
    p = grouped(1, 9, 10, 8, 4, 4, 1, 2);  // pixels that no window meets
    p.stride_h = 3, p.stride_w = 4;
    run_all(p);
    p = grouped(1, 8, 150, 8, 4, 6, 1, 1);
    run_all(p);
}

// Blocks that take several tiles, of several images.
JCUCONV_TEST(grouped_blocks_of_several_tiles) {
    auto p = grouped(430, 3, 3, 40, 4, 4, 2, 2);
    p.type = JCUCONV_F16;
    CHECK(configured(p, JCUCONV_FPROP).layout.tiles_per_block > 1);
    run(p, JCUCONV_FPROP, JCUCONV_F16);
    run(p, JCUCONV_DGRAD, JCUCONV_BF16);
}

JCUCONV_TEST(grouped_real_data_stays_within_the_bound) {
    Variant v;
    v.real_data = true;
    run_all(grouped(2, 9, 9, 8, 12, 12, 3, 3), v);
}

JCUCONV_TEST(grouped_main_loop_has_no_bank_conflicts) {
    for (const auto& [size, hw, stride] : {std::tuple{4, 56, 1}, {8, 28, 1}, {16, 14, 1}, {8, 28, 2}, {12, 7, 1}, {4, 15, 3}})
        for (const jcuconv_pass pass : {JCUCONV_FPROP, JCUCONV_DGRAD}) {
            auto p = grouped(1, hw, hw, 8, size, size, 3, 3);
            p.type = JCUCONV_F16, p.stride_h = p.stride_w = stride;
            const Conv2dGeometry g = geometry_of(p);
            Tensor x(JCUCONV_F16, g.pixels_in(), g.c), w(JCUCONV_F16, 1, int(g.filter_elements())), y(JCUCONV_F16, g.pixels_out(), g.k);
            simt::Options options;
            options.count_bank_conflicts = true;
            simt::set_options(options);
            const Conv2dConfig config = configured(p, pass);
            Outcome outcome = pass == JCUCONV_FPROP ? conv2d_fprop(g, JCUCONV_F16, config, x.address(), w.address(), y.address(), {}, nullptr)
                                                    : conv2d_dgrad(g, JCUCONV_F16, config, y.address(), w.address(), x.address(), {}, nullptr);
            if (outcome.ok()) outcome = device::stream_synchronize(nullptr);
            simt::set_options({});
            CHECK(outcome.ok());
            std::uint64_t accesses = 0;
            for (const auto& line : simt::bank_counts()) {
                accesses += line.accesses;
                // The way out, in mma_tile.h, has some where a pixel has no four chunks.
                if (line.conflicts() != 0 && (size != 12 || !line.place.starts_with("mma_tile.h")))
                    report(__FILE__, __LINE__, name_of(p, pass, {}) + ": " + std::to_string(line.conflicts()) + " bank conflicts at " + line.place + " " + line.what);
            }
            CHECK(accesses > 100);
        }
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

// Also where a step of the product has a tap to spare.
JCUCONV_TEST(grouped_infinity_is_no_nan) {
    auto p = grouped(1, 1, 1, 8, 4, 4, 1, 1);
    p.type = JCUCONV_F16;
    const Conv2dGeometry g = geometry_of(p);
    for (const jcuconv_pass pass : {JCUCONV_FPROP, JCUCONV_DGRAD}) {
        Tensor x(JCUCONV_F16, 1, g.c), w(JCUCONV_F16, 1, int(g.filter_elements())), y(JCUCONV_F16, 1, g.k);
        Tensor &from = pass == JCUCONV_FPROP ? x : y, &to = pass == JCUCONV_FPROP ? y : x;
        std::vector<float> values(std::size_t(g.c), 1.0f);
        values[9] = INFINITY;
        from.write(values);
        w.write(std::vector<float>(std::size_t(g.filter_elements()), 2.0f));
        Operation operation;
        operation.start = [&](void*) {
            return pass == JCUCONV_FPROP ? conv2d_fprop(g, JCUCONV_F16, configured(p, pass), x.address(), w.address(), y.address(), {}, nullptr)
                                         : conv2d_dgrad(g, JCUCONV_F16, configured(p, pass), y.address(), w.address(), x.address(), {}, nullptr);
        };
        run_operation("infinity in groups", {{"from", from.span(), Use::kReads}, {"w", w.span(), Use::kReads}, {"to", to.span(), Use::kOverwrites}}, operation);
        for (int i = 0; i < g.k; ++i) CHECK(to.read()[std::size_t(i)] == (i / 4 == 9 / 4 ? INFINITY : 8.0f));
    }
}

JCUCONV_TEST(grouped_random_shapes_are_exact_on_integers) {
    Random random(512);
    int packed[3] = {}, ragged[3] = {};
    for (int i = 0; i < 120; ++i) {
        const bool eights = random.chance(60);  // of channels in all, whatever a group has
        const int c = random.between(1, 12), k = random.chance(50) ? c : random.between(1, 12);
        const int groups = eights ? 8 * random.between(1, 4) + (c % 4 == 0 && k % 4 == 0 ? random.between(-2, 3) * 2 : 0) : random.between(2, 40);
        auto p = grouped(random.between(1, 2), random.between(1, 9), random.between(1, 9), groups, c, k, random.between(1, 4), random.between(1, 4));
        p.stride_h = random.between(1, 3), p.stride_w = random.between(1, 3);
        p.dilation_h = random.between(1, 2), p.dilation_w = random.between(1, 2);
        p.pad_top = random.between(0, 3), p.pad_bottom = random.between(0, 3);
        p.pad_left = random.between(0, 3), p.pad_right = random.between(0, 3);
        p.x_pitch = random.chance(30) ? p.c + (eights ? 8 : 1) * random.between(0, 3) : 0;
        p.y_pitch = random.chance(30) ? p.k + (eights ? 8 : 1) * random.between(0, 3) : 0;
        if (p.dilation_h * (p.r - 1) >= p.h + p.pad_top + p.pad_bottom || p.dilation_w * (p.s - 1) >= p.w + p.pad_left + p.pad_right)
            continue;
        simt::Options options;
        options.seed = static_cast<std::uint64_t>(i % 3);
        options.copies = i % 2 == 0 ? simt::Copies::kLazy : simt::Copies::kRandom;
        simt::set_options(options);
        p.type = kHalves[i % 2];
        for (const jcuconv_pass pass : kPasses) {
            p.accumulate = pass != JCUCONV_FPROP && random.chance(50);
            set_epilogue(p, pass == JCUCONV_FPROP && random.chance(50), pass == JCUCONV_FPROP && random.chance(50));
            Variant v;
            v.tile = kTiles[random.between(0, 2)], v.seed = i;
            v.splits = pass == JCUCONV_WGRAD ? random.between(1, 4) : 1;
            const int pack = pass == JCUCONV_WGRAD || has_kernel(p, pass) ? configured(p, pass).pack : 1;
            packed[pass] += pack > 1, ragged[pass] += pack > 1 && groups % pack != 0;
            if (!run(p, pass, kHalves[i % 2], v)) return simt::set_options({});
        }
    }
    simt::set_options({});
    for (const jcuconv_pass pass : kPasses) CHECK(packed[pass] >= 25 && ragged[pass] >= 8);
}
