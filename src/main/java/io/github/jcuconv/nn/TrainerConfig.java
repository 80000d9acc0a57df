package io.github.jcuconv.nn;

/**
 * How to train.
 *
 * @param batch images per step
 * @param precision how activations and weights are stored
 * @param optimizer how weights follow gradients
 * @param schedule the learning rate
 * @param totalSteps steps of the whole training, for the schedule
 * @param seed seed of initial weights and dropout
 */
public record TrainerConfig(
        int batch, Precision precision, Optimizer optimizer, Schedule schedule, long totalSteps, long seed) {
    /** Checks the numbers. */
    public TrainerConfig {
        if (batch < 1) {
            throw new IllegalArgumentException("batch " + batch + ": must be at least 1");
        }
        if (totalSteps < 1) {
            throw new IllegalArgumentException("total steps " + totalSteps + ": must be at least 1");
        }
    }
}
