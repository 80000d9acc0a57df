// Changes of layout and type: validation and plans.
#include "core/arithmetic.h"
#include "core/plan.h"
#include "core/rules.h"
#include "kernels/reorder/reorder.h"

namespace jcuconv {

Outcome make_reorder_plan(const jcuconv_reorder& o, jcuconv_pass pass, std::uint64_t, Plan* plan) {
    JCUCONV_TRY(is_pass(pass, false));
    JCUCONV_TRY(at_least("n", o.n, 1, JCUCONV_INVALID_BATCH));
    JCUCONV_TRY(at_least("c", o.c, 1, JCUCONV_INVALID_CHANNELS));
    JCUCONV_TRY(at_least("pixels", o.pixels, 1, JCUCONV_INVALID_IMAGE));
    for (const int layout : {o.x_layout, o.y_layout})
        if (layout != JCUCONV_NHWC && layout != JCUCONV_NCHW)
            return {JCUCONV_INVALID_PARAMETER, "layout = " + std::to_string(layout) + ": not a jcuconv_layout"};
    for (const int type : {o.x_type, o.y_type})
        if (!is_type(type)) return {JCUCONV_INVALID_TYPE, "type = " + std::to_string(type) + ": not a jcuconv_type"};
    const std::int64_t per_image = std::int64_t{o.pixels} * o.c;
    JCUCONV_TRY(at_most("n*pixels*c", o.n, kMaxItems / per_image, JCUCONV_UNSUPPORTED_SIZE));
    constexpr int kTile = 32;
    JCUCONV_TRY(at_most("tiles of 32 x 32", std::int64_t{ceil_div(o.pixels, kTile)} * ceil_div(o.c, kTile),
                        INT32_MAX / o.n, JCUCONV_UNSUPPORTED_SIZE));
    const auto from = static_cast<jcuconv_type>(o.x_type), to = static_cast<jcuconv_type>(o.y_type);
    const std::int64_t count = o.n * per_image;
    const auto bytes = [&](jcuconv_type type) { return static_cast<std::uint64_t>(count) * size_of(type); };
    plan->arguments = {{JCUCONV_ARG_X, bytes(from), static_cast<int>(size_of(from))},
                       {JCUCONV_ARG_Y, bytes(to), static_cast<int>(size_of(to)), true}};
    if (o.x_layout == o.y_layout) {
        plan->description = "reorder by convert";
        plan->run = [=](const Tensors& t, void*, device::Stream stream) {
            return convert(count, from, to, t.at(JCUCONV_ARG_X), t.at(JCUCONV_ARG_Y), stream);
        };
        return {};
    }
    const int rows = o.x_layout == JCUCONV_NHWC ? o.pixels : o.c, columns = o.x_layout == JCUCONV_NHWC ? o.c : o.pixels;
    const int n = o.n;
    plan->description = "reorder by transpose";
    plan->run = [=](const Tensors& t, void*, device::Stream stream) {
        return transpose(n, rows, columns, from, to, t.at(JCUCONV_ARG_X), t.at(JCUCONV_ARG_Y), stream);
    };
    return {};
}

}  // namespace jcuconv
