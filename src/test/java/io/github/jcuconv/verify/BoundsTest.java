package io.github.jcuconv.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Dims;
import io.github.jcuconv.op.ArgSpec;
import io.github.jcuconv.op.Conv2d;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.Window;
import io.github.jcuconv.reference.Rounding;
import io.github.jcuconv.reference.Views;
import io.github.jcuconv.testing.ShapeLists;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class BoundsTest {
    /** Bounds wider than this part of the largest output would let wrong kernels pass. */
    private static final double TIGHT = 1 / 256.0;

    /** Their results cancel to nothing: dx of two normalized values, the loss of a single class. */
    private static final List<String> ONLY_ROUNDING_ERRORS = List.of("two_values", "one_class");

    private double largest;
    private double largestError;

    @TestFactory
    List<DynamicTest> seeSixteenTimesTheBoundInEveryOperationAndType() {
        List<DynamicTest> tests = new ArrayList<>();
        for (String op : new TreeMap<>(ShapeLists.BY_OPERATION).keySet()) {
            for (DataType type : List.of(DataType.FP32, DataType.FP16, DataType.BF16)) {
                tests.add(DynamicTest.dynamicTest(op + " " + type, () -> eachPass(op, type)));
            }
        }
        return tests;
    }

    private static void eachPass(String op, DataType type) {
        List<ShapeLine> lines = ShapeLists.read(ShapeLists.BY_OPERATION.get(op).get(0));
        for (VerifyCase c : VerifyRun.cases(op, lines, List.of(), type, VerifyRun.Tier.SMOKE, 3)) {
            new BoundsTest().check(c);
        }
    }

    /** The right result passes; the same times 1 + 16 x (bound and half an ulp, relative) does not. */
    private void check(VerifyCase c) {
        Views inputs = Inputs.of(c);
        Expectation expectation = Expectation.of(c, inputs, "");
        for (ArgSpec out : c.op().arguments(c.pass())) {
            if (out.access() == ArgSpec.Access.IN || !out.type().isFloating()) {
                continue;
            }
            Samples.all(out.dims(), (n, k, h, w) -> {
                double value = expectation.value(out, n, k, h, w);
                double error = expectation.error(out, n, k, h, w);
                assertTrue(
                        Comparison.isRight(out.type(), Rounding.round(out.type(), value), value, error), c.toString());
                double allowed = error + Rounding.ulp(out.type(), value) / 2;
                double wrong = Rounding.round(out.type(), value + Math.copySign(16 * allowed, value));
                assertFalse(Comparison.isRight(out.type(), wrong, value, error), c + " " + out.arg() + " " + value);
                largest = Math.max(largest, Math.abs(value));
                largestError = Math.max(largestError, error);
            });
            if (ONLY_ROUNDING_ERRORS.contains(c.name())) {
                continue;
            }
            assertTrue(
                    largestError <= TIGHT * largest,
                    c + " " + out.arg() + ": bound " + largestError + " of " + largest);
        }
    }

    @Test
    void nanIsNeverRightUnlessExpected() {
        assertFalse(Comparison.isRight(DataType.FP32, Double.NaN, 1, 1e9));
        assertFalse(Comparison.isRight(DataType.FP32, 1, Double.NaN, 1e9));
        assertFalse(Comparison.isRight(DataType.FP32, 1, 1, Double.NaN));
        assertTrue(Comparison.isRight(DataType.FP32, Double.NaN, Double.NaN, 0));
    }

    @Test
    void overflowRoundsToInfinityAtTheHalfWayPoint() {
        assertTrue(Comparison.isRight(DataType.FP16, Double.POSITIVE_INFINITY, 65520, 0));
        assertFalse(Comparison.isRight(DataType.FP16, Double.POSITIVE_INFINITY, 65519.99, 0));
        assertTrue(Comparison.isRight(DataType.FP16, 65504, 65519.99, 0));
    }

    @Test
    void integersThatCannotStayExactAreRefused() {
        Conv2d large = Conv2d.of(new Dims(1, 1 << 24, 1, 1), 1, Window.of(1, 1));
        assertThrows(IllegalArgumentException.class, () -> Inputs.range(large, Pass.FPROP));
    }

    @Test
    void sumsOfExactDataStayBelowTheLimit() {
        for (String list : ShapeLists.BY_OPERATION.get("conv2d")) {
            for (ShapeLine line : ShapeLists.read(list)) {
                OpDescriptor op = Descriptors.of("conv2d", line, DataType.FP32);
                for (Pass pass : op.passes()) {
                    long range = Inputs.range(op, pass);
                    assertTrue(Bounds.terms(op, pass) * range * range + 3 * range <= 1L << 24, line.name());
                }
            }
        }
    }

    @Test
    void termsCountTheProductsOfOneOutput() {
        Conv2d op = Conv2d.of(new Dims(2, 6, 5, 7), 4, Window.of(3, 2)).groups(2);
        assertEquals(3 * 3 * 2, Bounds.terms(op, Pass.FPROP));
        assertEquals(2 * 3 * 2, Bounds.terms(op, Pass.DGRAD));
        assertEquals(2 * 3 * 6, Bounds.terms(op, Pass.WGRAD));
    }
}
