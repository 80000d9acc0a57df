package io.github.jcuconv.cudnn;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Dims;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.Conv2d;
import io.github.jcuconv.op.ConvTranspose2d;
import io.github.jcuconv.op.Dense;
import io.github.jcuconv.op.Epilogue;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.Types;
import io.github.jcuconv.op.Window;

/**
 * The convolution inside an operation, as cuDNN sees it: x is what the window slides over. For a transposed convolution that is the operation's
 * output.
 *
 * @param x shape of the larger image
 * @param w shape of the filters
 * @param y shape of the smaller image
 * @param window sizes, strides, dilations, padding
 * @param groups groups
 * @param types the operation's types
 * @param epilogue the operation's epilogue
 * @param transposed whether the operation goes from y to x
 */
record Convolution(
        Dims x, Dims w, Dims y, Window window, int groups, Types types, Epilogue epilogue, boolean transposed) {
    static Convolution of(Conv2d op) {
        return new Convolution(op.x(), op.w(), op.y(), op.window(), op.groups(), op.types(), op.epilogue(), false);
    }

    static Convolution of(ConvTranspose2d op) {
        return new Convolution(op.y(), op.w(), op.x(), op.window(), op.groups(), op.types(), op.epilogue(), true);
    }

    /** One pixel of C*H*W channels. */
    static Convolution of(Dense op) {
        int channels = Math.toIntExact(op.x().perImage());
        Dims x = new Dims(op.x().n(), channels, 1, 1);
        Dims w = new Dims(op.k(), channels, 1, 1);
        return new Convolution(x, w, op.y(), Window.of(1, 1), 1, op.types(), op.epilogue(), false);
    }

    DataType type() {
        return types.storage();
    }

    /** Whether it is a matrix product over the pixels. */
    boolean isPointwise() {
        return !transposed && groups == 1 && window.equals(Window.of(1, 1));
    }

    /** Which of cuDNN's functions a pass is. */
    ConvFunction function(Pass pass) {
        if (pass == Pass.WGRAD) {
            return new ConvBackwardFilter();
        }
        return (pass == Pass.FPROP) == transposed ? new ConvBackwardData() : new ConvForward();
    }

    /** The argument that plays x. */
    Arg argX(Pass pass) {
        return transposed ? output(pass) : input(pass);
    }

    /** The argument that plays y. */
    Arg argY(Pass pass) {
        return transposed ? input(pass) : output(pass);
    }

    /** The argument that plays w. */
    static Arg argW(Pass pass) {
        return pass == Pass.WGRAD ? Arg.DW : Arg.W;
    }

    private static Arg input(Pass pass) {
        return pass == Pass.DGRAD ? Arg.DX : Arg.X;
    }

    private static Arg output(Pass pass) {
        return pass == Pass.FPROP ? Arg.Y : Arg.DY;
    }

    /** The problem as a key: sizes and types, nothing else. */
    String key() {
        return "x" + x + " w" + w + " y" + y + " " + window + " g" + groups + " " + type();
    }
}
