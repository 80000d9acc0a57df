package io.github.jcuconv.op;

/**
 * A sliding window: the geometry that convolution and pooling share.
 *
 * @param r height of the window
 * @param s width of the window
 * @param strideH vertical stride
 * @param strideW horizontal stride
 * @param dilationH vertical distance of window elements, 1 for a dense window
 * @param dilationW horizontal distance of window elements
 * @param padding rows and columns around the input
 */
public record Window(int r, int s, int strideH, int strideW, int dilationH, int dilationW, Padding padding) {
    /** Checks that sizes, strides and dilations are at least 1. */
    public Window {
        if (r < 1 || s < 1 || strideH < 1 || strideW < 1 || dilationH < 1 || dilationW < 1) {
            throw new IllegalArgumentException("window " + r + "x" + s + " stride " + strideH + "x" + strideW
                    + " dilation " + dilationH + "x" + dilationW + ": every number must be at least 1");
        }
    }

    /** A dense r x s window with stride 1 and no padding. */
    public static Window of(int r, int s) {
        return new Window(r, s, 1, 1, 1, 1, Padding.NONE);
    }

    /** The same window with these strides. */
    public Window stride(int vertical, int horizontal) {
        return new Window(r, s, vertical, horizontal, dilationH, dilationW, padding);
    }

    /** The same window with these dilations. */
    public Window dilation(int vertical, int horizontal) {
        return new Window(r, s, strideH, strideW, vertical, horizontal, padding);
    }

    /** The same window with this padding. */
    public Window pad(Padding newPadding) {
        return new Window(r, s, strideH, strideW, dilationH, dilationW, newPadding);
    }

    /** The same window with TensorFlow's SAME padding for an input of h x w. */
    public Window same(int h, int w) {
        return pad(Padding.same(h, w, r, s, strideH, strideW, dilationH, dilationW));
    }

    /** Rows that the dilated window spans. */
    public int spanH() {
        return (r - 1) * dilationH + 1;
    }

    /** Columns that the dilated window spans. */
    public int spanW() {
        return (s - 1) * dilationW + 1;
    }

    /** P: floor((h + top + bottom - spanH) / strideH) + 1; below 1 when the window does not fit. */
    public int outputHeight(int h) {
        return Math.floorDiv(h + padding.top() + padding.bottom() - spanH(), strideH) + 1;
    }

    /** Q: floor((w + left + right - spanW) / strideW) + 1; below 1 when the window does not fit. */
    public int outputWidth(int w) {
        return Math.floorDiv(w + padding.left() + padding.right() - spanW(), strideW) + 1;
    }

    /** P in ceil mode: windows that start in the bottom padding or beyond are dropped. */
    public int ceilHeight(int h) {
        return ceil(h, padding.top(), padding.bottom(), spanH(), strideH);
    }

    /** Q in ceil mode: windows that start in the right padding or beyond are dropped. */
    public int ceilWidth(int w) {
        return ceil(w, padding.left(), padding.right(), spanW(), strideW);
    }

    private static int ceil(int size, int before, int after, int span, int stride) {
        int out = -Math.floorDiv(-(size + before + after - span), stride) + 1;
        return (out - 1) * stride >= size + before ? out - 1 : out;
    }

    /** The window as letters of a shape line: {@code r3s3u1v1pt1pb1pl1pr1d1e1}. */
    String letters() {
        return "r" + r + "s" + s + "u" + strideH + "v" + strideW + "pt" + padding.top() + "pb" + padding.bottom() + "pl"
                + padding.left() + "pr" + padding.right() + "d" + dilationH + "e" + dilationW;
    }
}
