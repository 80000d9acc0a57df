package io.github.jcuconv.onednn;

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

    static void toFp16(float[] from, short[] to, int count) {
        for (int i = 0; i < count; i++) {
            to[i] = toFp16(from[i]);
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
