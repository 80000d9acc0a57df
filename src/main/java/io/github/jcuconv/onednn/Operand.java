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
 */
record Operand(@Nullable Arg arg, long offset) {
    long address(Arguments args, @Nullable Memory workspace) {
        return arg != null
                ? args.get(arg).address()
                : Objects.requireNonNull(workspace).address() + offset;
    }

    /** The buffer that holds it, beginning {@link #offset} bytes before it. */
    ByteBuffer host(Arguments args, @Nullable Memory workspace) {
        return arg != null
                ? args.get(arg).host()
                : Objects.requireNonNull(workspace).host();
    }
}
