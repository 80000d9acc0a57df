package io.github.jcuconv.onednn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Conversions of 16-bit types against arithmetic in double, which holds every value and every midpoint exactly. */
class HalvesTest {
    private static double valueOfFp16(int half) {
        int exponent = half >> 10 & 31;
        int mantissa = half & 1023;
        double magnitude =
                exponent == 0 ? Math.scalb((double) mantissa, -24) : Math.scalb(1024.0 + mantissa, exponent - 25);
        return half >= 0x8000 ? -magnitude : magnitude;
    }

    /** Bits of the nearest number with this many mantissa bits, ties to even, from a format's definition. */
    private static int rounded(float value, int mantissaBits, int minExponent, int maxExponent) {
        double magnitude = Math.abs((double) value);
        int exponent = magnitude == 0 ? minExponent : Math.max(minExponent, Math.getExponent(magnitude));
        double steps = Math.rint(Math.scalb(magnitude, mantissaBits - exponent));
        int bits = (exponent - minExponent << mantissaBits) + (int) steps;
        int infinity = maxExponent - minExponent + 2 << mantissaBits;
        int sign = Float.floatToRawIntBits(value) < 0 ? 0x8000 : 0;
        return sign | (Double.isInfinite(magnitude) ? infinity : Math.min(bits, infinity));
    }

    private static void checkFp16(float value) {
        int got = Halves.toFp16(value) & 0xffff;
        if (Float.isNaN(value)) {
            assertTrue((got & 0x7e00) == 0x7e00, () -> "NaN became " + Integer.toHexString(got));
            return;
        }
        if (got != rounded(value, 10, -14, 15)) {
            assertEquals(rounded(value, 10, -14, 15), got, () -> "fp16 of " + Float.toHexString(value));
        }
    }

    private static void checkBf16(float value) {
        int got = Halves.toBf16(value) & 0xffff;
        if (Float.isNaN(value)) {
            assertTrue((got & 0x7fc0) == 0x7fc0, () -> "NaN became " + Integer.toHexString(got));
            return;
        }
        if (got != rounded(value, 7, -126, 127)) {
            assertEquals(rounded(value, 7, -126, 127), got, () -> "bf16 of " + Float.toHexString(value));
        }
    }

    @Test
    void every_half_becomes_its_value_and_comes_back() {
        for (int h = 0; h < 1 << 16; h++) {
            float f = Halves.fromFp16((short) h);
            int bits = Float.floatToRawIntBits(f);
            if ((h & 0x7c00) == 0x7c00) {
                boolean nan = (h & 0x3ff) != 0;
                assertEquals(nan, Float.isNaN(f));
                assertEquals(nan ? h | 0x200 : h, Halves.toFp16(f) & 0xffff, "payload of " + Integer.toHexString(h));
                assertEquals(h >= 0x8000, bits < 0);
                continue;
            }
            assertEquals(Float.floatToRawIntBits((float) valueOfFp16(h)), bits, "half " + Integer.toHexString(h));
            assertEquals(h, Halves.toFp16(f) & 0xffff);
        }
    }

    @Test
    void every_rounding_boundary_of_fp16_goes_to_the_even_neighbour() {
        for (int h = 0; h < 0x7c00; h++) {
            double low = valueOfFp16(h);
            double high = h == 0x7bff ? 65536 : valueOfFp16(h + 1);
            float middle = (float) ((low + high) / 2);
            for (float f : new float[] {
                middle, Math.nextUp(middle), Math.nextDown(middle), (float) low, Math.nextUp((float) low)
            }) {
                checkFp16(f);
                checkFp16(-f);
            }
        }
    }

    @Test
    void random_floats_of_every_exponent_round_to_nearest_even() {
        SplittableRandom random = new SplittableRandom(5);
        for (int i = 0; i < 2_000_000; i++) {
            float any = Float.intBitsToFloat(random.nextInt());
            checkFp16(any);
            checkBf16(any);
            float near = Math.scalb(1 + random.nextInt(1 << 23) * 0x1p-23f, random.nextInt(-28, 18));
            checkFp16(near);
            checkFp16(-near);
        }
    }

    @Test
    void every_boundary_of_bf16_goes_to_the_even_neighbour() {
        for (int b = 0; b < 0x7f80; b++) {
            for (int low : new int[] {0, 1, 0x7fff, 0x8000, 0x8001, 0xffff}) {
                checkBf16(Float.intBitsToFloat(b << 16 | low));
                checkBf16(-Float.intBitsToFloat(b << 16 | low));
            }
        }
        checkBf16(Float.POSITIVE_INFINITY);
        checkBf16(Float.intBitsToFloat(0x7f800001));
    }

    @Test
    void tiles_convert_as_single_values_do() {
        SplittableRandom random = new SplittableRandom(6);
        int size = 1021;
        Halves.Scratch scratch = new Halves.Scratch(size);
        float[] values = new float[size];
        for (int round = 0; round < 4_000; round++) {
            for (int i = 0; i < size; i++) {
                int half = random.nextInt(1 << 16);
                values[i] = switch (round % 3) {
                    case 0 -> Float.intBitsToFloat(random.nextInt());
                    case 1 -> Math.scalb(random.nextInt(-(1 << 24), 1 << 24) * 0x1p-24f, random.nextInt(-26, 18));
                    default ->
                        Float.intBitsToFloat(Float.floatToRawIntBits(Halves.fromFp16((short) half))
                                + random.nextInt(-0x1001, 0x1002));
                };
            }
            Halves.toFp16(values, size, scratch);
            for (int i = 0; i < size; i++) {
                if (scratch.shorts[i] != Halves.toFp16(values[i])) {
                    assertEquals(
                            Halves.toFp16(values[i]), scratch.shorts[i], "fp16 of " + Float.toHexString(values[i]));
                }
            }
        }
    }
}
