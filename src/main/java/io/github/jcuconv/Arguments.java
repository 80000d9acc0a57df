package io.github.jcuconv;

import io.github.jcuconv.op.Arg;
import org.jspecify.annotations.Nullable;

/**
 * The memory bound to the roles of a pass. Make it once, execute often: neither {@link #set} nor reading allocates. One thread at a time may
 * change it.
 */
public final class Arguments {
    private static final int ROLES = Arg.values().length;
    private final @Nullable Memory[] memory = new @Nullable Memory[ROLES];
    private final long[] table = new long[2 * ROLES];

    /** Nothing bound yet. */
    public Arguments() {}

    /** Binds a role, replacing what was bound. */
    public Arguments set(Arg arg, Memory value) {
        memory[arg.ordinal()] = value;
        table[2 * arg.ordinal()] = value.address();
        table[2 * arg.ordinal() + 1] = value.bytes();
        return this;
    }

    /** Address and bytes of every role, in the order of {@link Arg}, 0 where nothing is bound: for engines, which must not change it. */
    public long[] table() {
        return table;
    }

    /**
     * The memory of a role.
     *
     * @throws IllegalArgumentException if nothing is bound
     */
    public Memory get(Arg arg) {
        Memory value = memory[arg.ordinal()];
        if (value == null) {
            throw new IllegalArgumentException("argument " + arg + " is missing; bind it with Arguments.set");
        }
        return value;
    }
}
