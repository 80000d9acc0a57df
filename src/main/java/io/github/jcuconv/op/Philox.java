package io.github.jcuconv.op;

/** Philox4x32-10, a counter-based generator (Salmon, Moraes, Dror, Shaw: Parallel Random Numbers: As Easy as 1, 2, 3; SC 2011). */
final class Philox {
    private static final int ROUNDS = 10;
    private static final long M0 = 0xD2511F53L;
    private static final long M1 = 0xCD9E8D57L;
    private static final int W0 = 0x9E3779B9;
    private static final int W1 = 0xBB67AE85;
    private static final long LOW = 0xFFFFFFFFL;

    private Philox() {}

    /** Bit j is set when output word j of the block with counter (block low, layer ^ block high, c2, c3), unsigned, is below the threshold. */
    static int below(long block, int layer, int c2, int c3, int key0, int key1, long threshold) {
        int x0 = (int) block;
        int x1 = layer ^ (int) (block >>> 32);
        int x2 = c2;
        int x3 = c3;
        int k0 = key0;
        int k1 = key1;
        for (int round = 0; round < ROUNDS; round++) {
            long p0 = M0 * (x0 & LOW);
            long p1 = M1 * (x2 & LOW);
            int y0 = (int) (p1 >>> 32) ^ x1 ^ k0;
            int y2 = (int) (p0 >>> 32) ^ x3 ^ k1;
            x1 = (int) p1;
            x3 = (int) p0;
            x0 = y0;
            x2 = y2;
            k0 += W0;
            k1 += W1;
        }
        return bit(x0, threshold, 1) | bit(x1, threshold, 2) | bit(x2, threshold, 4) | bit(x3, threshold, 8);
    }

    private static int bit(int word, long threshold, int value) {
        return (word & LOW) < threshold ? value : 0;
    }
}
