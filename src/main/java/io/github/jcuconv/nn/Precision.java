package io.github.jcuconv.nn;

import io.github.jcuconv.DataType;
import io.github.jcuconv.op.Products;
import java.util.Locale;

/** How activations and weights are stored; sums are always fp32, and a 16-bit training keeps fp32 master weights. */
public enum Precision {
    /** Everything fp32. */
    FP32(DataType.FP32),
    /** IEEE half precision with dynamic loss scaling. */
    FP16(DataType.FP16),
    /** bfloat16; its range is that of fp32, so the loss is not scaled. */
    BF16(DataType.BF16),
    /** Stored as fp32; convolutions and dense layers may multiply on tensor cores, see {@link Products#TF32}. */
    TF32(DataType.FP32);

    private final DataType storage;

    Precision(DataType storage) {
        this.storage = storage;
    }

    /** Type of activations and weights. */
    public DataType storage() {
        return storage;
    }

    /** How convolutions and dense layers may form products. */
    Products products() {
        return this == TF32 ? Products.TF32 : Products.EXACT;
    }

    /** The name on the command line. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * The precision of that name.
     *
     * @throws IllegalArgumentException if there is none
     */
    public static Precision parse(String label) {
        for (Precision p : values()) {
            if (p.label().equals(label)) {
                return p;
            }
        }
        throw new IllegalArgumentException("precision " + label + ": unknown; there are fp32, fp16, bf16, tf32");
    }
}
