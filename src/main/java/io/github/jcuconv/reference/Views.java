package io.github.jcuconv.reference;

import io.github.jcuconv.op.Arg;
import org.jspecify.annotations.Nullable;

/** The tensors that one execution of a pass reads and writes. */
public final class Views {
    private final @Nullable Tensor[] tensors = new @Nullable Tensor[Arg.values().length];

    /** Binds a role. */
    public Views set(Arg arg, Tensor tensor) {
        tensors[arg.ordinal()] = tensor;
        return this;
    }

    /** Whether a role is bound. */
    public boolean has(Arg arg) {
        return tensors[arg.ordinal()] != null;
    }

    /** The tensor of a role. */
    public Tensor get(Arg arg) {
        Tensor tensor = tensors[arg.ordinal()];
        if (tensor == null) {
            throw new IllegalArgumentException("argument " + arg + " is missing");
        }
        return tensor;
    }
}
