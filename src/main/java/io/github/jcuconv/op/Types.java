package io.github.jcuconv.op;

import io.github.jcuconv.DataType;
import java.util.EnumMap;
import java.util.Map;

/**
 * The element type of every tensor of an operation. By default x x2 w y dx dx2 dy and the residual have the storage type, ARGMAX is UINT8, labels,
 * seeds and flags are INT32, and all the rest (bias, scale, dw, dbias, batch-norm parameters and statistics, loss, optimizer state) is FP32.
 * Accumulation is always fp32.
 *
 * @param storage type of activations and weights: FP32, FP16 or BF16
 * @param overrides types that differ from the default
 * @param products how products of fp32 operands may be formed
 */
public record Types(DataType storage, Map<Arg, DataType> overrides, Products products) {
    /** All fp32. */
    public static final Types FP32 = of(DataType.FP32);

    /** Copies the overrides and checks that the storage type is a floating one. */
    public Types {
        if (!storage.isFloating()) {
            throw new IllegalArgumentException("storage type " + storage + ": must be FP32, FP16 or BF16");
        }
        overrides = Map.copyOf(overrides);
    }

    /** The defaults for this storage type. */
    public static Types of(DataType storage) {
        return new Types(storage, Map.of(), Products.EXACT);
    }

    /** The same with another type for one argument. */
    public Types with(Arg arg, DataType type) {
        Map<Arg, DataType> copy = new EnumMap<>(Arg.class);
        copy.putAll(overrides);
        copy.put(arg, type);
        return new Types(storage, copy, products);
    }

    /** The same with products formed this way. */
    public Types products(Products newProducts) {
        return new Types(storage, overrides, newProducts);
    }

    /** The type of an argument. */
    public DataType of(Arg arg) {
        DataType override = overrides.get(arg);
        if (override != null) {
            return override;
        }
        return switch (arg) {
            case X, X2, W, Y, RESIDUAL, DX, DX2, DY, W_STORAGE -> storage;
            case ARGMAX -> DataType.UINT8;
            case LABELS, SEED, FLAG, COUNTERS -> DataType.INT32;
            default -> DataType.FP32;
        };
    }
}
