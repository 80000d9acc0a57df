package io.github.jcuconv.nn;

/**
 * How to train.
 *
 * @param batch images per step
 * @param precision how activations and weights are stored
 * @param optimizer how weights follow gradients
 * @param schedule the learning rate
 * @param totalSteps steps of the whole training, for the schedule; later steps keep its last rate
 * @param seed seed of initial weights and dropout
 */
public record TrainerConfig(
        int batch, Precision precision, Optimizer optimizer, Schedule schedule, long totalSteps, long seed) {
    /** 64 MiB of rates. */
    private static final long MOST_RATES = 1 << 24;

    /** Checks the numbers. */
    public TrainerConfig {
        if (batch < 1) {
            throw new IllegalArgumentException("batch " + batch + ": must be at least 1");
        }
        if (totalSteps < 1) {
            throw new IllegalArgumentException("total steps " + totalSteps + ": must be at least 1");
        }
        if (totalSteps > MOST_RATES && !(schedule instanceof Schedule.Constant)) {
            throw new IllegalArgumentException("total steps " + totalSteps + ": at most " + MOST_RATES
                    + " with a learning rate that changes, since the engine holds the rate of every step");
        }
    }

    /** How many learning rates the engine holds: one for each step, or a single one that never changes. */
    int rates() {
        return schedule instanceof Schedule.Constant ? 1 : (int) totalSteps;
    }
}
