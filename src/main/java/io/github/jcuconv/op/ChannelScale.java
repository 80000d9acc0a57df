package io.github.jcuconv.op;

import io.github.jcuconv.Dims;
import java.util.List;

/**
 * y[n, c, h, w] = x[n, c, h, w] * X2[n, c]: the gates of squeeze-and-excitation (Hu et al. 2017). BWD gives both gradients: DX = dy * x2 and
 * DX2[n, c] = the sum of dy * x over the pixels.
 *
 * @param x shape of x and y, N C H W; that of the gates is N C 1 1
 * @param types element types
 */
public record ChannelScale(Dims x, Types types) implements OpDescriptor {
    /** fp32. */
    public static ChannelScale of(Dims x) {
        return new ChannelScale(x, Types.FP32);
    }

    /** The same with these types. */
    public ChannelScale types(Types newTypes) {
        return new ChannelScale(x, newTypes);
    }

    /** Shape of the gates: N C 1 1. */
    public Dims x2() {
        return new Dims(x.n(), x.c(), 1, 1);
    }

    @Override
    public String name() {
        return "channel-scale";
    }

    @Override
    public List<Pass> passes() {
        return List.of(Pass.FWD, Pass.BWD);
    }

    @Override
    public List<ArgSpec> arguments(Pass pass) {
        ArgSpec input = ArgSpec.in(Arg.X, x, types.of(Arg.X));
        ArgSpec gates = ArgSpec.in(Arg.X2, x2(), types.of(Arg.X2));
        return switch (pass) {
            case FWD -> List.of(input, gates, ArgSpec.out(Arg.Y, x, types.of(Arg.Y)));
            case BWD ->
                List.of(
                        input,
                        gates,
                        ArgSpec.in(Arg.DY, x, types.of(Arg.DY)),
                        ArgSpec.out(Arg.DX, x, types.of(Arg.DX)),
                        ArgSpec.out(Arg.DX2, x2(), types.of(Arg.DX2)));
            default -> throw OpDescriptor.noSuchPass(this, pass);
        };
    }

    @Override
    public String problem() {
        return "n" + x.n() + "c" + x.c() + "h" + x.h() + "w" + x.w();
    }
}
