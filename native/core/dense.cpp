// A dense layer is a convolution of 1x1 images with 1x1 filters: the same kernels, the same bits.
#include <algorithm>

#include "core/plan.h"

namespace jcuconv {

Outcome make_dense_plan(const jcuconv_dense& d, jcuconv_pass pass, std::uint64_t workspace_limit, Plan* plan) {
    jcuconv_conv2d c{};
    c.n = d.n;
    c.c = d.c;
    c.k = d.k;
    c.h = c.w = c.r = c.s = c.stride_h = c.stride_w = c.dilation_h = c.dilation_w = c.groups = 1;
    c.type = d.type;
    c.alignment = d.alignment;
    std::copy(std::begin(d.epilogue), std::end(d.epilogue), c.epilogue);
    c.accumulate = d.accumulate;
    c.dbias = d.dbias;
    c.math = d.math;
    c.y_f32 = d.y_f32;
    c.choice = d.choice;
    JCUCONV_TRY(make_conv2d_plan(c, pass, workspace_limit, plan));
    plan->description = "dense as " + plan->description;
    return {};
}

}  // namespace jcuconv
