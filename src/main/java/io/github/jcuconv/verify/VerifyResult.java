package io.github.jcuconv.verify;

/**
 * What came of one case.
 *
 * @param verified the case
 * @param engine the engine's name
 * @param verdict whether it passed
 * @param error distance from the fp64 result where it is nearest to its bound, NaN if not measured
 * @param bound the allowed distance where error / bound is largest, half an ulp of the output included
 * @param text the algorithm of a case that passed, otherwise what was wrong, or why it did not run
 */
public record VerifyResult(
        VerifyCase verified, String engine, Verdict verdict, double error, double bound, String text) {
    /** The three outcomes; what did not run never counts as passed. */
    public enum Verdict {
        /** Every check held. */
        PASSED,
        /** A check failed. */
        FAILED,
        /** The engine refuses the case. */
        NOT_RUN
    }

    @Override
    public String toString() {
        return verdict + " " + engine + " " + verified + ": " + text
                + (verdict == Verdict.FAILED ? " | " + verified.rerunLine(engine) : "");
    }
}
