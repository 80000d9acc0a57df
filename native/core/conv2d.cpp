#include "core/conv2d.h"

#include <algorithm>
#include <bit>

#include "core/rules.h"
#include "heuristics/conv2d_estimate.h"
#include "kernels/common/column_sums.h"
#include "kernels/conv2d/conv2d.h"

namespace jcuconv {

namespace {

constexpr std::int64_t kMaxExtent = 1 << 30;  // of a padded image, so that a position plus a window stays below 2^31
constexpr int kMaxGridYz = 65535;

Outcome output_extent(const char* axis, int extent, int pad_low, int pad_high, int window, int stride, int dilation, int* out) {
    const std::int64_t padded = std::int64_t{extent} + pad_low + pad_high;
    const std::int64_t reach = std::int64_t{dilation} * (window - 1) + 1;
    JCUCONV_TRY(at_most(axis, padded, kMaxExtent, JCUCONV_UNSUPPORTED_SIZE));
    if (reach > padded)
        return {JCUCONV_INVALID_WINDOW, std::string(axis) + ": the dilated window of " + std::to_string(reach) +
                                            " is larger than the padded image of " + std::to_string(padded)};
    *out = static_cast<int>((padded - reach) / stride + 1);
    return {};
}

// Leaves the outputs that fill windows of `pool`.
Outcome pool_extent(const char* name, int pool, int* out, int* log2) {
    JCUCONV_TRY(at_least(name, pool, 0, JCUCONV_INVALID_WINDOW));
    if (pool > *out)
        return {JCUCONV_INVALID_WINDOW, std::string(name) + " = " + std::to_string(pool) + ": larger than the output of " + std::to_string(*out)};
    const auto window = static_cast<unsigned>(std::max(pool, 1));
    if (!std::has_single_bit(window))
        return {JCUCONV_UNSUPPORTED_SIZE, std::string(name) + " = " + std::to_string(pool) + ": windows that are pooled are powers of two"};
    *log2 = std::countr_zero(window);
    *out -= *out % static_cast<int>(window);
    return {};
}

// Pooling belongs to the forward pass, and the maximum may be taken first only where what follows keeps the order.
Outcome check_pool(const Conv2dGeometry& g, jcuconv_pass pass, const Conv2dRequest& request) {
    if (g.pool_log2 == 0) return {};
    if (pass != JCUCONV_FPROP) return {JCUCONV_INVALID_EPILOGUE, "pool_h and pool_w belong to the forward pass"};
    const std::uint32_t steps = request.epilogue.steps;
    const bool kept = steps == 0 || steps == JCUCONV_EPILOGUE_BIAS || steps == JCUCONV_EPILOGUE_RELU ||
                      steps == (JCUCONV_EPILOGUE_BIAS | JCUCONV_EPILOGUE_RELU << kEpilogueStepBits);
    return kept ? Outcome() : Outcome(JCUCONV_INVALID_EPILOGUE, "with pool_h and pool_w the epilogue is a bias, then a ReLU, or less");
}

Outcome check_numbers(const jcuconv_conv2d& c) {
    JCUCONV_TRY(at_least("n", c.n, 1, JCUCONV_INVALID_BATCH));
    JCUCONV_TRY(at_least("c", c.c, 1, JCUCONV_INVALID_CHANNELS));
    JCUCONV_TRY(at_least("k", c.k, 1, JCUCONV_INVALID_FILTERS));
    JCUCONV_TRY(at_least("h", c.h, 1, JCUCONV_INVALID_IMAGE));
    JCUCONV_TRY(at_least("w", c.w, 1, JCUCONV_INVALID_IMAGE));
    JCUCONV_TRY(at_least("r", c.r, 1, JCUCONV_INVALID_WINDOW));
    JCUCONV_TRY(at_least("s", c.s, 1, JCUCONV_INVALID_WINDOW));
    JCUCONV_TRY(at_least("pad_top", c.pad_top, 0, JCUCONV_INVALID_PADDING));
    JCUCONV_TRY(at_least("pad_bottom", c.pad_bottom, 0, JCUCONV_INVALID_PADDING));
    JCUCONV_TRY(at_least("pad_left", c.pad_left, 0, JCUCONV_INVALID_PADDING));
    JCUCONV_TRY(at_least("pad_right", c.pad_right, 0, JCUCONV_INVALID_PADDING));
    JCUCONV_TRY(at_least("stride_h", c.stride_h, 1, JCUCONV_INVALID_STRIDE));
    JCUCONV_TRY(at_least("stride_w", c.stride_w, 1, JCUCONV_INVALID_STRIDE));
    JCUCONV_TRY(at_least("dilation_h", c.dilation_h, 1, JCUCONV_INVALID_DILATION));
    JCUCONV_TRY(at_least("dilation_w", c.dilation_w, 1, JCUCONV_INVALID_DILATION));
    JCUCONV_TRY(at_least("groups", c.groups, 1, JCUCONV_INVALID_GROUPS));
    if (c.c % c.groups != 0 || c.k % c.groups != 0)
        return {JCUCONV_INVALID_GROUPS, "groups = " + std::to_string(c.groups) + ": must divide c = " + std::to_string(c.c) +
                                            " and k = " + std::to_string(c.k)};
    return {};
}

// What the kernels cannot count, though it is a legal convolution.
Outcome check_limits(const Conv2dGeometry& g) {
    JCUCONV_TRY(at_most("r*s*c/groups", std::int64_t{g.r} * g.s, INT32_MAX / g.group_c - 64, JCUCONV_UNSUPPORTED_SIZE));
    JCUCONV_TRY(at_most("r*s*k/groups", std::int64_t{g.r} * g.s, INT32_MAX / g.group_k - 64, JCUCONV_UNSUPPORTED_SIZE));
    JCUCONV_TRY(at_most("p*q", std::int64_t{g.p} * g.q, kMaxExtent, JCUCONV_UNSUPPORTED_SIZE));
    JCUCONV_TRY(at_most("h*w", std::int64_t{g.h} * g.w, kMaxExtent, JCUCONV_UNSUPPORTED_SIZE));
    JCUCONV_TRY(at_most("n*p*q", g.pixels_out(), std::int64_t{INT32_MAX} * 32, JCUCONV_UNSUPPORTED_SIZE));
    JCUCONV_TRY(at_most("n*h*w", g.pixels_in(), std::int64_t{INT32_MAX} * 32, JCUCONV_UNSUPPORTED_SIZE));
    // Bytes and offsets of every tensor then fit 63 bits with room to spare.
    JCUCONV_TRY(at_most("n*p*q", g.pixels_out(), kMaxElements / g.y_pitch, JCUCONV_UNSUPPORTED_SIZE));
    JCUCONV_TRY(at_most("n*h*w", g.pixels_in(), kMaxElements / g.x_pitch, JCUCONV_UNSUPPORTED_SIZE));
    JCUCONV_TRY(at_most("k", g.k, kMaxElements / (std::int64_t{g.r} * g.s * g.group_c), JCUCONV_UNSUPPORTED_SIZE));
    JCUCONV_TRY(at_most("c/groups", g.group_c, kMaxGridYz * 32, JCUCONV_UNSUPPORTED_SIZE));
    JCUCONV_TRY(at_most("k/groups", g.group_k, kMaxGridYz * 32, JCUCONV_UNSUPPORTED_SIZE));
    if (g.stride_h > kMaxGridYz || g.stride_w > kMaxGridYz)
        return {JCUCONV_UNSUPPORTED_SIZE, "strides above " + std::to_string(kMaxGridYz) + " are not supported"};
    return at_most("groups * stride_h * stride_w", std::int64_t{g.groups} * g.stride_h * g.stride_w, kMaxGridYz,
                   JCUCONV_UNSUPPORTED_SIZE);
}

}  // namespace

Outcome conv2d_geometry(const jcuconv_conv2d& c, Conv2dGeometry* g) {
    JCUCONV_TRY(check_numbers(c));
    *g = {c.n, c.h, c.w, c.c, c.k, c.r, c.s, 0, 0, c.pad_top, c.pad_left, c.stride_h, c.stride_w, c.dilation_h, c.dilation_w,
          c.groups, c.c / c.groups, c.k / c.groups, 0, 0};
    JCUCONV_TRY(pitch_of("x_pitch", c.x_pitch, c.c, &g->x_pitch));
    JCUCONV_TRY(pitch_of("y_pitch", c.y_pitch, c.k, &g->y_pitch));
    JCUCONV_TRY(output_extent("height", c.h, c.pad_top, c.pad_bottom, c.r, c.stride_h, c.dilation_h, &g->p));
    JCUCONV_TRY(output_extent("width", c.w, c.pad_left, c.pad_right, c.s, c.stride_w, c.dilation_w, &g->q));
    JCUCONV_TRY(pool_extent("pool_h", c.pool_h, &g->p, &g->pool_h_log2));
    JCUCONV_TRY(pool_extent("pool_w", c.pool_w, &g->q, &g->pool_w_log2));
    g->pool_log2 = g->pool_h_log2 + g->pool_w_log2;
    return check_limits(*g);
}

std::uint64_t conv2d_x_bytes(const Conv2dGeometry& g, jcuconv_type type) {
    return tensor_bytes(g.pixels_in(), g.x_pitch, g.c, size_of(type));
}

std::uint64_t conv2d_y_bytes(const Conv2dGeometry& g, jcuconv_type type) {
    return tensor_bytes(g.pixels_stored(), g.y_pitch, g.k, size_of(type));
}

std::uint64_t conv2d_w_bytes(const Conv2dGeometry& g, jcuconv_type type) {
    return static_cast<std::uint64_t>(g.filter_elements()) * size_of(type);
}

Outcome conv2d_request(jcuconv_pass pass, const std::int32_t (&epilogue)[JCUCONV_EPILOGUE_STEPS], int accumulate, int dbias,
                       Conv2dRequest* request) {
    if (pass < JCUCONV_FPROP || pass > JCUCONV_BGRAD)
        return {JCUCONV_INVALID_PASS, "pass = " + std::to_string(pass) + ": not a jcuconv_pass"};
    JCUCONV_TRY(is_flag("accumulate", accumulate, JCUCONV_INVALID_EPILOGUE));
    JCUCONV_TRY(is_flag("dbias", dbias, JCUCONV_INVALID_EPILOGUE));
    unsigned seen = 0;
    for (int i = 0; i < JCUCONV_EPILOGUE_STEPS; ++i) {
        const std::int32_t step = epilogue[i];
        const auto wrong = [&](const char* why) {
            return Outcome(JCUCONV_INVALID_EPILOGUE, "epilogue[" + std::to_string(i) + "] = " + std::to_string(step) + ": " + why);
        };
        if (step < JCUCONV_EPILOGUE_END || step > JCUCONV_EPILOGUE_SCALE) return wrong("not a jcuconv_epilogue");
        if (step == JCUCONV_EPILOGUE_END) continue;
        if (i > 0 && epilogue[i - 1] == JCUCONV_EPILOGUE_END) return wrong("a step behind the end");
        if ((seen >> step & 1) != 0) return wrong("this step stands twice");
        seen |= 1u << step;
        request->epilogue.steps |= static_cast<std::uint32_t>(step) << (kEpilogueStepBits * i);
    }
    if (pass != JCUCONV_FPROP && seen != 0) return {JCUCONV_INVALID_EPILOGUE, "the epilogue belongs to the forward pass"};
    if (pass == JCUCONV_FPROP && accumulate != 0) return {JCUCONV_INVALID_EPILOGUE, "accumulate belongs to the gradients"};
    if (pass != JCUCONV_WGRAD && dbias != 0) return {JCUCONV_INVALID_EPILOGUE, "dbias belongs to wgrad"};
    request->epilogue.accumulate = accumulate != 0;
    request->bias = (seen >> JCUCONV_EPILOGUE_BIAS & 1) != 0;
    request->scale = (seen >> JCUCONV_EPILOGUE_SCALE & 1) != 0;
    request->residual = (seen >> JCUCONV_EPILOGUE_RESIDUAL & 1) != 0;
    request->dbias = dbias != 0;
    return {};
}

Conv2dEpilogue Conv2dRequest::bound(const Tensors& tensors) const {
    Conv2dEpilogue result = epilogue;
    result.bias = tensors.at<float>(JCUCONV_ARG_BIAS);
    result.scale = tensors.at<float>(JCUCONV_ARG_SCALE);
    result.residual = tensors.at(JCUCONV_ARG_RESIDUAL);
    return result;
}

void add_epilogue_arguments(const Conv2dRequest& request, int channels, const Argument& y, Plan* plan) {
    const std::uint64_t per_channel = static_cast<std::uint64_t>(channels) * sizeof(float);
    if (request.bias) plan->arguments.push_back({JCUCONV_ARG_BIAS, per_channel, alignof(float)});
    if (request.scale) plan->arguments.push_back({JCUCONV_ARG_SCALE, per_channel, alignof(float)});
    if (request.residual) plan->arguments.push_back({JCUCONV_ARG_RESIDUAL, y.bytes, y.alignment});
}

namespace {

Outcome check_choice(int choice, std::uint32_t choices) {
    if (choice >= 0 && static_cast<std::uint32_t>(choice) <= choices) return {};
    const std::string there_are = choices == 0 ? "there is nothing to choose" : "there are 1 to " + std::to_string(choices);
    return {JCUCONV_INVALID_CHOICE, "choice = " + std::to_string(choice) + ": " + there_are + ", and 0 for the library's own"};
}

}  // namespace

Outcome make_bgrad_plan(const char* operation, jcuconv_type type, std::int64_t pixels, int channels, std::int64_t pitch,
                        int alignment, bool accumulate, int choice, std::uint64_t workspace_limit, Plan* plan) {
    JCUCONV_TRY(check_choice(choice, 0));
    const PixelSplit split = choose_column_sums(pixels, channels, workspace_limit);
    JCUCONV_TRY(check_workspace_limit(split.workspace_bytes, workspace_limit));
    plan->description = std::string(operation) + " bgrad column_sums splits " + std::to_string(split.splits);
    plan->workspace_bytes = split.workspace_bytes;
    plan->arguments = {{JCUCONV_ARG_DY, tensor_bytes(pixels, pitch, channels, size_of(type)), alignment},
                       {JCUCONV_ARG_DBIAS, static_cast<std::uint64_t>(channels) * sizeof(float), alignof(float), true}};
    plan->run = [=](const Tensors& t, void* workspace, device::Stream stream) {
        return column_sums(type, pixels, channels, pitch, split, t.at(JCUCONV_ARG_DY), t.at<float>(JCUCONV_ARG_DBIAS), accumulate,
                           static_cast<float*>(workspace), stream);
    };
    return {};
}

Outcome add_bgrad(jcuconv_type type, std::int64_t pixels, int channels, std::int64_t pitch, int alignment, bool accumulate,
                  std::uint64_t workspace_limit, Plan* plan) {
    Plan sums;
    JCUCONV_TRY(make_bgrad_plan("with", type, pixels, channels, pitch, alignment, accumulate, 0, workspace_limit, &sums));
    plan->description += " " + sums.description;
    plan->workspace_bytes = std::max(plan->workspace_bytes, sums.workspace_bytes);
    for (const Argument& argument : sums.arguments)
        if (argument.arg == JCUCONV_ARG_DBIAS) plan->arguments.push_back(argument);
    plan->run = [first = plan->run, second = sums.run](const Tensors& t, void* workspace, device::Stream stream) -> Outcome {
        JCUCONV_TRY(first(t, workspace, stream));
        return second(t, workspace, stream);
    };
    return {};
}

Outcome configure(const Conv2dGeometry& g, jcuconv_type type, jcuconv_pass pass, int alignment, std::uint64_t workspace_limit, int math,
                  bool y_f32, int choice, Conv2dConfig* config, Plan* plan) {
    if (math < JCUCONV_MATH_EXACT || math > JCUCONV_MATH_TF32X3)
        return {JCUCONV_INVALID_MATH, "math = " + std::to_string(math) + ": not a jcuconv_math"};
    const Conv2dTask task{g, type, pass, alignment, workspace_limit, static_cast<jcuconv_math>(math), device::architecture(), y_f32};
    *config = choose_conv2d(task);
    if (!conv2d_legal(config->algorithm, task))
        return {JCUCONV_UNSUPPORTED_SIZE, "pool_h * pool_w = " + std::to_string(std::int64_t{1} << g.pool_log2) + ": at most 16 outputs are pooled, without tensor cores 4"};
    const std::vector<Conv2dConfig> choices = conv2d_choices(task);
    plan->choices = static_cast<std::uint32_t>(choices.size());
    JCUCONV_TRY(check_choice(choice, plan->choices));
    if (choice > 0) *config = choices[static_cast<std::size_t>(choice - 1)];
    plan->workspace_bytes = config->split.workspace_bytes;
    const std::string passed = choice == 0 ? explain_conv2d(task) : "choice " + std::to_string(choice) + " is asked for";
    plan->reason = passed + (passed.empty() ? "" : "; ") + describe(estimate_conv2d(task, *config));
    return check_workspace_limit(config->split.workspace_bytes, workspace_limit);
}

Outcome make_conv2d_plan(const jcuconv_conv2d& c, jcuconv_pass pass, std::uint64_t workspace_limit, Plan* plan) {
    Conv2dGeometry g;
    int alignment = 0;
    JCUCONV_TRY(conv2d_geometry(c, &g));
    Conv2dRequest request;
    JCUCONV_TRY(conv2d_request(pass, c.epilogue, c.accumulate, c.dbias, &request));
    JCUCONV_TRY(check_pool(g, pass, request));
    JCUCONV_TRY(alignment_of(c.type, c.alignment, &alignment));
    JCUCONV_TRY(is_flag("y_f32", c.y_f32, JCUCONV_INVALID_EPILOGUE));
    if (pass != JCUCONV_FPROP && c.y_f32 != 0) return {JCUCONV_INVALID_EPILOGUE, "y_f32 belongs to the forward pass"};
    if (c.y_f32 != 0) JCUCONV_TRY(alignment_of(JCUCONV_F32, c.alignment, &alignment));
    const auto type = static_cast<jcuconv_type>(c.type);
    const auto y_type = c.y_f32 != 0 ? JCUCONV_F32 : type;
    request.epilogue.y_f32 = y_type != type;
    const bool accumulate = request.epilogue.accumulate;
    if (pass == JCUCONV_BGRAD)
        return make_bgrad_plan("conv2d", type, g.pixels_out(), g.k, g.y_pitch, alignment, accumulate, c.choice, workspace_limit,
                               plan);

    Conv2dConfig config;
    JCUCONV_TRY(configure(g, type, pass, alignment, workspace_limit, c.math, request.epilogue.y_f32, c.choice, &config,
                          plan));
    const Argument x{JCUCONV_ARG_X, conv2d_x_bytes(g, type), alignment}, w{JCUCONV_ARG_W, conv2d_w_bytes(g, type), alignment};
    const Argument dy{JCUCONV_ARG_DY, conv2d_y_bytes(g, type), alignment};
    if (pass == JCUCONV_FPROP) {
        plan->description = "conv2d fprop " + describe(config) + (request.epilogue.y_f32 ? " y fp32" : "");
        if (g.pool_log2 > 0)
            plan->description += " pool " + std::to_string(1 << g.pool_h_log2) + "x" + std::to_string(1 << g.pool_w_log2);
        const Argument y{JCUCONV_ARG_Y, conv2d_y_bytes(g, y_type), alignment, true};
        plan->arguments = {x, w, y};
        add_epilogue_arguments(request, g.k, y, plan);
        plan->run = [=](const Tensors& t, void*, device::Stream stream) {
            return conv2d_fprop(g, type, config, t.at(JCUCONV_ARG_X), t.at(JCUCONV_ARG_W), t.at(JCUCONV_ARG_Y), request.bound(t),
                                stream);
        };
    } else if (pass == JCUCONV_DGRAD) {
        plan->description = "conv2d dgrad " + describe(config);
        plan->arguments = {dy, w, {JCUCONV_ARG_DX, x.bytes, alignment, true}};
        plan->run = [=](const Tensors& t, void*, device::Stream stream) {
            return conv2d_dgrad(g, type, config, t.at(JCUCONV_ARG_DY), t.at(JCUCONV_ARG_W), t.at(JCUCONV_ARG_DX),
                                request.bound(t), stream);
        };
    } else {
        plan->description = "conv2d wgrad " + describe(config);
        plan->arguments = {x, dy, {JCUCONV_ARG_DW, conv2d_w_bytes(g, JCUCONV_F32), filter_gradient_alignment(config), true}};
        plan->run = [=](const Tensors& t, void* workspace, device::Stream stream) {
            return conv2d_wgrad(g, type, config, t.at(JCUCONV_ARG_X), t.at(JCUCONV_ARG_DY), t.at<float>(JCUCONV_ARG_DW), accumulate,
                                           static_cast<float*>(workspace), stream);
        };
        if (request.dbias)
            return add_bgrad(type, g.pixels_out(), g.k, g.y_pitch, alignment, accumulate, workspace_limit, plan);
    }
    return {};
}

}  // namespace jcuconv
