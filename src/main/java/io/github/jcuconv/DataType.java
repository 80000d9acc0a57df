package io.github.jcuconv;

/** The element types of tensors. */
public enum DataType {
    /** IEEE binary32. */
    FP32(4, true),
    /** IEEE binary16. */
    FP16(2, true),
    /** The upper half of binary32 (bfloat16). */
    BF16(2, true),
    /** Signed 32-bit integers: labels, seeds. */
    INT32(4, false),
    /** Unsigned bytes: the argmax of max-pool. */
    UINT8(1, false);

    private final int bytes;
    private final boolean floating;

    DataType(int bytes, boolean floating) {
        this.bytes = bytes;
        this.floating = floating;
    }

    /** Bytes of one element. */
    public int bytes() {
        return bytes;
    }

    /** Whether this is a floating-point type. */
    public boolean isFloating() {
        return floating;
    }
}
