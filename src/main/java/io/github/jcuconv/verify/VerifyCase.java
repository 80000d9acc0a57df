package io.github.jcuconv.verify;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Layout;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Pass;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * One thing to verify.
 *
 * @param name of the shape
 * @param shape as a shape line, for the rerun line
 * @param op the operation
 * @param storage its storage type
 * @param pass the pass
 * @param accumulate whether gradients are added to what is there
 * @param data what the inputs hold
 * @param known layout of the neighbours that the engine is told, null for none
 * @param seed of the inputs
 */
public record VerifyCase(
        String name,
        String shape,
        OpDescriptor op,
        DataType storage,
        Pass pass,
        boolean accumulate,
        Data data,
        Layout.@Nullable Plain known,
        long seed) {
    /** What the inputs hold. */
    public enum Data {
        /** Small integers: every sum is exact in fp32. */
        EXACT,
        /** Normally distributed numbers, rounded to the type. */
        REAL
    }

    /** A case with engine-chosen layouts that overwrites its outputs. */
    public static VerifyCase of(ShapeLine line, OpDescriptor op, DataType storage, Pass pass, Data data, long seed) {
        return new VerifyCase(line.name(), line.shape(), op, storage, pass, false, data, null, seed);
    }

    /** The same, adding to the gradients or not. */
    public VerifyCase accumulate(boolean newAccumulate) {
        return new VerifyCase(name, shape, op, storage, pass, newAccumulate, data, known, seed);
    }

    /** The same, with this layout told to the engine for every image and filter. */
    public VerifyCase known(Layout.@Nullable Plain newKnown) {
        return new VerifyCase(name, shape, op, storage, pass, accumulate, data, newKnown, seed);
    }

    /** The same on other data. */
    public VerifyCase seed(long newSeed) {
        return new VerifyCase(name, shape, op, storage, pass, accumulate, data, known, newSeed);
    }

    /** The command that runs this shape and pass again. */
    public String rerunLine(String engine) {
        return "./jcuconv verify --engine " + engine + " --op " + op.name() + " --pass " + lower(pass) + " --dtype "
                + lower(storage) + " --seed " + seed + " --shapes " + shape;
    }

    @Override
    public String toString() {
        return op.name() + " " + lower(pass) + " " + lower(storage) + " " + name + " " + lower(data)
                + (accumulate ? " accumulate" : "") + (known == null ? "" : " " + lower(known));
    }

    private static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
