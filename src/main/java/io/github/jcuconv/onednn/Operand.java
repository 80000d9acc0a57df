package io.github.jcuconv.onednn;

import io.github.jcuconv.Arguments;
import io.github.jcuconv.Memory;
import io.github.jcuconv.op.Arg;
import java.nio.ByteBuffer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Where a step finds a tensor at run time: an argument, or a piece of the caller's workspace.
 *
 * @param arg the argument, null for workspace
 * @param offset byte offset in the workspace, 0 for arguments
 * @param sliceBytes bytes from one slice of the batch to the next, 0 for what all slices share
 */
record Operand(@Nullable Arg arg, long offset, long sliceBytes) {
    /** An argument of an operation whose batch is not cut. */
    static Operand whole(Arg arg) {
        return new Operand(arg, 0, 0);
    }

    long address(Arguments args, @Nullable Memory workspace, int slice) {
        return arg != null
                ? args.get(arg).address() + slice * sliceBytes
                : Objects.requireNonNull(workspace).address() + offset;
    }

    /** Where it begins in {@link #host}. */
    long begin(int slice) {
        return offset + slice * sliceBytes;
    }

    /** The buffer that holds it, beginning {@link #begin} bytes before it. */
    ByteBuffer host(Arguments args, @Nullable Memory workspace) {
        return arg != null
                ? args.get(arg).host()
                : Objects.requireNonNull(workspace).host();
    }
}
