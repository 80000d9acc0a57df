package io.github.jcuconv.op;

import static io.github.jcuconv.op.OpDescriptor.require;

import io.github.jcuconv.Dims;
import java.util.List;

/**
 * One input of a concatenation along C: FWD writes x into channels {@code offset .. offset + C} of y and leaves the others as they are; BWD
 * reads the same channels of dy into dx. A concatenation is one such copy per input, so any number of inputs works.
 *
 * @param x shape of this input, N C H W
 * @param channels channels of y
 * @param offset first channel of y that x fills
 * @param types element types
 */
public record Concat(Dims x, int channels, int offset, Types types) implements OpDescriptor {
    /** Checks that the range lies inside y. */
    public Concat {
        require(
                offset >= 0 && offset + x.c() <= channels,
                "concat: channels " + offset + ".." + (offset + x.c()) + " do not lie inside 0.." + channels);
    }

    /** fp32. */
    public static Concat of(Dims x, int channels, int offset) {
        return new Concat(x, channels, offset, Types.FP32);
    }

    /** The same with these types. */
    public Concat types(Types newTypes) {
        return new Concat(x, channels, offset, newTypes);
    }

    /** Shape of the whole: N channels H W. */
    public Dims y() {
        return new Dims(x.n(), channels, x.h(), x.w());
    }

    @Override
    public String name() {
        return "concat";
    }

    @Override
    public List<Pass> passes() {
        return List.of(Pass.FWD, Pass.BWD);
    }

    @Override
    public List<ArgSpec> arguments(Pass pass) {
        return switch (pass) {
            case FWD -> List.of(ArgSpec.in(Arg.X, x, types.of(Arg.X)), ArgSpec.inout(Arg.Y, y(), types.of(Arg.Y)));
            case BWD -> List.of(ArgSpec.in(Arg.DY, y(), types.of(Arg.DY)), ArgSpec.out(Arg.DX, x, types.of(Arg.DX)));
            default -> throw OpDescriptor.noSuchPass(this, pass);
        };
    }

    @Override
    public String problem() {
        return "n" + x.n() + "c" + x.c() + "h" + x.h() + "w" + x.w() + "k" + channels + "offset" + offset;
    }
}
