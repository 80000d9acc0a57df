/* What the C API computes: one struct per operation. Activations are NHWC, filters KRSC. All sizes count elements. A pitch is
 * the distance of neighbouring pixels in elements, at least the number of channels; 0 means exactly that number, and a larger
 * one lets a tensor be a slice of the channels of a wider one (a concatenation is written in place). Bias, dw, dbias, losses
 * and saved statistics are always fp32; everything else has the storage type `type`; sums are always fp32. */
#ifndef JCUCONV_PROBLEM_H
#define JCUCONV_PROBLEM_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum jcuconv_type { JCUCONV_F32 = 0, JCUCONV_F16 = 1, JCUCONV_BF16 = 2 } jcuconv_type;

typedef enum jcuconv_pass {
    JCUCONV_FPROP = 0, /* also fwd: y from x */
    JCUCONV_DGRAD = 1, /* also bwd: dx from dy */
    JCUCONV_WGRAD = 2, /* dw from x and dy */
    JCUCONV_BGRAD = 3  /* dbias from dy */
} jcuconv_pass;

/* Cross-correlation of x (n h w c) with w (k r s c/groups). The output is n p q k with
 * p = (h + pad_top + pad_bottom - (dilation_h * (r - 1) + 1)) / stride_h + 1, q likewise. */
typedef struct jcuconv_conv2d {
    int32_t n, h, w, c, k, r, s;
    int32_t pad_top, pad_bottom, pad_left, pad_right; /* 0 or more */
    int32_t stride_h, stride_w, dilation_h, dilation_w; /* 1 or more */
    int32_t groups;
    int64_t x_pitch, y_pitch;
    int32_t type;       /* jcuconv_type of x, w, y, dx, dy */
    int32_t alignment;  /* bytes every tensor is aligned to; 0 means 16; at least one element */
    int32_t bias;       /* 0 or 1, fprop only: y = sum + bias[k] */
    int32_t relu;       /* 0 or 1, fprop only, after the bias */
    int32_t accumulate; /* 0 or 1: dx, dw or dbias is added to instead of overwritten */
} jcuconv_conv2d;

/* Transposed convolution: the data gradient of a conv2d, used forwards. x is n h w c, w is c r s k/groups, y is n p q k with
 * p = (h - 1) * stride_h - pad_top - pad_bottom + dilation_h * (r - 1) + 1 + extra_h, q likewise. */
typedef struct jcuconv_conv_transpose2d {
    int32_t n, h, w, c, k, r, s;
    int32_t pad_top, pad_bottom, pad_left, pad_right;
    int32_t stride_h, stride_w, dilation_h, dilation_w;
    int32_t extra_h, extra_w; /* rows and columns of output that no window end touches: 0 .. stride - 1 */
    int32_t groups;
    int64_t x_pitch, y_pitch;
    int32_t type, alignment, bias, relu, accumulate; /* as in jcuconv_conv2d */
} jcuconv_conv_transpose2d;

#ifdef __cplusplus
}
#endif

#endif
