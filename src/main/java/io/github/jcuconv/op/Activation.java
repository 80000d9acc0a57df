package io.github.jcuconv.op;

import io.github.jcuconv.Dims;
import java.util.List;

/**
 * An elementwise activation. Backward needs only y, so x may be overwritten: Y may be X, and DX may be DY.
 *
 * @param x shape, N C H W
 * @param kind the function
 * @param types element types
 */
public record Activation(Dims x, Kind kind, Types types) implements OpDescriptor {
    /** The functions. */
    public enum Kind {
        /** max(0, x); its gradient at 0 is 0. */
        RELU,
        /** tanh(x). */
        TANH,
        /** 1 / (1 + exp(-x)). */
        SIGMOID
    }

    /** fp32. */
    public static Activation of(Dims x, Kind kind) {
        return new Activation(x, kind, Types.FP32);
    }

    /** The same with these types. */
    public Activation types(Types newTypes) {
        return new Activation(x, kind, newTypes);
    }

    @Override
    public String name() {
        return "activation";
    }

    @Override
    public List<Pass> passes() {
        return List.of(Pass.FWD, Pass.BWD);
    }

    @Override
    public List<ArgSpec> arguments(Pass pass) {
        return switch (pass) {
            case FWD -> List.of(ArgSpec.in(Arg.X, x, types.of(Arg.X)), ArgSpec.out(Arg.Y, x, types.of(Arg.Y)));
            case BWD ->
                List.of(
                        ArgSpec.in(Arg.Y, x, types.of(Arg.Y)),
                        ArgSpec.in(Arg.DY, x, types.of(Arg.DY)),
                        ArgSpec.out(Arg.DX, x, types.of(Arg.DX)));
            default -> throw OpDescriptor.noSuchPass(this, pass);
        };
    }

    @Override
    public boolean mayAlias(Arg a, Arg b) {
        return a == Arg.Y && b == Arg.X || a == Arg.DX && b == Arg.DY;
    }

    @Override
    public String problem() {
        return "n" + x.n() + "c" + x.c() + "h" + x.h() + "w" + x.w()
                + kind.name().toLowerCase(java.util.Locale.ROOT) + "1";
    }
}
