package io.github.jcuconv.reference;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.jcuconv.DataType;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RoundingTest {
    /** Bits from the tables of IEEE 754 binary16: largest, smallest, halfway cases, overflow. */
    @ParameterizedTest
    @CsvSource({
        "1, 3C00",
        "-2, C000",
        "65504, 7BFF",
        "65519.99, 7BFF",
        "65520, 7C00",
        "1e300, 7C00",
        "-Infinity, FC00",
        "6.103515625e-05, 0400",
        "6.097555160522461e-05, 03FF",
        "5.960464477539063e-08, 0001",
        "2.9802322387695312e-08, 0000",
        "2.98023223876953125001e-08, 0000",
        "2.9802322387695317e-08, 0001",
        "8.940696716308594e-08, 0002",
        "1e-320, 0000",
        "2049, 6800",
        "2051, 6802",
        "0.333251953125, 3555",
        "-0.0, 8000",
        "1.00048828125, 3C00",
        "1.0004882812500002, 3C01"
    })
    void halfRoundsToNearestEven(double value, String bits) {
        assertEquals(bits, String.format("%04X", Rounding.toHalf(value) & 0xFFFF));
    }

    @ParameterizedTest
    @CsvSource({
        "1, 3F80",
        "257, 4380",
        "259, 4382",
        "3.4e38, 7F80",
        "3.3895313892515355e38, 7F7F",
        "-1e-40, 8001",
        "9.183549615799121e-41, 0001",
        "Infinity, 7F80",
        "-0.0, 8000",
        "1.00390625, 3F80",
        "1.0039062500000002, 3F81"
    })
    void bfloatRoundsToNearestEven(double value, String bits) {
        assertEquals(bits, String.format("%04X", Rounding.toBfloat(value) & 0xFFFF));
    }

    @Test
    void everyPatternOf16BitsSurvivesTheWayToFp64AndBack() {
        for (int bits = 0; bits < 1 << 16; bits++) {
            float half = Rounding.fromHalf((short) bits);
            float bfloat = Rounding.fromBfloat((short) bits);
            if (!Float.isNaN(half)) {
                assertEquals((short) bits, Rounding.toHalf(half));
            }
            assertEquals(Float.intBitsToFloat(bits << 16), bfloat);
            if (!Float.isNaN(bfloat)) {
                assertEquals((short) bits, Rounding.toBfloat(bfloat));
            }
        }
        assertEquals(Float.NaN, Rounding.fromHalf(Rounding.toHalf(Double.NaN)));
        assertEquals(Float.NaN, Rounding.fromBfloat(Rounding.toBfloat(Double.NaN)));
    }

    @Test
    void fp32RoundsAsTheLanguageDoes() {
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < 100_000; i++) {
            double value = Double.longBitsToDouble(random.nextLong());
            if (!Double.isNaN(value)) {
                assertEquals((float) value, Rounding.round(DataType.FP32, value));
            }
            double near = random.nextDouble(-2, 2) * Math.scalb(1.0, random.nextInt(-150, 129));
            assertEquals((float) near, Rounding.round(DataType.FP32, near));
        }
    }
}
