package io.github.jcuconv.nn;

/** Random numbers whose bits depend on the seed alone: SplitMix64 (Steele, Lea, Flood 2014) and the polar method in StrictMath. */
final class Seeds {
    private static final long GOLDEN = 0x9E3779B97F4A7C15L;

    private Seeds() {}

    /** A seed for a numbered part of something that has a seed. */
    static long mix(long seed, long part) {
        return scramble(scramble(seed + GOLDEN) + (part + 1) * GOLDEN);
    }

    private static long scramble(long z) {
        long a = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        long b = (a ^ (a >>> 27)) * 0x94D049BB133111EBL;
        return b ^ (b >>> 31);
    }

    /** Normally distributed numbers. */
    static final class Normal {
        private long state;
        private double spare = Double.NaN;

        Normal(long seed) {
            this.state = seed;
        }

        double next() {
            if (!Double.isNaN(spare)) {
                double value = spare;
                spare = Double.NaN;
                return value;
            }
            double u;
            double v;
            double square;
            do {
                u = uniform() * 2 - 1;
                v = uniform() * 2 - 1;
                square = u * u + v * v;
            } while (square >= 1 || square == 0);
            double factor = StrictMath.sqrt(-2 * StrictMath.log(square) / square);
            spare = v * factor;
            return u * factor;
        }

        private double uniform() {
            state += GOLDEN;
            return (scramble(state) >>> 11) * 0x1p-53;
        }
    }
}
