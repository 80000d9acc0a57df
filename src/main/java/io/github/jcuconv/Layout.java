package io.github.jcuconv;

/**
 * How the elements of a tensor lie in memory. The world sees the {@link Plain} layouts; an engine may propose an {@link Opaque} one of its
 * own, which only that engine reads. Values compare by content.
 */
public sealed interface Layout permits Layout.Plain, Layout.Opaque {
    /** The number of elements that a tensor of these dims occupies, padding included. */
    long elements(Dims dims);

    /** Dense layouts without padding. For filters read K C R S for N C H W. */
    enum Plain implements Layout {
        /** Row-major N C H W (filters: KCRS). Vectors use this one. */
        NCHW,
        /** Row-major N H W C (filters: KRSC). */
        NHWC;

        @Override
        public long elements(Dims dims) {
            return dims.count();
        }

        /** The element offset of (n, c, h, w). */
        public long offset(Dims d, int n, int c, int h, int w) {
            return this == NCHW
                    ? (((long) n * d.c() + c) * d.h() + h) * d.w() + w
                    : (((long) n * d.h() + h) * d.w() + w) * d.c() + c;
        }
    }

    /**
     * A layout of one engine, for one shape.
     *
     * @param engine the engine's name
     * @param dims the logical shape that it lays out
     * @param format the engine's own description, equal exactly when the arrangement is equal
     * @param paddedElements elements occupied, padding included
     */
    record Opaque(String engine, Dims dims, String format, long paddedElements) implements Layout {
        /**
         * The padded count of the shape that this layout was made for.
         *
         * @throws IllegalArgumentException for any other shape
         */
        @Override
        public long elements(Dims of) {
            if (!of.equals(dims)) {
                throw new IllegalArgumentException("layout " + format + " was made for " + dims + ", not for " + of
                        + ": ask the engine to propose again");
            }
            return paddedElements;
        }

        @Override
        public String toString() {
            return engine + ":" + format;
        }
    }
}
