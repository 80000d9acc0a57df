package io.github.jcuconv.onednn;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;

/**
 * fp16 and bf16 as bits, from and to fp32, rounding to nearest even. Subnormals, infinities and the sign of zero are right; NaN stays NaN, quiet,
 * with the top bits of its payload.
 */
final class Halves {
    private static final float[] FP16 = table();

    private Halves() {}

    static void fromFp16(short[] from, float[] to, int count) {
        float[] table = FP16;
        for (int i = 0; i < count; i++) {
            to[i] = table[from[i] & 0xffff];
        }
    }

    static void fromBf16(short[] from, float[] to, int count) {
        for (int i = 0; i < count; i++) {
            to[i] = Float.intBitsToFloat(from[i] << 16);
        }
    }

    /** One thread's arrays for {@link #toFp16(float[], int, Scratch)}. */
    static final class Scratch {
        final short[] shorts;
        private final int[] bits;
        private final int[] halves;
        private final FloatBuffer asFloats;
        private final IntBuffer asInts;

        Scratch(int size) {
            shorts = new short[size];
            bits = new int[size];
            halves = new int[size];
            ByteBuffer both = ByteBuffer.allocate(size * Float.BYTES).order(ByteOrder.nativeOrder());
            asFloats = both.asFloatBuffer();
            asInts = both.asIntBuffer();
        }
    }

    /**
     * Converts to {@link Scratch#shorts}. In integers and in short loops, since the JIT of Java 17 makes vector code only of such: four times as
     * fast as {@link #toFp16(float)}, which is left with subnormal results and NaN.
     */
    static void toFp16(float[] from, int count, Scratch s) {
        s.asFloats.put(0, from, 0, count);
        s.asInts.get(0, s.bits, 0, count);
        round(s.bits, s.halves, count);
        clampBelow(s.halves, count);
        clampAbove(s.halves, count);
        addSign(s.bits, s.halves, count);
        markRest(s.bits, s.halves, count);
        short[] to = s.shorts;
        for (int i = 0; i < count; i++) {
            int half = s.halves[i];
            to[i] = half < 0 ? toFp16(from[i]) : (short) half;
        }
    }

    /** Drops 13 bits of the mantissa, to nearest even, and moves the exponent; right for normal halves. */
    private static void round(int[] bits, int[] halves, int count) {
        for (int i = 0; i < count; i++) {
            halves[i] = ((bits[i] & 0x7fffffff) + 0xfff + (bits[i] >>> 13 & 1) >>> 13) - 0x1c000;
        }
    }

    private static void clampBelow(int[] halves, int count) {
        for (int i = 0; i < count; i++) {
            halves[i] = halves[i] & ~(halves[i] >> 31);
        }
    }

    private static void clampAbove(int[] halves, int count) {
        for (int i = 0; i < count; i++) {
            halves[i] = 0x7c00 + (halves[i] - 0x7c00 & halves[i] - 0x7c00 >> 31);
        }
    }

    private static void addSign(int[] bits, int[] halves, int count) {
        for (int i = 0; i < count; i++) {
            halves[i] = halves[i] | bits[i] >>> 16 & 0x8000;
        }
    }

    /** Sets the top bit where the result is subnormal but not zero, or the value is NaN. */
    private static void markRest(int[] bits, int[] halves, int count) {
        for (int i = 0; i < count; i++) {
            int abs = bits[i] & 0x7fffffff;
            halves[i] = halves[i] | (abs - 0x38800000 & -abs | 0x7f800000 - abs) & 0x80000000;
        }
    }

    static void toBf16(float[] from, short[] to, int count) {
        for (int i = 0; i < count; i++) {
            to[i] = toBf16(from[i]);
        }
    }

    static float fromFp16(short half) {
        return FP16[half & 0xffff];
    }

    /**
     * Without branches. Adding a power of two whose last bit is worth what the half's last bit is worth makes the fp32 adder round; the
     * mantissa of the sum is then the half's, with the exponent's change included.
     */
    static short toFp16(float value) {
        int bits = Float.floatToRawIntBits(value);
        int abs = bits & 0x7fffffff;
        int clamped = Math.min(abs, 0x47800000);
        int exponent = Math.max(clamped & 0x7f800000, 0x38800000);
        float sum = Float.intBitsToFloat(clamped) + Float.intBitsToFloat(exponent + 0x06800000);
        int finite = (exponent >> 13) - 0x1c400 + (Float.floatToRawIntBits(sum) & 0x1fff);
        int nan = 0x7e00 | abs >> 13 & 0x3ff;
        return (short) ((bits >>> 16 & 0x8000) | (abs > 0x7f800000 ? nan : finite));
    }

    static short toBf16(float value) {
        int bits = Float.floatToRawIntBits(value);
        int rounded = bits + 0x7fff + (bits >>> 16 & 1) >>> 16;
        int nan = bits >>> 16 | 0x40;
        return (short) ((bits & 0x7fffffff) > 0x7f800000 ? nan : rounded);
    }

    private static float[] table() {
        float[] table = new float[1 << 16];
        for (int h = 0; h < table.length; h++) {
            int exponent = h >> 10 & 0x1f;
            int mantissa = h & 0x3ff;
            int sign = (h & 0x8000) << 16;
            if (exponent == 0) {
                table[h] = Float.intBitsToFloat(Float.floatToRawIntBits(mantissa * 0x1p-24f) | sign);
            } else if (exponent == 31) {
                int quiet = mantissa == 0 ? 0 : 0x400000;
                table[h] = Float.intBitsToFloat(sign | 0x7f800000 | mantissa << 13 | quiet);
            } else {
                table[h] = Float.intBitsToFloat(sign | exponent + 112 << 23 | mantissa << 13);
            }
        }
        return table;
    }
}
