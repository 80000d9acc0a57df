package io.github.jcuconv.op;

/** The roles that a tensor can play in an operation; {@link OpDescriptor#arguments} says which a pass takes. */
public enum Arg {
    /** Input. */
    X,
    /** Second input of {@link Add}; the gates of {@link ChannelScale}. */
    X2,
    /** Weights. */
    W,
    /** Bias, one number per output channel. */
    BIAS,
    /** Output. */
    Y,
    /** Tensor added in the epilogue, shaped like Y. */
    RESIDUAL,
    /** Gradient of X. */
    DX,
    /** Gradient of W. */
    DW,
    /** Gradient of BIAS. */
    DBIAS,
    /** Gradient of Y. */
    DY,
    /** Window offset r*S+s of each maximum. */
    ARGMAX,
    /** What {@link Lrn} keeps for its backward pass. */
    SAVED,
    /** Batch-norm factor per channel. */
    GAMMA,
    /** Batch-norm shift per channel. */
    BETA,
    /** Gradient of GAMMA. */
    DGAMMA,
    /** Gradient of BETA. */
    DBETA,
    /** Batch-norm running mean. */
    RUNNING_MEAN,
    /** Batch-norm running variance. */
    RUNNING_VAR,
    /** Batch-norm mean of this batch. */
    SAVE_MEAN,
    /** Batch-norm (biased) variance of this batch. */
    SAVE_VAR,
    /** Class numbers. */
    LABELS,
    /** Mean loss, one number. */
    LOSS,
    /** Factor on the gradient of the loss, one number. */
    LOSS_SCALE,
    /** Numbers of the optimizer, see {@link Hyper}. */
    HYPER,
    /** First state of an optimizer: momentum. */
    M,
    /** Second state of an optimizer: mean square. */
    V,
    /** 16-bit copy of the weights that an optimizer writes beside the fp32 ones. */
    W_STORAGE,
    /** Seed and counter of {@link Dropout}. */
    SEED,
    /** One INT32: 0 when every element is finite, 1 otherwise. */
    FLAG,
    /** Learning rate of each step of a training. */
    RATES,
    /** Counters of a training: steps, updates, good steps. */
    COUNTERS,
    /** Gradient of X2. */
    DX2,
    /** Factor of an epilogue, one number per output channel. */
    SCALE
}
