// Max and average pooling: validation, output sizes, plans.
#include "core/plan.h"
#include "core/rules.h"
#include "kernels/pool2d/pool2d.h"

namespace jcuconv {

namespace {

Outcome output_extent(const char* axis, std::int64_t extent, int pad_low, int pad_high, int window, int stride, int dilation,
                      bool ceil, int* out) {
    JCUCONV_TRY(at_least(axis, extent, 1, JCUCONV_INVALID_IMAGE));
    JCUCONV_TRY(at_least(axis, window, 1, JCUCONV_INVALID_WINDOW));
    JCUCONV_TRY(at_least(axis, stride, 1, JCUCONV_INVALID_STRIDE));
    JCUCONV_TRY(at_least(axis, dilation, 1, JCUCONV_INVALID_DILATION));
    const std::int64_t span = std::int64_t{dilation} * (window - 1) + 1, padded = extent + pad_low + pad_high;
    if (pad_low < 0 || pad_high < 0 || pad_low >= span || pad_high >= span)
        return {JCUCONV_INVALID_PADDING, std::string(axis) + ": padding must be 0 or more and smaller than the window of " +
                                             std::to_string(span) + ", so that each window sees a pixel"};
    if (span > padded)
        return {JCUCONV_INVALID_WINDOW, std::string(axis) + ": the window of " + std::to_string(span) +
                                            " is larger than the padded image of " + std::to_string(padded)};
    JCUCONV_TRY(at_most(axis, padded + stride, INT32_MAX / 2, JCUCONV_UNSUPPORTED_SIZE));
    const std::int64_t room = padded - span;
    std::int64_t count = (ceil ? (room + stride - 1) / stride : room / stride) + 1;
    if (ceil && (count - 1) * stride >= extent + pad_low) --count;
    *out = static_cast<int>(count);
    return {};
}

Outcome geometry(const jcuconv_pool2d& c, Pool2dGeometry* g) {
    JCUCONV_TRY(at_least("n", c.n, 1, JCUCONV_INVALID_BATCH));
    JCUCONV_TRY(at_least("c", c.c, 1, JCUCONV_INVALID_CHANNELS));
    JCUCONV_TRY(is_flag("ceil", c.ceil, JCUCONV_INVALID_PARAMETER));
    JCUCONV_TRY(is_flag("argmax", c.argmax, JCUCONV_INVALID_PARAMETER));
    JCUCONV_TRY(is_flag("count_padding", c.count_padding, JCUCONV_INVALID_PARAMETER));
    *g = {c.n, c.h, c.w, c.c, c.r, c.s, 0, 0, c.pad_top, c.pad_bottom, c.pad_left, c.pad_right, c.stride_h, c.stride_w,
          c.dilation_h, c.dilation_w, c.count_padding != 0, 0, 0};
    const bool ceil = c.ceil != 0;
    JCUCONV_TRY(output_extent("height", c.h, c.pad_top, c.pad_bottom, c.r, c.stride_h, c.dilation_h, ceil, &g->p));
    JCUCONV_TRY(output_extent("width", c.w, c.pad_left, c.pad_right, c.s, c.stride_w, c.dilation_w, ceil, &g->q));
    JCUCONV_TRY(pitch_of("x_pitch", c.x_pitch, c.c, &g->x_pitch));
    JCUCONV_TRY(pitch_of("y_pitch", c.y_pitch, c.c, &g->y_pitch));
    JCUCONV_TRY(at_most("r*s", std::int64_t{c.r} * c.s, INT32_MAX / 2, JCUCONV_UNSUPPORTED_SIZE));
    JCUCONV_TRY(at_most("h*w", std::int64_t{c.h} * c.w, INT32_MAX, JCUCONV_UNSUPPORTED_SIZE));
    JCUCONV_TRY(at_most("p*q", std::int64_t{g->p} * g->q, INT32_MAX, JCUCONV_UNSUPPORTED_SIZE));
    JCUCONV_TRY(at_most("n*h*w", g->pixels_in(), kMaxItems / g->x_pitch, JCUCONV_UNSUPPORTED_SIZE));
    return at_most("n*p*q", g->pixels_out(), kMaxItems / g->y_pitch, JCUCONV_UNSUPPORTED_SIZE);
}

// What both poolings share.
struct Pool {
    Pool2dGeometry g;
    jcuconv_type type;
    int vec;
    Argument x, y;  // their dx and dy have the same bytes
};

Outcome prepare(const jcuconv_pool2d& c, jcuconv_pass pass, Pool* pool) {
    JCUCONV_TRY(is_pass(pass, true));
    JCUCONV_TRY(geometry(c, &pool->g));
    int alignment = 0;
    JCUCONV_TRY(alignment_of(c.type, c.alignment, &alignment));
    const Pool2dGeometry& g = pool->g;
    pool->type = static_cast<jcuconv_type>(c.type);
    pool->vec = vector_width(pool->type, alignment, {g.c, g.x_pitch, g.y_pitch});
    pool->x = {JCUCONV_ARG_X, tensor_bytes(g.pixels_in(), g.x_pitch, g.c, size_of(pool->type)), alignment};
    pool->y = {JCUCONV_ARG_Y, tensor_bytes(g.pixels_out(), g.y_pitch, g.c, size_of(pool->type)), alignment, true};
    return {};
}

Argument as(jcuconv_arg arg, const Argument& other, bool writes) { return {arg, other.bytes, other.alignment, writes}; }

}  // namespace

Outcome make_max_pool2d_plan(const jcuconv_pool2d& c, jcuconv_pass pass, std::uint64_t, Plan* plan) {
    Pool pool;
    JCUCONV_TRY(prepare(c, pass, &pool));
    const std::size_t offset = c.r * c.s <= kMaxByteWindow ? sizeof(std::uint8_t) : sizeof(std::int32_t);
    Argument argmax{JCUCONV_ARG_ARGMAX, static_cast<std::uint64_t>(pool.g.pixels_out()) * static_cast<std::uint64_t>(c.c) * offset,
                    pool.vec * static_cast<int>(offset)};
    const std::string vec = " vec " + std::to_string(pool.vec);
    if (pass == JCUCONV_FPROP) {
        plan->description = "max_pool2d fwd" + vec;
        plan->arguments = {pool.x, pool.y};
        argmax.writes = true;
        if (c.argmax != 0) plan->arguments.push_back(argmax);
        plan->run = [=](const Tensors& t, void*, device::Stream stream) {
            return max_pool2d_fwd(pool.g, pool.type, pool.vec, t.at(JCUCONV_ARG_X), t.at(JCUCONV_ARG_Y), t.at(JCUCONV_ARG_ARGMAX),
                                  stream);
        };
    } else {
        plan->description = "max_pool2d bwd" + vec;
        plan->arguments = {as(JCUCONV_ARG_DY, pool.y, false), argmax, as(JCUCONV_ARG_DX, pool.x, true)};
        plan->run = [=](const Tensors& t, void*, device::Stream stream) {
            return max_pool2d_bwd(pool.g, pool.type, pool.vec, t.at(JCUCONV_ARG_DY), t.at(JCUCONV_ARG_ARGMAX),
                                  t.at(JCUCONV_ARG_DX), stream);
        };
    }
    return {};
}

Outcome make_avg_pool2d_plan(const jcuconv_pool2d& c, jcuconv_pass pass, std::uint64_t, Plan* plan) {
    if (c.dilation_h != 1 || c.dilation_w != 1) return {JCUCONV_INVALID_DILATION, "average pooling: dilation must be 1"};
    if (c.argmax != 0) return {JCUCONV_INVALID_PARAMETER, "average pooling has no argmax"};
    Pool pool;
    JCUCONV_TRY(prepare(c, pass, &pool));
    const std::string vec = " vec " + std::to_string(pool.vec);
    if (pass == JCUCONV_FPROP) {
        plan->description = "avg_pool2d fwd" + vec;
        plan->arguments = {pool.x, pool.y};
        plan->run = [=](const Tensors& t, void*, device::Stream stream) {
            return avg_pool2d_fwd(pool.g, pool.type, pool.vec, t.at(JCUCONV_ARG_X), t.at(JCUCONV_ARG_Y), stream);
        };
    } else {
        plan->description = "avg_pool2d bwd" + vec;
        plan->arguments = {as(JCUCONV_ARG_DY, pool.y, false), as(JCUCONV_ARG_DX, pool.x, true)};
        plan->run = [=](const Tensors& t, void*, device::Stream stream) {
            return avg_pool2d_bwd(pool.g, pool.type, pool.vec, t.at(JCUCONV_ARG_DY), t.at(JCUCONV_ARG_DX), stream);
        };
    }
    return {};
}

}  // namespace jcuconv
