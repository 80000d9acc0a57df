package io.github.jcuconv.op;

/** The passes that an operation can have; each is planned on its own. */
public enum Pass {
    /** Forward of an operation with weights: x, w to y. */
    FPROP,
    /** Gradient with respect to the input: dy, w to dx. */
    DGRAD,
    /** Gradient with respect to the weights (and the bias, where the epilogue has one): x, dy to dw, dbias. */
    WGRAD,
    /** Gradient with respect to the bias alone: dy to dbias. */
    DBIAS,
    /** Forward of an operation without weights. */
    FWD,
    /** Backward of an operation without weights. */
    BWD,
    /** In-place update of parameters. */
    UPDATE
}
