package io.github.jcuconv.nn;

/** The learning rate over a training: a pure function of the step. */
public sealed interface Schedule {
    /**
     * The rate.
     *
     * @param step steps done before, from 0
     * @param total steps of the whole training, at least 1
     */
    float rate(long step, long total);

    /** The same all the time. */
    record Constant(float rate) implements Schedule {
        @Override
        public float rate(long step, long total) {
            return rate;
        }
    }

    /** Multiplied by {@code factor} after each of {@code pieces} equal pieces of the training. */
    record Steps(float rate, float factor, int pieces) implements Schedule {
        @Override
        public float rate(long step, long total) {
            long piece = Math.min(pieces - 1L, step * pieces / total);
            return (float) (rate * StrictMath.pow(factor, piece));
        }
    }

    /** Half a cosine from the rate down to 0. */
    record Cosine(float rate) implements Schedule {
        @Override
        public float rate(long step, long total) {
            return (float) (rate * 0.5 * (1 + StrictMath.cos(StrictMath.PI * Math.min(step, total) / total)));
        }
    }

    /** Linear from rate / 25 to the rate over the first 30 %, then half a cosine to rate / 10,000 (Smith 2018). */
    record OneCycle(float rate) implements Schedule {
        private static final double WARM = 0.3;
        private static final double START = 1.0 / 25;
        private static final double END = 1e-4;

        @Override
        public float rate(long step, long total) {
            double at = Math.min(1.0, (double) step / total);
            if (at < WARM) {
                return (float) (rate * (START + (1 - START) * at / WARM));
            }
            double down = 0.5 * (1 + StrictMath.cos(StrictMath.PI * (at - WARM) / (1 - WARM)));
            return (float) (rate * (END + (1 - END) * down));
        }
    }
}
