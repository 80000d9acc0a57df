package io.github.jcuconv.op;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.jcuconv.Dims;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PhiloxTest {
    /** The authors' published vectors for Philox4x32-10: counter, key, result. */
    @ParameterizedTest
    @CsvSource({
        "00000000, 00000000, 00000000, 00000000, 00000000, 00000000, 6627e8d5, e169c58d, bc57ac4c, 9b00dbd8",
        "ffffffff, ffffffff, ffffffff, ffffffff, ffffffff, ffffffff, 408f276d, 41c83b0e, a20bc7c6, 6d5451fd",
        "243f6a88, 85a308d3, 13198a2e, 03707344, a4093822, 299f31d0, d16cfe09, 94fdcceb, 5001e420, 24126ea1"
    })
    void givesThePublishedWords(
            String c0,
            String c1,
            String c2,
            String c3,
            String k0,
            String k1,
            String w0,
            String w1,
            String w2,
            String w3) {
        String[] words = {w0, w1, w2, w3};
        for (int i = 0; i < 4; i++) {
            long word = Long.parseLong(words[i], 16);
            // The word is below the threshold word + 1 and not below word itself: that pins all 32 bits.
            assertEquals(1 << i, below(c0, c1, c2, c3, k0, k1, word + 1) & 1 << i, "word " + i);
            assertEquals(0, below(c0, c1, c2, c3, k0, k1, word) & 1 << i, "word " + i);
        }
    }

    private static int below(String c0, String c1, String c2, String c3, String k0, String k1, long threshold) {
        long low = Long.parseLong(c0, 16);
        return Philox.below(low, bits(c1), bits(c2), bits(c3), bits(k0), bits(k1), threshold);
    }

    private static int bits(String hex) {
        return Integer.parseUnsignedInt(hex, 16);
    }

    @Test
    void blocksBeyond32BitsUseTheSecondCounterWord() {
        long block = 5L << 32 | 7;
        int expected = Philox.below(7, 3 ^ 5, 1, 2, 8, 9, 1L << 31);
        assertEquals(expected, Philox.below(block, 3, 1, 2, 8, 9, 1L << 31));
    }

    @Test
    void dropsAsManyElementsAsTheRateSays() {
        Dropout op = Dropout.of(new Dims(1, 1, 1, 1 << 20), 0.3f, 1);
        int dropped = 0;
        for (long block = 0; block < 1 << 18; block++) {
            dropped += Integer.bitCount(op.droppedOfBlock(block, 11, 12, 13, 14));
        }
        double expected = 0.3 * (1 << 20);
        double sigma = Math.sqrt(expected * 0.7);
        assertEquals(expected, dropped, 5 * sigma);
    }

    @Test
    void rateZeroDropsNothing() {
        Dropout op = Dropout.of(new Dims(1, 1, 1, 64), 0, 1);
        for (long block = 0; block < 16; block++) {
            assertEquals(0, op.droppedOfBlock(block, 1, 2, 3, 4));
        }
    }
}
