// Transposed convolution. It is the data gradient of a convolution used forwards, so it needs no kernel of its own: its fprop is
// that convolution's dgrad, its dgrad that convolution's fprop, and its wgrad that convolution's wgrad with x and dy exchanged.
#include <algorithm>

#include "core/conv2d.h"
#include "core/rules.h"
#include "kernels/conv2d/conv2d.h"

namespace jcuconv {

namespace {

Outcome output_extent(const char* axis, std::int64_t extent, std::int64_t pad, std::int64_t window, int stride, int dilation,
                      int extra, int* out) {
    JCUCONV_TRY(at_least(axis, extra, 0, JCUCONV_INVALID_PADDING));
    if (extra >= std::max(stride, dilation))
        return {JCUCONV_INVALID_PADDING, std::string(axis) + " = " + std::to_string(extra) + ": must be smaller than the stride " +
                                             std::to_string(stride) + " or the dilation " + std::to_string(dilation)};
    const std::int64_t size = (extent - 1) * stride - pad + dilation * (window - 1) + 1 + extra;
    if (size < 1) return {JCUCONV_INVALID_PADDING, "the padding leaves no output"};
    JCUCONV_TRY(at_most("the output's extent", size, INT32_MAX / 2, JCUCONV_UNSUPPORTED_SIZE));
    *out = static_cast<int>(size);
    return {};
}

// The convolution whose gradient this is: it maps our y to our x.
Outcome adjoint(const jcuconv_conv_transpose2d& t, Conv2dGeometry* g) {
    jcuconv_conv2d c{};
    c.n = t.n;
    c.c = t.k;
    c.k = t.c;
    c.r = t.r;
    c.s = t.s;
    c.pad_top = t.pad_top;
    c.pad_bottom = t.pad_bottom;
    c.pad_left = t.pad_left;
    c.pad_right = t.pad_right;
    c.stride_h = t.stride_h;
    c.stride_w = t.stride_w;
    c.dilation_h = t.dilation_h;
    c.dilation_w = t.dilation_w;
    c.groups = t.groups;
    c.x_pitch = t.y_pitch;
    c.y_pitch = t.x_pitch;
    JCUCONV_TRY(at_least("h", t.h, 1, JCUCONV_INVALID_IMAGE));
    JCUCONV_TRY(at_least("w", t.w, 1, JCUCONV_INVALID_IMAGE));
    JCUCONV_TRY(at_least("c", t.c, 1, JCUCONV_INVALID_CHANNELS));
    JCUCONV_TRY(at_least("k", t.k, 1, JCUCONV_INVALID_FILTERS));
    JCUCONV_TRY(at_least("stride_h", t.stride_h, 1, JCUCONV_INVALID_STRIDE));
    JCUCONV_TRY(at_least("stride_w", t.stride_w, 1, JCUCONV_INVALID_STRIDE));
    JCUCONV_TRY(at_least("dilation_h", t.dilation_h, 1, JCUCONV_INVALID_DILATION));
    JCUCONV_TRY(at_least("dilation_w", t.dilation_w, 1, JCUCONV_INVALID_DILATION));
    JCUCONV_TRY(output_extent("extra_h", t.h, std::int64_t{t.pad_top} + t.pad_bottom, t.r, t.stride_h, t.dilation_h, t.extra_h, &c.h));
    JCUCONV_TRY(output_extent("extra_w", t.w, std::int64_t{t.pad_left} + t.pad_right, t.s, t.stride_w, t.dilation_w, t.extra_w, &c.w));
    JCUCONV_TRY(conv2d_geometry(c, g));
    // Extra rows of a stride or more would give the convolution more outputs than we have pixels: it leaves those out.
    g->p = t.h;
    g->q = t.w;
    return {};
}

}  // namespace

Outcome make_conv_transpose2d_plan(const jcuconv_conv_transpose2d& t, jcuconv_pass pass, std::uint64_t workspace_limit,
                                   Plan* plan) {
    Conv2dGeometry g;
    int alignment = 0;
    JCUCONV_TRY(adjoint(t, &g));
    Conv2dRequest request;
    JCUCONV_TRY(conv2d_request(pass, t.epilogue, t.accumulate, t.dbias, &request));
    JCUCONV_TRY(alignment_of(t.type, t.alignment, &alignment));
    const auto type = static_cast<jcuconv_type>(t.type);
    const bool accumulate = request.epilogue.accumulate;
    if (pass == JCUCONV_BGRAD)
        return make_bgrad_plan("conv_transpose2d", type, g.pixels_in(), g.c, g.x_pitch, alignment, accumulate, t.choice,
                               workspace_limit, plan);

    const jcuconv_pass adjoint_pass = pass == JCUCONV_FPROP ? JCUCONV_DGRAD : pass == JCUCONV_DGRAD ? JCUCONV_FPROP : pass;
    Conv2dConfig config;
    JCUCONV_TRY(configure(g, type, adjoint_pass, alignment, workspace_limit, t.math, false, t.choice, &config, plan));
    const Argument x{JCUCONV_ARG_X, conv2d_y_bytes(g, type), alignment}, w{JCUCONV_ARG_W, conv2d_w_bytes(g, type), alignment};
    const Argument dy{JCUCONV_ARG_DY, conv2d_x_bytes(g, type), alignment};
    if (pass == JCUCONV_FPROP) {
        plan->description = "conv_transpose2d fprop as conv2d dgrad " + describe(config);
        plan->arguments = {x, w, {JCUCONV_ARG_Y, dy.bytes, alignment, true}};
        add_epilogue_arguments(request, g.c, dy, plan);
        plan->run = [=](const Tensors& a, void*, device::Stream stream) {
            return conv2d_dgrad(g, type, config, a.at(JCUCONV_ARG_X), a.at(JCUCONV_ARG_W), a.at(JCUCONV_ARG_Y), request.bound(a),
                                stream);
        };
    } else if (pass == JCUCONV_DGRAD) {
        plan->description = "conv_transpose2d dgrad as conv2d fprop " + describe(config);
        plan->arguments = {dy, w, {JCUCONV_ARG_DX, x.bytes, alignment, true}};
        plan->run = [=](const Tensors& a, void*, device::Stream stream) {
            return conv2d_fprop(g, type, config, a.at(JCUCONV_ARG_DY), a.at(JCUCONV_ARG_W), a.at(JCUCONV_ARG_DX),
                                request.bound(a), stream);
        };
    } else {
        plan->description = "conv_transpose2d wgrad as conv2d wgrad " + describe(config);
        plan->arguments = {x, dy, {JCUCONV_ARG_DW, conv2d_w_bytes(g, JCUCONV_F32), filter_gradient_alignment(config), true}};
        plan->run = [=](const Tensors& a, void* workspace, device::Stream stream) {
            return conv2d_wgrad(g, type, config, a.at(JCUCONV_ARG_DY), a.at(JCUCONV_ARG_X), a.at<float>(JCUCONV_ARG_DW), accumulate,
                                           static_cast<float*>(workspace), stream);
        };
        if (request.dbias)
            return add_bgrad(type, g.pixels_in(), g.c, g.x_pitch, alignment, accumulate, workspace_limit, plan);
    }
    return {};
}

}  // namespace jcuconv
