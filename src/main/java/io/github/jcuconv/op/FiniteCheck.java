package io.github.jcuconv.op;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Dims;
import java.util.List;

/**
 * Sets FLAG to 1 if an element of X is infinite or NaN, to 0 otherwise: how mixed precision finds an overflow.
 *
 * @param x shape, any
 * @param type type of X
 */
public record FiniteCheck(Dims x, DataType type) implements OpDescriptor {
    @Override
    public String name() {
        return "finite-check";
    }

    @Override
    public List<Pass> passes() {
        return List.of(Pass.FWD);
    }

    @Override
    public List<ArgSpec> arguments(Pass pass) {
        if (pass != Pass.FWD) {
            throw OpDescriptor.noSuchPass(this, pass);
        }
        return List.of(ArgSpec.in(Arg.X, x, type), ArgSpec.out(Arg.FLAG, Dims.vector(1), DataType.INT32));
    }

    @Override
    public String problem() {
        return "n" + x.n() + "c" + x.c() + "h" + x.h() + "w" + x.w();
    }
}
