package io.github.jcuconv.op;

import io.github.jcuconv.Dims;
import java.util.List;

/**
 * y = x + x2, rounded once. Its gradient is dy for both inputs, so it needs no backward pass. Y may be X or X2.
 *
 * @param x shape of all three, N C H W
 * @param types element types
 */
public record Add(Dims x, Types types) implements OpDescriptor {
    /** fp32. */
    public static Add of(Dims x) {
        return new Add(x, Types.FP32);
    }

    /** The same with these types. */
    public Add types(Types newTypes) {
        return new Add(x, newTypes);
    }

    @Override
    public String name() {
        return "add";
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
        return List.of(
                ArgSpec.in(Arg.X, x, types.of(Arg.X)),
                ArgSpec.in(Arg.X2, x, types.of(Arg.X2)),
                ArgSpec.out(Arg.Y, x, types.of(Arg.Y)));
    }

    @Override
    public boolean mayAlias(Arg a, Arg b) {
        return a == Arg.Y && (b == Arg.X || b == Arg.X2);
    }

    @Override
    public String problem() {
        return "n" + x.n() + "c" + x.c() + "h" + x.h() + "w" + x.w();
    }
}
