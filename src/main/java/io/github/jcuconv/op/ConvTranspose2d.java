package io.github.jcuconv.op;

import static io.github.jcuconv.op.OpDescriptor.require;

import io.github.jcuconv.Dims;
import java.util.List;

/**
 * Transposed convolution: its forward pass is the data gradient of the {@link Conv2d} with the same window that maps y's shape to x's, without
 * inserted zeros. Filters are (C, k/G, R, S) as PyTorch and that convolution lay them out.
 *
 * <p>P = (H - 1) * strideH - top - bottom + spanH + outputPadH, Q likewise.
 *
 * @param x shape of the input, N C H W
 * @param k output channels, a multiple of {@code groups}
 * @param window filter size, strides, dilations, padding (cut off the output)
 * @param outputPadH extra rows at the bottom, smaller than strideH or dilationH
 * @param outputPadW extra columns at the right, smaller than strideW or dilationW
 * @param groups groups, a divisor of C and k
 * @param types element types
 * @param epilogue steps before y is stored
 */
public record ConvTranspose2d(
        Dims x, int k, Window window, int outputPadH, int outputPadW, int groups, Types types, Epilogue epilogue)
        implements OpDescriptor {
    /** Checks groups, output padding, and that something is left of the output. */
    public ConvTranspose2d {
        require(k >= 1, "conv-transpose2d: k is " + k + ", must be at least 1");
        require(
                groups >= 1 && x.c() % groups == 0 && k % groups == 0,
                "conv-transpose2d: groups " + groups + " must divide C = " + x.c() + " and K = " + k);
        require(
                outputPadH >= 0
                        && outputPadW >= 0
                        && outputPadH < Math.max(window.strideH(), window.dilationH())
                        && outputPadW < Math.max(window.strideW(), window.dilationW()),
                "conv-transpose2d: output padding " + outputPadH + "x" + outputPadW
                        + " must be smaller than the stride or the dilation");
        require(
                height(x, window, outputPadH) >= 1 && width(x, window, outputPadW) >= 1,
                "conv-transpose2d: the padding cuts the whole output of " + x + " away; take less padding");
    }

    /** One group, fp32, no output padding, no epilogue. */
    public static ConvTranspose2d of(Dims x, int k, Window window) {
        return new ConvTranspose2d(x, k, window, 0, 0, 1, Types.FP32, Epilogue.NONE);
    }

    /** The same with this output padding. */
    public ConvTranspose2d outputPad(int vertical, int horizontal) {
        return new ConvTranspose2d(x, k, window, vertical, horizontal, groups, types, epilogue);
    }

    /** The same with this many groups. */
    public ConvTranspose2d groups(int newGroups) {
        return new ConvTranspose2d(x, k, window, outputPadH, outputPadW, newGroups, types, epilogue);
    }

    /** The same with these types. */
    public ConvTranspose2d types(Types newTypes) {
        return new ConvTranspose2d(x, k, window, outputPadH, outputPadW, groups, newTypes, epilogue);
    }

    /** The same with this epilogue. */
    public ConvTranspose2d epilogue(Epilogue newEpilogue) {
        return new ConvTranspose2d(x, k, window, outputPadH, outputPadW, groups, types, newEpilogue);
    }

    private static int height(Dims x, Window w, int outputPad) {
        return (x.h() - 1) * w.strideH() - w.padding().top() - w.padding().bottom() + w.spanH() + outputPad;
    }

    private static int width(Dims x, Window w, int outputPad) {
        return (x.w() - 1) * w.strideW() - w.padding().left() - w.padding().right() + w.spanW() + outputPad;
    }

    /** Shape of the output: N K P Q. */
    public Dims y() {
        return new Dims(x.n(), k, height(x, window, outputPadH), width(x, window, outputPadW));
    }

    /** Shape of the filters: C k/G R S. */
    public Dims w() {
        return new Dims(x.c(), k / groups, window.r(), window.s());
    }

    @Override
    public String name() {
        return "conv-transpose2d";
    }

    @Override
    public List<Pass> passes() {
        return List.of(Pass.FPROP, Pass.DGRAD, Pass.WGRAD, Pass.DBIAS);
    }

    @Override
    public List<ArgSpec> arguments(Pass pass) {
        return Conv2d.weighted(this, pass, x, w(), y(), k, types, epilogue);
    }

    @Override
    public long multiplyAdds() {
        return x.count() * w().perImage();
    }

    @Override
    public String problem() {
        return "n" + x.n() + "c" + x.c() + "h" + x.h() + "w" + x.w() + "k" + k + window.letters() + "g" + groups + "oh"
                + outputPadH + "ow" + outputPadW;
    }
}
