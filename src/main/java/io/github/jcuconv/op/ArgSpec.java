package io.github.jcuconv.op;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Dims;

/**
 * One argument of a pass.
 *
 * @param arg its role
 * @param dims its logical shape
 * @param type its element type
 * @param access whether the pass reads or writes it
 */
public record ArgSpec(Arg arg, Dims dims, DataType type, Access access) {
    /** How a pass uses an argument. */
    public enum Access {
        /** Only read. */
        IN,
        /** Only written, every element. */
        OUT,
        /** Read and written in place. */
        INOUT
    }

    static ArgSpec in(Arg arg, Dims dims, DataType type) {
        return new ArgSpec(arg, dims, type, Access.IN);
    }

    static ArgSpec out(Arg arg, Dims dims, DataType type) {
        return new ArgSpec(arg, dims, type, Access.OUT);
    }

    static ArgSpec inout(Arg arg, Dims dims, DataType type) {
        return new ArgSpec(arg, dims, type, Access.INOUT);
    }
}
