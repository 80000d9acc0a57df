package io.github.jcuconv;

/**
 * The logical shape of a tensor, always four numbers. Activations read N C H W; filters read K, C/G, R, S in the same fields; vectors are
 * {@code (1, c, 1, 1)}.
 *
 * @param n batch, or K of a filter
 * @param c channels, or C/G of a filter
 * @param h height, or R of a filter
 * @param w width, or S of a filter
 */
public record Dims(int n, int c, int h, int w) {
    /**
     * Checks that all are at least 1.
     *
     * @throws IllegalArgumentException if one is smaller
     */
    public Dims {
        if (n < 1 || c < 1 || h < 1 || w < 1) {
            throw new IllegalArgumentException(
                    "dims " + n + "x" + c + "x" + h + "x" + w + ": every dimension must be at least 1");
        }
    }

    /** A vector of {@code length} elements. */
    public static Dims vector(int length) {
        return new Dims(1, length, 1, 1);
    }

    /** The number of elements, 64-bit. */
    public long count() {
        return (long) n * c * h * w;
    }

    /** The elements of one image (of one filter): C * H * W. */
    public long perImage() {
        return (long) c * h * w;
    }

    /** The same shape with another batch (or K). */
    public Dims withN(int newN) {
        return new Dims(newN, c, h, w);
    }

    @Override
    public String toString() {
        return n + "x" + c + "x" + h + "x" + w;
    }
}
