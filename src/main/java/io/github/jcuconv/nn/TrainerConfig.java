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
 * @param microBatches equal parts of a batch that go through the network one after the other, their gradients summed: less memory, the same
 *     gradient up to rounding; batch norm sees one part at a time
 * @param segments parts of the network, all but the last of which keep only their last activation and compute the others again on the way
 *     back: less memory, the same bits; 1 keeps everything, {@link #BEST} takes as many as need least memory
 */
public record TrainerConfig(
        int batch,
        Precision precision,
        Optimizer optimizer,
        Schedule schedule,
        long totalSteps,
        long seed,
        int microBatches,
        int segments) {
    /** As many segments as need least memory. */
    public static final int BEST = 0;

    /** 64 MiB of rates. */
    private static final long MOST_RATES = 1 << 24;

    /** Checks the numbers. */
    public TrainerConfig {
        if (batch < 1) {
            throw new IllegalArgumentException("batch " + batch + ": must be at least 1");
        }
        if (microBatches < 1 || batch % microBatches != 0) {
            throw new IllegalArgumentException(
                    "micro-batches " + microBatches + ": must be at least 1 and divide the batch of " + batch);
        }
        if (segments < BEST) {
            throw new IllegalArgumentException("segments " + segments + ": must be at least " + BEST);
        }
        if (totalSteps < 1) {
            throw new IllegalArgumentException("total steps " + totalSteps + ": must be at least 1");
        }
        if (totalSteps > MOST_RATES && !(schedule instanceof Schedule.Constant)) {
            throw new IllegalArgumentException("total steps " + totalSteps + ": at most " + MOST_RATES
                    + " with a learning rate that changes, since the engine holds the rate of every step");
        }
    }

    /** One micro-batch, and everything kept. */
    public TrainerConfig(
            int batch, Precision precision, Optimizer optimizer, Schedule schedule, long totalSteps, long seed) {
        this(batch, precision, optimizer, schedule, totalSteps, seed, 1, 1);
    }

    /** The same with this many micro-batches. */
    public TrainerConfig microBatches(int count) {
        return new TrainerConfig(batch, precision, optimizer, schedule, totalSteps, seed, count, segments);
    }

    /** The same with this many segments. */
    public TrainerConfig segments(int count) {
        return new TrainerConfig(batch, precision, optimizer, schedule, totalSteps, seed, microBatches, count);
    }

    /** The same with another batch, in one piece. */
    TrainerConfig batch(int images) {
        return new TrainerConfig(images, precision, optimizer, schedule, totalSteps, seed, 1, segments);
    }

    /** The same with another precision. */
    TrainerConfig precision(Precision other) {
        return new TrainerConfig(batch, other, optimizer, schedule, totalSteps, seed, microBatches, segments);
    }

    /** The same with another optimizer. */
    TrainerConfig optimizer(Optimizer other) {
        return new TrainerConfig(batch, precision, other, schedule, totalSteps, seed, microBatches, segments);
    }

    /** Images in one pass through the network. */
    int microBatch() {
        return batch / microBatches;
    }

    /** How many learning rates the engine holds: one for each step, or a single one that never changes. */
    int rates() {
        return schedule instanceof Schedule.Constant ? 1 : (int) totalSteps;
    }
}
