// One convolution pass on the emulated device against its definition.
#pragma once

#include <algorithm>
#include <cstdio>
#include <optional>

#include "core/arithmetic.h"
#include "core/conv2d.h"
#include "kernels/common/column_sums.h"
#include "kernels/conv2d/conv2d.h"
#include "test/testing/conv2d_oracle.h"
#include "test/testing/random.h"
#include "test/testing/run.h"

namespace jcuconv::test {

constexpr jcuconv_type kTypes[] = {JCUCONV_F32, JCUCONV_F16, JCUCONV_BF16};
constexpr Conv2dTile kTiles[] = {Conv2dTile::kLarge, Conv2dTile::kMedium, Conv2dTile::kSmall};

inline jcuconv_conv2d conv(int n, int h, int w, int c, int k, int r, int s) {
    jcuconv_conv2d p{};
    p.n = n, p.h = h, p.w = w, p.c = c, p.k = k, p.r = r, p.s = s;
    p.stride_h = p.stride_w = p.dilation_h = p.dilation_w = p.groups = 1;
    return p;
}

// Bias, then ReLU; epilogue_test has the other steps.
inline void set_epilogue(jcuconv_conv2d& p, bool bias, bool relu) {
    const std::int32_t then = relu ? JCUCONV_EPILOGUE_RELU : JCUCONV_EPILOGUE_END;
    p.epilogue[0] = bias ? std::int32_t{JCUCONV_EPILOGUE_BIAS} : then;
    p.epilogue[1] = bias ? then : std::int32_t{JCUCONV_EPILOGUE_END};
}

inline bool has(const jcuconv_conv2d& p, jcuconv_epilogue step) {
    return std::find(std::begin(p.epilogue), std::end(p.epilogue), step) != std::end(p.epilogue);
}

// How one case is run.
struct Variant {
    Conv2dTile tile = Conv2dTile::kSmall;
    int splits = 1;
    bool real_data = false;
    int seed = 1;
    std::optional<Conv2dAlgorithm> algorithm = std::nullopt;  // else one of the general kernels, which the heuristics choose last
    jcuconv_math math = JCUCONV_MATH_EXACT;
    int alignment = 16;  // what is promised; all tensors are aligned to more
    bool infinity = false;  // one element of x, or of dy, is infinite
};

// The error of a sum of `terms` products, as a part of the sum of their magnitudes. FFMA rounds each sum; tensor cores may cut sums off a
// little below fp32 (DESIGN: (K + 2) * 2^-22); tf32 rounds both operands to 11 bits; three terms leave out low * low and what two
// roundings to 11 bits leave of each operand, 2^-22 of the product each.
inline double bound_of(const Variant& variant, double terms) {
    const bool mma = variant.algorithm == Conv2dAlgorithm::kMmaGemm || variant.algorithm == Conv2dAlgorithm::kGroupedMma ||
                     variant.algorithm == Conv2dAlgorithm::kWgmmaGemm;
    const double operands = variant.math == JCUCONV_MATH_TF32 ? 0x1p-10 + 0x1p-22 : variant.math == JCUCONV_MATH_TF32X3 ? 3 * 0x1p-22 : 0;
    return (terms + 2) * (mma ? 0x1p-22 : 0x1p-24) + operands;
}

inline std::string name_of(const jcuconv_conv2d& c, jcuconv_pass pass, const Variant& v) {
    char text[256];
    std::snprintf(text, sizeof text,
                  "n%dc%dh%dw%dk%dr%ds%du%dv%dpt%dpb%dpl%dpr%dd%de%dg%d pitch %ld %ld type %d math %d pass %d tile %d splits %d epilogue %d "
                  "%d accumulate %d pool %dx%d y_f32 %d",
                  c.n, c.c, c.h, c.w, c.k, c.r, c.s, c.stride_h, c.stride_w, c.pad_top, c.pad_bottom, c.pad_left, c.pad_right,
                  c.dilation_h, c.dilation_w, c.groups, long(c.x_pitch), long(c.y_pitch), c.type, v.math, pass, tile_extent(v.tile),
                  v.splits, c.epilogue[0], c.epilogue[1], c.accumulate, c.pool_h, c.pool_w, c.y_f32);
    return text;
}

inline Expected finish(const Conv2dSums& sums, const std::vector<float>& bias, const std::vector<float>& old, const jcuconv_conv2d& c,
                const Variant& variant) {
    const bool exact = !variant.real_data;
    Expected expected;
    for (std::size_t i = 0; i < sums.value.size(); ++i) {
        double v = sums.value[i];
        double magnitude = sums.magnitude[i];
        if (!bias.empty()) v += bias[i % bias.size()], magnitude += std::abs(bias[i % bias.size()]);
        if (has(c, JCUCONV_EPILOGUE_RELU)) v = std::max(v, 0.0);
        if (!old.empty()) v += old[i], magnitude += std::abs(old[i]);
        CHECK(!exact || magnitude <= 0x1p24 || variant.infinity);  // else integer data would not be exact
        expected.value.push_back(v);
        if (!exact) expected.bound.push_back(bound_of(variant, sums.terms[i]) * magnitude);
    }
    return expected;
}

// The maximum of every whole window of a forward pass; it is off by no more than what it is the maximum of.
inline Expected max_pooled(const Expected& all, const jcuconv_conv2d& c) {
    const Conv2dShape shape{c};
    const int rows = std::max(c.pool_h, 1), columns = std::max(c.pool_w, 1);
    Expected result;
    for (int n = 0; n < c.n; ++n)
        for (int p = 0; p + rows <= shape.p(); p += rows)
            for (int q = 0; q + columns <= shape.q(); q += columns)
                for (int k = 0; k < c.k; ++k) {
                    double value = -INFINITY, bound = 0;
                    for (int i = 0; i < rows * columns; ++i) {
                        const auto at = ((std::size_t(n) * shape.p() + p + i / columns) * shape.q() + q + i % columns) * c.k + k;
                        if (std::isnan(all.value[at]) || all.value[at] > value) value = all.value[at];
                        if (!all.bound.empty()) bound = std::max(bound, all.bound[at]);
                    }
                    result.value.push_back(value);
                    if (!all.bound.empty()) result.bound.push_back(bound);
                }
    return result;
}

inline bool run_case(const jcuconv_conv2d& problem, jcuconv_pass pass, const Variant& variant) {
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
    CHECK(g.p == shape.p() - shape.p() % std::max(problem.pool_h, 1) && g.q == shape.q() - shape.q() % std::max(problem.pool_w, 1));
    const auto general = g.groups > 1 && g.c == g.groups && g.k == g.groups ? Conv2dAlgorithm::kDepthwise
                         : type == JCUCONV_F16                              ? Conv2dAlgorithm::kMmaGemm
                                                                            : Conv2dAlgorithm::kImplicitGemm;
    const Conv2dAlgorithm algorithm = pass == JCUCONV_BGRAD ? general : variant.algorithm.value_or(general);
    const int architecture = algorithm == Conv2dAlgorithm::kImplicitGemm ? 75 : 90;  // where bf16 has no tensor cores
    const auto y_type = pass == JCUCONV_FPROP && problem.y_f32 != 0 ? JCUCONV_F32 : type;
    const Conv2dTask task{g, type, pass, variant.alignment, 0, variant.math, architecture, y_type != type};
    if (!conv2d_legal(algorithm, task)) {
        report(__FILE__, __LINE__, name + ": " + name_of(algorithm) + " cannot do this");
        return false;
    }
    Conv2dConfig config = configure_conv2d(algorithm, task);
    const bool one_tile = algorithm == Conv2dAlgorithm::kWgmmaGemm || (algorithm == Conv2dAlgorithm::kImplicitGemm && type == JCUCONV_BF16);
    if (!one_tile) config.tile = variant.tile;
    const bool large_mma = algorithm != Conv2dAlgorithm::kMmaGemm || (config.vec > 1 && !(pass == JCUCONV_WGRAD && type == JCUCONV_F32));
    const bool small_mma = algorithm != Conv2dAlgorithm::kMmaGemm || config.vec > 1 || type != JCUCONV_F32;
    if ((config.tile == Conv2dTile::kLarge && !large_mma) || (config.tile == Conv2dTile::kSmall && !small_mma)) config.tile = Conv2dTile::kMedium;
    if (variant.splits > 1) {
        const std::int64_t size = reduction_size(g, config);
        config.split.split_pixels = ceil_div<std::int64_t>(size, variant.splits);
        config.split.splits = static_cast<int>(ceil_div(size, config.split.split_pixels));
    }

    Random random(static_cast<std::uint64_t>(variant.seed));
    const auto data = [&](std::size_t count) {
        auto values = variant.real_data ? random.reals(count) : random.integers(count, 3);
        for (float& v : values) v = rounded(type, v);
        return values;
    };
    auto xs = data(shape.x_elements()), ys = data(shape.y_elements());
    const auto ws = data(shape.w_elements());
    if (variant.infinity) (pass == JCUCONV_FPROP ? xs[xs.size() / 2] : ys[ys.size() / 2]) = INFINITY;
    const auto bias = has(problem, JCUCONV_EPILOGUE_BIAS) ? data(std::size_t(g.k)) : std::vector<float>();
    const bool gradient_of_filter = pass == JCUCONV_WGRAD || pass == JCUCONV_BGRAD;
    const auto out_type = gradient_of_filter ? JCUCONV_F32 : pass == JCUCONV_FPROP ? y_type : type;

    Tensor x(type, g.pixels_in(), g.c, g.x_pitch), w(type, 1, int(shape.w_elements())), y(y_type, g.pixels_stored(), g.k, g.y_pitch);
    Tensor b(JCUCONV_F32, 1, g.k), dw(JCUCONV_F32, 1, int(shape.w_elements())), dbias(JCUCONV_F32, 1, g.k);
    Tensor& out = pass == JCUCONV_FPROP ? y : pass == JCUCONV_DGRAD ? x : pass == JCUCONV_WGRAD ? dw : dbias;
    const auto old = problem.accumulate != 0 ? data(std::size_t(out.elements())) : std::vector<float>();
    if (&out != &x) x.write(xs);
    w.write(ws);
    if (&out != &y) y.write(ys);
    if (!bias.empty()) b.write(bias);
    if (!old.empty()) out.write(old);
    const auto per_split = std::size_t(pass == JCUCONV_WGRAD ? g.filter_elements() : g.k) * sizeof(float);
    Conv2dRequest request;
    CHECK(conv2d_request(pass, problem.epilogue, problem.accumulate, 0, &request).ok());
    request.epilogue.bias = static_cast<const float*>(b.address());
    request.epilogue.y_f32 = y_type != type;

    Operation operation;
    operation.prepare = [&] { return config.split.splits > 1 ? std::size_t(config.split.splits) * per_split : 0; };
    operation.start = [&](void* workspace) {
        auto* scratch = static_cast<float*>(workspace);
        if (pass == JCUCONV_FPROP)
            return conv2d_fprop(g, type, config, x.address(), w.address(), y.address(), request.epilogue, nullptr);
        if (pass == JCUCONV_DGRAD)
            return conv2d_dgrad(g, type, config, y.address(), w.address(), x.address(), request.epilogue, nullptr);
        if (pass == JCUCONV_WGRAD)
            return conv2d_wgrad(g, type, config, x.address(), y.address(), static_cast<float*>(dw.address()), problem.accumulate != 0,
                                scratch, nullptr);
        PixelSplit split = config.split;
        if (split.splits <= 1) split = {1, g.pixels_out(), 0};
        return column_sums(type, g.pixels_out(), g.k, g.y_pitch, split, y.address(), static_cast<float*>(dbias.address()),
                           problem.accumulate != 0, scratch, nullptr);
    };
    std::vector<Operand> operands;
    for (const auto& [label, tensor] : {std::pair{"x", &x}, {"w", &w}, {"y", &y}, {"bias", &b}, {"dw", &dw}, {"dbias", &dbias}})
        operands.push_back({label, tensor->span(), tensor != &out ? Use::kReads : old.empty() ? Use::kOverwrites : Use::kUpdates});
    if (!run_operation(name, operands, operation)) return false;
    Variant used = variant;
    used.algorithm = algorithm;
    Expected expected = finish(conv2d_sums(shape, pass, xs, ws, ys), bias, old, problem, used);
    if (pass == JCUCONV_FPROP) expected = max_pooled(expected, problem);
    if (!variant.infinity) {
        matches(name, out, expected, out_type);
        return failures() == failures_before;
    }
    const auto found = out.read();
    std::size_t reached = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
        const bool finite = std::isfinite(expected.value[i]);
        reached += !finite;
        if (finite ? found[i] != rounded(out_type, expected.value[i]) : std::isfinite(found[i])) {
            report(__FILE__, __LINE__, name + ": element " + std::to_string(i) + " is " + std::to_string(found[i]));
            return false;
        }
    }
    CHECK(reached > 0 && reached < found.size());
    return failures() == failures_before;
}

}  // namespace jcuconv::test
