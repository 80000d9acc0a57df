package io.github.jcuconv.op;

import java.util.List;

/**
 * What happens to the sums before they are stored, in this order. An engine without fusion runs the same list as separate operations with the
 * same result.
 *
 * @param steps the ordered list, each step at most once
 */
public record Epilogue(List<Step> steps) {
    /** Nothing: y is the rounded sum. */
    public static final Epilogue NONE = new Epilogue(List.of());
    /** Add the bias. */
    public static final Epilogue BIAS = new Epilogue(List.of(Step.BIAS));

    /** One step. */
    public enum Step {
        /** + BIAS[k]. */
        BIAS,
        /** + RESIDUAL, shaped like y. */
        RESIDUAL,
        /** max(0, v). */
        RELU,
        /** tanh(v). */
        TANH,
        /** 1 / (1 + exp(-v)). */
        SIGMOID,
        /** * SCALE[k]; with a bias behind it, a batch normalization whose statistics stand. */
        SCALE
    }

    /** Copies the list and refuses a step that stands twice. */
    public Epilogue {
        steps = List.copyOf(steps);
        if (steps.stream().distinct().count() != steps.size()) {
            throw new IllegalArgumentException("epilogue " + steps + ": a step may stand only once");
        }
    }

    /** This list with one more step at its end. */
    public Epilogue then(Step step) {
        return new Epilogue(java.util.stream.Stream.concat(steps.stream(), java.util.stream.Stream.of(step))
                .toList());
    }

    /** Whether a step is in the list. */
    public boolean has(Step step) {
        return steps.contains(step);
    }
}
