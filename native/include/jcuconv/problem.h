/* What the C API computes: one struct per operation. Activations are NHWC, filters KRSC. All sizes count elements. A pitch is
 * the distance of neighbouring pixels in elements, at least the number of channels; 0 means exactly that number, and a larger
 * one lets a tensor be a slice of the channels of a wider one (a concatenation is written in place). Bias, scale, dw, dbias, losses
 * and saved statistics are always fp32; everything else has the storage type `type`; sums are always fp32. */
#ifndef JCUCONV_PROBLEM_H
#define JCUCONV_PROBLEM_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum jcuconv_type { JCUCONV_F32 = 0, JCUCONV_F16 = 1, JCUCONV_BF16 = 2 } jcuconv_type;

/* To C++ every int is a value of this type: a caller's wrong number gets a status instead of being undefined. */
typedef enum jcuconv_pass
#ifdef __cplusplus
    : int32_t
#endif
{
    JCUCONV_FPROP = 0, /* also fwd: y from x */
    JCUCONV_DGRAD = 1, /* also bwd: dx from dy */
    JCUCONV_WGRAD = 2, /* dw from x and dy */
    JCUCONV_BGRAD = 3  /* dbias from dy */
} jcuconv_pass;

/* How fp32 operands are multiplied. fp16 and bf16 always go through tensor cores where the GPU has them; sums are fp32 in any case. */
typedef enum jcuconv_math {
    JCUCONV_MATH_EXACT = 0,   /* fp32 products */
    JCUCONV_MATH_TF32 = 1,    /* operands rounded to 11 bits, products on tensor cores; exact where the GPU has no tf32 */
    JCUCONV_MATH_TF32X3 = 2   /* three products of such parts, off by at most 2^-20 of each; a sum with an infinity is NaN */
} jcuconv_math;

/* What happens to the sums of a forward pass before they are rounded and stored. */
typedef enum jcuconv_epilogue {
    JCUCONV_EPILOGUE_END = 0, /* no more steps */
    JCUCONV_EPILOGUE_BIAS,    /* + BIAS[k] */
    JCUCONV_EPILOGUE_RESIDUAL, /* + RESIDUAL, shaped like y, at y's pitch */
    JCUCONV_EPILOGUE_RELU,    /* max(0, v), a NaN stays a NaN */
    JCUCONV_EPILOGUE_TANH,
    JCUCONV_EPILOGUE_SIGMOID,
    JCUCONV_EPILOGUE_SCALE    /* * SCALE[k]; before a bias it is a batch normalization that does not learn */
} jcuconv_epilogue;

enum { JCUCONV_EPILOGUE_STEPS = 6 };

/* Cross-correlation of x (n h w c) with w (k r s c/groups), then the epilogue. The output is n p q k with
 * p = (h + pad_top + pad_bottom - (dilation_h * (r - 1) + 1)) / stride_h + 1, q likewise. */
typedef struct jcuconv_conv2d {
    int32_t n, h, w, c, k, r, s;
    int32_t pad_top, pad_bottom, pad_left, pad_right; /* 0 or more */
    int32_t stride_h, stride_w, dilation_h, dilation_w; /* 1 or more */
    int32_t groups;
    int64_t x_pitch, y_pitch;
    int32_t type;       /* jcuconv_type of x, w, y, dx, dy */
    int32_t alignment;  /* bytes every tensor is aligned to; 0 means 16; at least one element of each */
    int32_t epilogue[JCUCONV_EPILOGUE_STEPS]; /* jcuconv_epilogue, in this order, each at most once; fprop only */
    int32_t accumulate; /* 0 or 1: dx, dw or dbias is added to instead of overwritten */
    int32_t dbias;      /* 0 or 1, wgrad only: also write DBIAS, the sums of dy */
    int32_t math;       /* jcuconv_math, for fp32 */
    /* fprop only, 0 or 1 for none: y is the maximum over windows of pool_h x pool_w outputs side by side, n p/pool_h q/pool_w k, rounded down.
     * Powers of two, a product up to 16, without tensor cores up to 4; no step of the epilogue but a bias, then a ReLU. They see the maximum
     * alone: y is as after a max-pool behind them, but for the sign of zeros and for a bias of +infinity on a sum of -infinity. */
    int32_t pool_h, pool_w;
    int32_t y_f32;      /* 0 or 1, fprop only: Y and RESIDUAL are fp32 instead of the storage type, as logits want it */
    /* 0: the library's own choice of kernel. 1 .. jcuconv_plan_choices(): this one of all that are legal for the pass, the limit of the
     * workspace and the device's compute capability; for those who have measured. The same number gives the same bits everywhere. */
    int32_t choice;
} jcuconv_conv2d;

/* Transposed convolution: the data gradient of a conv2d, used forwards. x is n h w c, w is c r s k/groups, y is n p q k with
 * p = (h - 1) * stride_h - pad_top - pad_bottom + dilation_h * (r - 1) + 1 + extra_h, q likewise. */
