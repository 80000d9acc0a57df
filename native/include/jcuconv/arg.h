/* The roles that a tensor can play. Names and order are those of the Java enum `Arg`. */
#ifndef JCUCONV_ARG_H
#define JCUCONV_ARG_H

typedef enum jcuconv_arg {
    JCUCONV_ARG_X, /* input */
    JCUCONV_ARG_X2, /* second input: of an addition, or the gates of a channel scale */
    JCUCONV_ARG_W, /* weights */
    JCUCONV_ARG_BIAS, /* one number per output channel */
    JCUCONV_ARG_Y, /* output */
    JCUCONV_ARG_RESIDUAL, /* tensor added in an epilogue */
    JCUCONV_ARG_DX, /* gradient of x */
    JCUCONV_ARG_DW, /* gradient of w */
    JCUCONV_ARG_DBIAS, /* gradient of bias */
    JCUCONV_ARG_DY, /* gradient of y */
    JCUCONV_ARG_ARGMAX, /* window offset r*S+s of each maximum */
    JCUCONV_ARG_SAVED, /* what a forward pass keeps */
    JCUCONV_ARG_GAMMA,
    JCUCONV_ARG_BETA,
    JCUCONV_ARG_DGAMMA,
    JCUCONV_ARG_DBETA,
    JCUCONV_ARG_RUNNING_MEAN,
    JCUCONV_ARG_RUNNING_VAR,
    JCUCONV_ARG_SAVE_MEAN,
    JCUCONV_ARG_SAVE_VAR,
    JCUCONV_ARG_LABELS, /* class numbers, int32 */
    JCUCONV_ARG_LOSS, /* one number */
    JCUCONV_ARG_LOSS_SCALE, /* one number */
    JCUCONV_ARG_HYPER, /* numbers of an optimizer, see jcuconv_optimizer */
    JCUCONV_ARG_M, /* first state of an optimizer */
    JCUCONV_ARG_V, /* second state of an optimizer */
    JCUCONV_ARG_W_STORAGE, /* 16-bit copy of the weights */
    JCUCONV_ARG_SEED, /* int32[4] of a dropout: seed low, seed high, step low, step high */
    JCUCONV_ARG_FLAG, /* one int32: 0 when every element is finite */
    JCUCONV_ARG_RATES, /* learning rate of each step, see jcuconv_step_control */
    JCUCONV_ARG_COUNTERS, /* int32[8], see jcuconv_step_control */
    JCUCONV_ARG_DX2, /* gradient of x2 */
    JCUCONV_ARG_SCALE, /* factor of an epilogue, one number per output channel */
    JCUCONV_ARG_COUNT
} jcuconv_arg;

#endif
