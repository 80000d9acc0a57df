package io.github.jcuconv.op;

/**
 * Zero padding as four numbers.
 *
 * @param top rows above
 * @param bottom rows below
 * @param left columns on the left
 * @param right columns on the right
 */
public record Padding(int top, int bottom, int left, int right) {
    /** No padding (VALID). */
    public static final Padding NONE = new Padding(0, 0, 0, 0);

    /** Checks that none is negative. */
    public Padding {
        if (top < 0 || bottom < 0 || left < 0 || right < 0) {
            throw new IllegalArgumentException("padding " + top + "," + bottom + "," + left + "," + right
                    + ": every side must be at least 0; use a crop to drop rows or columns");
        }
    }

    /** The same on all four sides. */
    public static Padding of(int all) {
        return new Padding(all, all, all, all);
    }

    /**
     * TensorFlow's SAME: output = ceil(input / stride); of an odd total the larger half goes to the bottom and the right.
     *
     * @param h input height
     * @param w input width
     * @param r window height
     * @param s window width
     * @param strideH vertical stride
     * @param strideW horizontal stride
     * @param dilationH vertical dilation
     * @param dilationW horizontal dilation
     */
    public static Padding same(int h, int w, int r, int s, int strideH, int strideW, int dilationH, int dilationW) {
        int vertical = total(h, r, strideH, dilationH);
        int horizontal = total(w, s, strideW, dilationW);
        return new Padding(vertical / 2, vertical - vertical / 2, horizontal / 2, horizontal - horizontal / 2);
    }

    private static int total(int size, int window, int stride, int dilation) {
        int out = (size + stride - 1) / stride;
        return Math.max(0, (out - 1) * stride + (window - 1) * dilation + 1 - size);
    }
}
