package io.github.jcuconv.nn;

import java.util.Map;

/**
 * What a training goes on from.
 *
 * @param tensors parameters and optimizer state in plain order, by name
 * @param step steps done
 * @param updates steps that changed the weights
 * @param lossScale the factor on the loss
 * @param goodSteps steps since it changed
 */
public record TrainingState(Map<String, float[]> tensors, long step, long updates, float lossScale, int goodSteps) {
    /** The tensor of that name and size. */
    float[] tensor(String name, long count) {
        float[] values = tensors.get(name);
        if (values == null || values.length != count) {
            throw new IllegalArgumentException("tensor " + name + ": "
                    + (values == null ? "missing" : values.length + " numbers, " + count + " expected")
                    + "; the file belongs to another model or optimizer");
        }
        return values;
    }
}
