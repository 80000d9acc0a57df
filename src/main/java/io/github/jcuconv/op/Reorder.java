package io.github.jcuconv.op;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Dims;
import java.util.List;

/**
 * Copies a tensor into another layout, another type, or both; rounds to nearest even. The layouts are chosen in the {@link PlanRequest}. An
 * output layout's padding is written as zeros.
 *
 * @param x shape
 * @param from type of X
 * @param to type of Y
 */
public record Reorder(Dims x, DataType from, DataType to) implements OpDescriptor {
    @Override
    public String name() {
        return "reorder";
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
        return List.of(ArgSpec.in(Arg.X, x, from), ArgSpec.out(Arg.Y, x, to));
    }

    @Override
    public String problem() {
        return "n" + x.n() + "c" + x.c() + "h" + x.h() + "w" + x.w();
    }
}
