package io.github.jcuconv.op;

import static io.github.jcuconv.op.OpDescriptor.require;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Dims;
import java.util.ArrayList;
import java.util.List;

/**
 * Max-pooling. Training saves per output the offset r*S+s of its maximum in the window: one byte, INT32 for windows of more than 256
 * elements. The first maximum in row-major order wins, padding never wins. In ceil mode windows that start in the right or bottom padding are
 * dropped.
 *
 * @param x shape of the input, N C H W
 * @param window window size, strides, dilations, padding; padding must be smaller than the window
 * @param ceil whether the output size rounds up
 * @param types element types
 * @param phase inference or training
 */
public record MaxPool2d(Dims x, Window window, boolean ceil, Types types, Phase phase) implements OpDescriptor {
    /** Checks that each window holds at least one pixel. */
    public MaxPool2d {
        checkPool("max-pool2d", x, window, ceil);
    }

    /** fp32, floor mode, inference. */
    public static MaxPool2d of(Dims x, Window window) {
        return new MaxPool2d(x, window, false, Types.FP32, Phase.INFERENCE);
    }

    /** The same with the output size rounded up. */
    public MaxPool2d ceil(boolean newCeil) {
        return new MaxPool2d(x, window, newCeil, types, phase);
    }

    /** The same with these types. */
    public MaxPool2d types(Types newTypes) {
        return new MaxPool2d(x, window, ceil, newTypes, phase);
    }

    /** The same for this phase. */
    public MaxPool2d phase(Phase newPhase) {
        return new MaxPool2d(x, window, ceil, types, newPhase);
    }

    /** Shape of the output: N C P Q. */
    public Dims y() {
        return pooled(x, window, ceil);
    }

    /** Type of the saved offsets. */
    public DataType argmaxType() {
        return window.r() * window.s() <= 256 ? DataType.UINT8 : DataType.INT32;
    }

    @Override
    public String name() {
        return "max-pool2d";
    }

    @Override
    public List<Pass> passes() {
        return List.of(Pass.FWD, Pass.BWD);
    }

    @Override
    public List<ArgSpec> arguments(Pass pass) {
        List<ArgSpec> args = new ArrayList<>();
        switch (pass) {
            case FWD -> {
                args.add(ArgSpec.in(Arg.X, x, types.of(Arg.X)));
                args.add(ArgSpec.out(Arg.Y, y(), types.of(Arg.Y)));
                if (phase == Phase.TRAINING) {
                    args.add(ArgSpec.out(Arg.ARGMAX, y(), argmaxType()));
                }
            }
            case BWD -> {
                args.add(ArgSpec.in(Arg.DY, y(), types.of(Arg.DY)));
                args.add(ArgSpec.in(Arg.ARGMAX, y(), argmaxType()));
                args.add(ArgSpec.out(Arg.DX, x, types.of(Arg.DX)));
            }
            default -> throw OpDescriptor.noSuchPass(this, pass);
        }
        return List.copyOf(args);
    }

    @Override
    public String problem() {
        return "n" + x.n() + "c" + x.c() + "h" + x.h() + "w" + x.w() + window.letters() + (ceil ? "ceil1" : "");
    }

    static Dims pooled(Dims x, Window window, boolean ceil) {
        return new Dims(
                x.n(),
                x.c(),
                ceil ? window.ceilHeight(x.h()) : window.outputHeight(x.h()),
                ceil ? window.ceilWidth(x.w()) : window.outputWidth(x.w()));
    }

    static void checkPool(String name, Dims x, Window window, boolean ceil) {
        Padding p = window.padding();
        int rows = ceil ? window.ceilHeight(x.h()) : window.outputHeight(x.h());
        int columns = ceil ? window.ceilWidth(x.w()) : window.outputWidth(x.w());
        require(
                rows >= 1 && columns >= 1,
                name + ": the window " + window.spanH() + "x" + window.spanW() + " is larger than the padded input of "
                        + x);
        require(
                p.top() < window.spanH()
                        && p.left() < window.spanW()
                        && p.bottom() < window.spanH()
                        && p.right() < window.spanW(),
                name + ": padding must be smaller than the window, so that each window sees a pixel");
        require(
                seesPixels(rows, x.h(), window.r(), window.strideH(), window.dilationH(), p.top())
                        && seesPixels(columns, x.w(), window.s(), window.strideW(), window.dilationW(), p.left()),
                name + ": a dilated window of " + window.spanH() + "x" + window.spanW()
                        + " falls between the pixels of " + x + "; take less padding or dilation");
    }

    /** Along one axis: whether the first element of each window that is no padding before the image lies in it. */
    private static boolean seesPixels(int outputs, int size, int window, int stride, int dilation, int before) {
        for (int p = 0; p < outputs; p++) {
            int start = p * stride - before;
            int first = start >= 0 ? 0 : (-start + dilation - 1) / dilation;
            if (first >= window || start + first * dilation >= size) {
                return false;
            }
        }
        return true;
    }
}
