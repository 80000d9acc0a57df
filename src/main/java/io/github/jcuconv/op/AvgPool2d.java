package io.github.jcuconv.op;

import io.github.jcuconv.Dims;
import java.util.List;

/**
 * Average pooling.
 *
 * @param x shape of the input, N C H W
 * @param window window size, strides, padding; dilation 1
 * @param ceil whether the output size rounds up
 * @param countPadding whether padding counts in the divisor (it adds zeros); parts of a window beyond the padding never count
 * @param types element types
 */
public record AvgPool2d(Dims x, Window window, boolean ceil, boolean countPadding, Types types)
        implements OpDescriptor {
    /** Checks that each window holds at least one pixel and is dense. */
    public AvgPool2d {
        MaxPool2d.checkPool("avg-pool2d", x, window, ceil);
        OpDescriptor.require(window.dilationH() == 1 && window.dilationW() == 1, "avg-pool2d: dilation must be 1");
    }

    /** fp32, floor mode, padding not counted. */
    public static AvgPool2d of(Dims x, Window window) {
        return new AvgPool2d(x, window, false, false, Types.FP32);
    }

    /** One average per channel over the whole image. */
    public static AvgPool2d global(Dims x) {
        return of(x, Window.of(x.h(), x.w()));
    }

    /** The same with the output size rounded up. */
    public AvgPool2d ceil(boolean newCeil) {
        return new AvgPool2d(x, window, newCeil, countPadding, types);
    }

    /** The same with padding counted or not. */
    public AvgPool2d countPadding(boolean count) {
        return new AvgPool2d(x, window, ceil, count, types);
    }

    /** The same with these types. */
    public AvgPool2d types(Types newTypes) {
        return new AvgPool2d(x, window, ceil, countPadding, newTypes);
    }

    /** Shape of the output: N C P Q. */
    public Dims y() {
        return MaxPool2d.pooled(x, window, ceil);
    }

    @Override
    public String name() {
        return "avg-pool2d";
    }

    @Override
    public List<Pass> passes() {
        return List.of(Pass.FWD, Pass.BWD);
    }

    @Override
    public List<ArgSpec> arguments(Pass pass) {
        return switch (pass) {
            case FWD -> List.of(ArgSpec.in(Arg.X, x, types.of(Arg.X)), ArgSpec.out(Arg.Y, y(), types.of(Arg.Y)));
            case BWD -> List.of(ArgSpec.in(Arg.DY, y(), types.of(Arg.DY)), ArgSpec.out(Arg.DX, x, types.of(Arg.DX)));
            default -> throw OpDescriptor.noSuchPass(this, pass);
        };
    }

    @Override
    public String problem() {
        return "n" + x.n() + "c" + x.c() + "h" + x.h() + "w" + x.w() + window.letters() + (ceil ? "ceil1" : "")
                + (countPadding ? "count1" : "");
    }
}
