package io.github.jcuconv.op;

/**
 * How the products of fp32 operands in a convolution or dense layer may be formed. A permission: an engine or a GPU without such units computes
 * exactly, and fp16 and bf16 operands, whose products are exact in fp32, ignore it.
 */
public enum Products {
    /** In fp32. */
    EXACT,
    /** On tensor cores in one term: both operands rounded to 11 bits. Each product is off by at most 2^-10. */
    TF32,
    /**
     * On tensor cores in three terms, each operand being the sum of two such roundings. Each product is off by at most 3 * 2^-22; an infinity or
     * NaN among the operands makes every sum that it enters NaN.
     */
    TF32X3
}