typedef struct jcuconv_conv_transpose2d {
    int32_t n, h, w, c, k, r, s;
    int32_t pad_top, pad_bottom, pad_left, pad_right;
    int32_t stride_h, stride_w, dilation_h, dilation_w;
    int32_t extra_h, extra_w; /* rows and columns of output that no window end touches: 0 .. max(stride, dilation) - 1 */
    int32_t groups;
    int64_t x_pitch, y_pitch;
    int32_t type, alignment; /* these and the rest as in jcuconv_conv2d */
    int32_t epilogue[JCUCONV_EPILOGUE_STEPS];
    int32_t accumulate, dbias, math, choice;
} jcuconv_conv_transpose2d;

/* Fully connected: y[n,k] = sum over c of x[n,c] * w[k,c], then the epilogue; c is everything one row holds, in the order of memory. */
typedef struct jcuconv_dense {
    int32_t n, c, k;
    int32_t type, alignment; /* these and the rest as in jcuconv_conv2d */
    int32_t epilogue[JCUCONV_EPILOGUE_STEPS];
    int32_t accumulate, dbias, math, y_f32, choice;
} jcuconv_dense;

typedef enum jcuconv_layout { JCUCONV_NHWC = 0, JCUCONV_NCHW = 1 } jcuconv_layout;

/* Y = X in another layout or type, dense, rounded to nearest even. Filters too: KRSC is to KCRS as NHWC to NCHW. */
typedef struct jcuconv_reorder {
    int32_t n, pixels, c;        /* pixels: h * w */
    int32_t x_layout, y_layout;  /* jcuconv_layout */
    int32_t x_type, y_type;      /* jcuconv_type */
} jcuconv_reorder;

/* Max or average pooling of x (n h w c). p = (h + pad_top + pad_bottom - (dilation_h * (r - 1) + 1)) / stride_h + 1, rounded down, or
 * up if `ceil`; windows that would start in the bottom or right padding are dropped. Padding must be smaller than the window. */
typedef struct jcuconv_pool2d {
    int32_t n, h, w, c, r, s;
    int32_t pad_top, pad_bottom, pad_left, pad_right;
    int32_t stride_h, stride_w, dilation_h, dilation_w; /* average: dilation 1 */
    int32_t ceil;
    int32_t argmax;        /* max, forward: write the offsets that the backward pass reads (uint8, int32 if r * s > 256) */
    int32_t count_padding; /* average: padding counts in the divisor */
    int64_t x_pitch, y_pitch;
    int32_t type, alignment;
} jcuconv_pool2d;

/* Local response normalization across channels: y = x * scale^-beta, scale[c] = k + a * sum of x^2 over the `size` channels around
 * c that exist; a is alpha / size if `alpha_over_size` (Caffe, cuDNN, PyTorch, oneDNN), else alpha (AlexNet's paper, TensorFlow).
 * The backward pass needs x and dy only: it forms the scale again, which moves less memory than reading it, and ignores SAVED. */
typedef struct jcuconv_lrn {
    int64_t pixels; /* n * h * w */
    int32_t c;
    int32_t size; /* odd, up to 17 */
    float alpha, beta, k;
    int32_t alpha_over_size;
    int32_t save; /* forward: also write scale to SAVED, dense fp32 */
    int64_t x_pitch, y_pitch;
    int32_t type, alignment;
} jcuconv_lrn;

/* Batch normalization per channel: y = gamma * (x - mean) / sqrt(var + eps) + beta. GAMMA, BETA and all statistics are fp32 [c].
 * Forward in training takes mean and biased variance of the stored x, writes them to SAVE_MEAN and SAVE_VAR, and moves the running
 * ones: running = (1 - momentum) * running + momentum * batch, with the unbiased variance. Forward in inference reads RUNNING_MEAN
 * and RUNNING_VAR. Backward reads X, DY, GAMMA, SAVE_MEAN, SAVE_VAR and writes DX, DGAMMA, DBETA; dx has the pitch of x. */
typedef struct jcuconv_batch_norm {
    int64_t pixels; /* n * h * w */
    int32_t c;
    int32_t training; /* forward: 0 or 1 */
    float eps;        /* positive */
    float momentum;   /* 0 .. 1 */
    int64_t x_pitch, y_pitch;
    int32_t type, alignment;
} jcuconv_batch_norm;

/* Dropout of training, dense: zero with probability `rate`, else x / (1 - rate). Both passes draw the mask from Philox4x32-10 with the
 * key SEED[0..1]: element i, counted in N C H W order although memory is NHWC, takes word i % 4 of the block with counter
 * (low half of i / 4, layer ^ high half of i / 4, SEED[2], SEED[3]) and is dropped when that word is below rate * 2^32. Backward reads DY and
 * writes DX. Y may be X and DX may be DY. */
