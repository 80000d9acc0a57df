package io.github.jcuconv.verify;

import io.github.jcuconv.DataType;
import io.github.jcuconv.op.ArgSpec;
import io.github.jcuconv.reference.Rounding;
import io.github.jcuconv.reference.Tensor;

/**
 * Compares an output with its expectation. An element is right when it lies between the roundings of value - error and value + error to its type,
 * which is the bound plus half an ulp, exact at overflow and among subnormals, and equality where the error is 0.
 */
final class Comparison {
    private double error;
    private double worstRatio = -1;
    private double bound;
    private long compared;
    private long wrong;
    private boolean nonZero;
    private boolean expectedNonZero;
    private String first = "";

    /** Compares all elements, or samples and the absence of NaN elsewhere. */
    void add(ArgSpec out, Tensor actual, Expectation expectation, boolean sampled, long seed) {
        Samples.Place place = (n, c, h, w) -> {
            double allowed = expectation.error(out, n, c, h, w);
            one(out, n, c, h, w, actual.get(n, c, h, w), expectation.value(out, n, c, h, w), allowed);
        };
        if (!sampled) {
            Samples.all(out.dims(), place);
            return;
        }
        Samples.some(out.dims(), seed, place);
        for (int i = 0; i < out.dims().count(); i++) {
            if (Double.isNaN(actual.at(i))) {
                fail(out + " is NaN at element " + i);
                return;
            }
        }
    }

    private void one(ArgSpec out, int n, int c, int h, int w, double actual, double value, double tolerance) {
        compared++;
        nonZero |= actual != 0;
        expectedNonZero |= value != 0;
        if (!isRight(out.type(), actual, value, tolerance)) {
            fail(out.arg() + "[" + n + "," + c + "," + h + "," + w + "] is " + actual + ", expected " + value + " +- "
                    + tolerance + " rounded to " + out.type());
        }
        double distance = Math.abs(actual - value);
        if (Double.isFinite(distance)) {
            double half = out.type().isFloating() ? Rounding.ulp(out.type(), value) / 2 : 0;
            double allowed = tolerance + (Rounding.round(out.type(), value) == value && tolerance == 0 ? 0 : half);
            double ratio = allowed == 0 ? distance == 0 ? 0 : Double.POSITIVE_INFINITY : distance / allowed;
            if (ratio > worstRatio) {
                worstRatio = ratio;
                error = distance;
                bound = allowed;
            }
        }
    }

    /** Whether a value of a type is a right result; NaN is right only where NaN is expected. */
    static boolean isRight(DataType type, double actual, double value, double error) {
        if (Double.isNaN(value)) {
            return Double.isNaN(actual);
        }
        if (Double.isInfinite(value)) {
            return actual == value;
        }
        return actual >= Rounding.round(type, value - error) && actual <= Rounding.round(type, value + error);
    }

    private void fail(String text) {
        wrong++;
        if (first.isEmpty()) {
            first = text;
        }
    }

    /** What is wrong, empty if nothing: elements, or an output of which nothing was, or could be, seen. */
    String problem() {
        if (wrong > 0) {
            return wrong + " of " + compared + " elements wrong, first " + first;
        }
        if (!nonZero && expectedNonZero) {
            return "all " + compared + " elements are zero";
        }
        return "";
    }

    /** The error of the element that is nearest to its bound ... */
    double error() {
        return error;
    }

    /** ... and that bound. */
    double bound() {
        return bound;
    }

    /** The largest error / bound. */
    double worstRatio() {
        return Math.max(worstRatio, 0);
    }
}
