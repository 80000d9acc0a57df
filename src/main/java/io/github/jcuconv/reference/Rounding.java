package io.github.jcuconv.reference;

import io.github.jcuconv.DataType;

/** Conversions between fp64 and the types of tensors: nearest even, overflow to infinity, written for reading and not for speed. */
public final class Rounding {
    /** A binary floating-point format: its precision in bits (with the hidden one) and its smallest and largest normal exponents. */
    private record Format(int precision, int minExponent, int maxExponent) {
        double quantum(double value) {
            return Math.scalb(1.0, Math.max(Math.getExponent(value), minExponent) - (precision - 1));
        }

        double round(double value) {
            if (!Double.isFinite(value) || value == 0) {
                return value;
            }
            double quantum = quantum(value);
            double rounded = Math.rint(value / quantum) * quantum;
            return Math.getExponent(rounded) > maxExponent ? Math.copySign(Double.POSITIVE_INFINITY, value) : rounded;
        }

        short encode(double value) {
            int fractionBits = precision - 1;
            int sign = Double.doubleToRawLongBits(value) < 0 ? 0x8000 : 0;
            int allOnes = maxExponent - minExponent + 2;
            if (Double.isNaN(value)) {
                return (short) (sign | allOnes << fractionBits | 1 << (fractionBits - 1));
            }
            double magnitude = Math.abs(round(value));
            if (Double.isInfinite(magnitude)) {
                return (short) (sign | allOnes << fractionBits);
            }
            int digits = (int) (magnitude / quantum(magnitude));
            if (digits < 1 << fractionBits) {
                return (short) (sign | digits);
            }
            int exponent = Math.getExponent(magnitude) - minExponent + 1;
            return (short) (sign | exponent << fractionBits | digits - (1 << fractionBits));
        }

        float decode(int bits) {
            int fractionBits = precision - 1;
            int fraction = bits & ((1 << fractionBits) - 1);
            int exponent = (bits & 0x7FFF) >> fractionBits;
            double sign = (bits & 0x8000) != 0 ? -1 : 1;
            if (exponent == maxExponent - minExponent + 2) {
                return fraction == 0 ? (float) (sign / 0.0) : Float.NaN;
            }
            int hidden = exponent == 0 ? 0 : 1 << fractionBits;
            return (float) (sign
                    * Math.scalb((double) (hidden + fraction), Math.max(exponent, 1) - 1 + minExponent - fractionBits));
        }

        float[] decodeAll() {
            float[] values = new float[1 << 16];
            for (int bits = 0; bits < values.length; bits++) {
                values[bits] = decode(bits);
            }
            return values;
        }
    }

    private static final Format HALF = new Format(11, -14, 15);
    private static final Format BFLOAT = new Format(8, -126, 127);
    private static final Format SINGLE = new Format(24, -126, 127);
    private static final float[] HALF_VALUES = HALF.decodeAll();
    private static final float[] BFLOAT_VALUES = BFLOAT.decodeAll();

    private Rounding() {}

    private static Format format(DataType type) {
        return switch (type) {
            case FP32 -> SINGLE;
            case FP16 -> HALF;
            case BF16 -> BFLOAT;
            case INT32, UINT8 -> throw new IllegalArgumentException(type + " is not a floating type");
        };
    }

    /** The nearest value of a type, ties to even; integer types keep the value as it is. */
    public static double round(DataType type, double value) {
        return type.isFloating() ? format(type).round(value) : value;
    }

    /** The distance of neighbouring values of a floating type around a finite value. */
    public static double ulp(DataType type, double value) {
        return format(type).quantum(value);
    }

    static short toHalf(double value) {
        return HALF.encode(value);
    }

    static short toBfloat(double value) {
        return BFLOAT.encode(value);
    }

    static float fromHalf(short bits) {
        return HALF_VALUES[bits & 0xFFFF];
    }

    static float fromBfloat(short bits) {
        return BFLOAT_VALUES[bits & 0xFFFF];
    }
}