typedef struct jcuconv_dropout {
    int32_t n, pixels, c; /* pixels: h * w */
    int32_t layer;        /* tells the dropouts of one network apart */
    float rate;           /* 0 <= rate < 1 */
    int32_t type, alignment;
} jcuconv_dropout;

/* FLAG = 1 if an element of X is infinite or NaN, else 0. */
typedef struct jcuconv_finite_check {
    int64_t count;
    int32_t type, alignment;
} jcuconv_finite_check;

/* One input of a concatenation: forward writes x into the channels offset .. offset + c of y, which has `channels` of them, and leaves the
 * others; backward reads the same channels of dy into dx. */
typedef struct jcuconv_concat {
    int64_t pixels; /* n * h * w */
    int32_t c, channels, offset;
    int64_t x_pitch, y_pitch;
    int32_t type, alignment;
} jcuconv_concat;

typedef enum jcuconv_activation_kind { JCUCONV_RELU = 0, JCUCONV_TANH = 1, JCUCONV_SIGMOID = 2 } jcuconv_activation_kind;

/* An elementwise function; the backward pass needs y only. Y may be X and DX may be DY. */
typedef struct jcuconv_activation {
    int64_t count;
    int32_t kind; /* jcuconv_activation_kind */
    int32_t type, alignment;
} jcuconv_activation;

/* y = x + x2, rounded once. Y may be X or X2. */
typedef struct jcuconv_add {
    int64_t count;
    int32_t type, alignment;
} jcuconv_add;

/* y[n,h,w,c] = x[n,h,w,c] * X2[n,c]: the gates of squeeze-and-excitation. Backward reads X, X2 and DY and writes DX = dy * x2 and
 * DX2[n,c] = sum over the pixels of dy * x. Everything is dense and in the storage type. */
typedef struct jcuconv_channel_scale {
    int32_t n, pixels, c; /* pixels: h * w */
    int32_t type, alignment;
} jcuconv_channel_scale;

/* Softmax over the classes of each row with cross-entropy, averaged over the rows whose label is not `ignore_label`. Forward writes
 * LOSS, backward DX = LOSS_SCALE * (softmax - onehot) / rows that count. A label outside 0..classes-1 gives NaN. */
typedef struct jcuconv_softmax_cross_entropy {
    int64_t rows;
    int32_t classes;
    int32_t ignore_label; /* negative */
    int32_t type, alignment;
} jcuconv_softmax_cross_entropy;

typedef enum jcuconv_optimizer_kind { JCUCONV_SGD = 0, JCUCONV_SGD_MOMENTUM = 1, JCUCONV_ADAM = 2 } jcuconv_optimizer_kind;

/* One step over a flat region of fp32 parameters W with gradients DW and states M (momentum, Adam) and V (Adam). HYPER is nine fp32
 * numbers in device memory: rate, gradient scale, weight decay, momentum or beta1, beta2, eps, 1 - beta1^t, 1 - beta2^t, apply.
 * SGD:  g = scale * dw + decay * w; m = momentum * m + g; w -= rate * m (without momentum: w -= rate * g).
 * Adam: g = scale * dw; m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; w -= rate * ((m/c1) / (sqrt(v/c2) + eps) + decay * w).
 * If apply is 0, w, m and v stay as they are, bit for bit. With a 16-bit `storage`, the rounded w is written to W_STORAGE in any case. */
typedef struct jcuconv_optimizer {
    int64_t count;
    int32_t kind;    /* jcuconv_optimizer_kind */
    int32_t storage; /* jcuconv_type, JCUCONV_F32 for none */
} jcuconv_optimizer;

/* The decisions of a training step, taken on the device before its optimizers run. COUNTERS is int32[8]: step low, step high, updates low,
 * updates high, good steps, ranks, applied, reserved. RATES is fp32[rates], HYPER fp32[rows * 9] as in jcuconv_optimizer, SEED as in
 * jcuconv_dropout, FLAG (read only if `loss_scaling`) as in jcuconv_finite_check.
 *     overflow = loss_scaling && FLAG != 0; applied = !overflow; updates += applied
 *     each row: [0] = RATES[min(step, rates - 1)], [1] = 1 / (LOSS_SCALE * ranks), [6] = 1 - [3]^updates, [7] = 1 - [4]^updates,
 *               [8] = applied; the other numbers stay
 *     if loss_scaling: on overflow LOSS_SCALE = max(1, LOSS_SCALE / 2) and good = 0; else if ++good >= growth_interval
 *               LOSS_SCALE = min(2^24, LOSS_SCALE * 2) and good = 0
 *     step += 1; SEED[2..3] = step */
typedef struct jcuconv_step_control {
    int32_t rates;           /* numbers in RATES */
    int32_t rows;            /* of HYPER: 1 .. 4 */
    int32_t loss_scaling;    /* 0 or 1 */
    int32_t growth_interval; /* 1 or more */
} jcuconv_step_control;

#ifdef __cplusplus
}
#endif

#endif
