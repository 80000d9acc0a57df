package io.github.jcuconv.nn;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Engine;
import io.github.jcuconv.OutOfMemoryException;
import io.github.jcuconv.memory.MemoryPlan;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What makes a training smaller, each remedy planned as it would be allocated. Allocates nothing. */
public final class Remedies {
    private static final int LARGEST_BATCH = 1 << 20;
    private static final int MOST_DEVICES = 8;
    private static final int MOST_ADVICE = 3;

    /**
     * One remedy.
     *
     * @param change an option of the command line, or what to do in words
     * @param peakBytes predicted bytes with it; of each device, where there are several
     * @param savedBytes how many these are fewer
     * @param cost what it costs
     * @param keepsAccuracy whether it changes nothing but rounding
     */
    public record Remedy(String change, long peakBytes, long savedBytes, String cost, boolean keepsAccuracy) {}

    /**
     * How to train within a limit.
     *
     * @param config the configuration that fits
     * @param change what is done, empty if nothing had to be
     * @param cost what that costs
     */
    public record Fit(TrainerConfig config, String change, String cost) {}

    private final Network network;
    private final Engine engine;
    private final TrainerConfig config;
    private final int segments;
    private final boolean normalizes;
    private final MemoryPlan plan;
    private final long peak;

    /** Plans the training as it is. */
    public Remedies(Network network, Engine engine, TrainerConfig config) {
        this.network = network;
        this.engine = engine;
        this.segments = Recomputation.segments(network);
        this.config = config.segments() == TrainerConfig.BEST ? config.segments(segments) : config;
        this.normalizes = network.nodes().stream().anyMatch(n -> n.layer() instanceof Layer.BatchNormalization);
        this.plan = Trainer.predict(network, engine, config);
        this.peak = plan.predictedBytes();
    }

    /** Predicted bytes of a configuration of this network; the largest number if a tensor would have 2^31 elements or more. */
    private long bytes(TrainerConfig changed) {
        return bytes(network, changed);
    }

    private long bytes(Network changedNetwork, TrainerConfig changed) {
        try {
            return Trainer.predict(changedNetwork, engine, changed).predictedBytes();
        } catch (ArithmeticException e) {
            return Long.MAX_VALUE;
        }
    }

    /**
     * All remedies that save anything, those that cost no accuracy first.
     *
     * @param limit bytes to stay within where a remedy has a number to choose; 0 for none
     */
    public List<Remedy> all(long limit) {
        List<Remedy> found = new ArrayList<>();
        int parts = parts(config, limit);
        if (segments > config.segments()) {
            TrainerConfig again = config.segments(segments);
            add(found, "--recompute", bytes(again), recomputationCost(again), true);
        }
        if (parts > config.microBatches()) {
            TrainerConfig apart = config.microBatches(parts);
            add(found, "--micro-batches " + parts, bytes(apart), partsCost(apart), !normalizes);
        }
        if (segments > config.segments() && parts > config.microBatches()) {
            int both = parts(config.segments(segments), limit);
            TrainerConfig changed = config.segments(segments).microBatches(Math.max(2, both));
            String change = "--recompute --micro-batches " + changed.microBatches();
            add(found, change, bytes(changed), recomputationCost(changed) + "; " + partsCost(changed), !normalizes);
        }
        for (int devices = 2; devices <= MOST_DEVICES && config.batch() % devices == 0; devices *= 2) {
            long gradients = network.trainableParameters() * Float.BYTES;
            String cost = String.format(Locale.ROOT, "%,d B of gradients are summed in each step", gradients);
            add(found, devices + " devices", bytes(config.batch(config.batch() / devices)), cost, !normalizes);
        }
        if (config.precision().storage() == DataType.FP32) {
            add(
                    found,
                    "--precision fp16",
                    bytes(config.precision(Precision.FP16)),
                    "activations keep 11 bits instead of 24",
                    false);
            add(
                    found,
                    "--precision bf16",
                    bytes(config.precision(Precision.BF16)),
                    "activations keep 8 bits instead of 24",
                    false);
        }
        if (config.optimizer().states() > 1) {
            add(
                    found,
                    "--optimizer sgd",
                    bytes(config.optimizer(Optimizer.sgd(0.9f))),
                    "another rate of learning",
                    false);
        }
        int fewer = limit > 0 ? largestBatch(limit) : config.batch() / 2;
        if (fewer > 0 && fewer < config.batch()) {
            add(found, "--batch " + fewer, bytes(config.batch(fewer)), "noisier gradients, more steps", false);
        }
        change(found, Surgery.largerStride(network, config.microBatch()), "coarser maps behind it");
        change(found, Surgery.removed(network, config.microBatch()), "a smaller model");
        return found;
    }

    private void change(List<Remedy> found, Surgery.@Nullable Result changed, String cost) {
        if (changed != null) {
            long before = network.trainableParameters();
            long after = changed.network().trainableParameters();
            String parameters =
                    after == before ? "" : String.format(Locale.ROOT, "; %,d instead of %,d parameters", after, before);
            add(found, changed.what(), bytes(changed.network(), config), cost + parameters, false);
        }
    }

    private void add(List<Remedy> found, String change, long bytes, String cost, boolean keepsAccuracy) {
        if (bytes < peak) {
            found.add(new Remedy(change, bytes, peak - bytes, cost, keepsAccuracy));
        }
    }

    private String recomputationCost(TrainerConfig changed) {
        try (Program p = Program.training(network, engine, changed)) {
            // Forward, gradient of the input, gradient of the weights: three passes of as many multiply-adds.
            double step = 3.0 * network.multiplyAdds() * changed.microBatch();
            double more = 100 * p.recomputedMultiplyAdds / step;
            return String.format(Locale.ROOT, "+%.1f %% multiply-adds; the same bits", more);
        }
    }

    private String partsCost(TrainerConfig changed) {
        return normalizes
                ? "batch norm sees " + changed.microBatch() + " images at a time"
                : "the same sums, added in another order";
    }

    /** The fewest parts of the batch that fit; without a limit, or if none fits, two parts. */
    private int parts(TrainerConfig from, long limit) {
        for (int parts : limit == 0 ? List.<Integer>of() : divisors()) {
            if (bytes(from.microBatches(parts)) <= limit) {
                return parts;
            }
        }
        return limit == 0 && config.batch() % 2 == 0 ? 2 : config.batch();
    }

    private List<Integer> divisors() {
        return IntStream.rangeClosed(config.microBatches(), config.batch())
                .filter(parts -> config.batch() % parts == 0)
                .boxed()
                .toList();
    }

    /** The largest batch that trains within so many bytes, 0 if not even one image does. Memory grows with the batch, and nearly linearly. */
    public int largestBatch(long limit) {
        int fits = 0;
        int tooMany = LARGEST_BATCH + 1;
        long atFits = 0;
        long atTooMany = Long.MAX_VALUE;
        int next = Math.min(config.batch(), LARGEST_BATCH);
        while (tooMany - fits > 1) {
            long bytes = bytes(config.batch(next));
            if (bytes <= limit) {
                fits = next;
                atFits = bytes;
            } else {
                tooMany = next;
                atTooMany = bytes;
            }
            next = guess(limit, fits, atFits, tooMany, atTooMany);
        }
        return fits;
    }

    /** On the straight line between the two, but never one of them; doubles or halves where one end is unknown. */
    private static int guess(long limit, int fits, long atFits, int tooMany, long atTooMany) {
        long middle;
        if (atTooMany == Long.MAX_VALUE) {
            middle = fits == 0 ? tooMany / 2 : 2L * fits;
        } else if (fits == 0) {
            middle = (long) ((double) tooMany * limit / atTooMany);
        } else {
            middle = fits + (long) ((double) (tooMany - fits) * (limit - atFits) / (atTooMany - atFits));
        }
        return (int) Math.max(fits + 1, Math.min(tooMany - 1, middle));
    }

    /**
     * The first of these that trains within so many bytes: the training as it is; micro-batches; recomputation in as few segments as do; both.
     * Micro-batches are left out where batch norm would see other batches.
     *
     * @throws OutOfMemoryException if none does
     */
    public Fit fit(long limit) {
        List<Integer> parts = normalizes ? List.of(config.microBatches()) : divisors();
        Stream<TrainerConfig> apart = parts.stream().map(config::microBatches);
        Stream<TrainerConfig> again =
                IntStream.rangeClosed(config.segments() + 1, segments).mapToObj(config::segments);
        Stream<TrainerConfig> both = parts.stream().skip(1).map(config.segments(segments)::microBatches);
        return Stream.of(apart, again, both)
                .flatMap(candidates -> candidates)
                .filter(changed -> bytes(changed) <= limit)
                .findFirst()
                .map(this::described)
                .orElseThrow(() -> explain(new OutOfMemoryException(
                        peak, limit, "nothing that keeps the accuracy is enough: change batch, precision or model")));
    }

    private Fit described(TrainerConfig changed) {
        List<String> what = new ArrayList<>();
        List<String> costs = new ArrayList<>();
        if (changed.microBatches() > config.microBatches()) {
            what.add(changed.microBatches() + " micro-batches of " + changed.microBatch());
            costs.add(partsCost(changed));
        }
        if (changed.segments() > config.segments()) {
            what.add("recomputation in " + changed.segments() + " segments");
            costs.add(recomputationCost(changed));
        }
        return new Fit(changed, String.join(" and ", what), String.join("; ", costs));
    }

    /** What an allocation that failed should have said: the tensors that take most, and what would fit. */
    OutOfMemoryException explain(OutOfMemoryException e) {
        long available = Math.max(0, e.availableBytes());
        List<Remedy> remedies = new ArrayList<>(all(available));
        List<Remedy> fitting =
                remedies.stream().filter(r -> r.peakBytes() <= available).toList();
        remedies.sort(Comparator.comparingLong(Remedy::peakBytes));
        String text = (fitting.isEmpty() ? remedies : fitting)
                .stream()
                        .limit(MOST_ADVICE)
                        .map(r -> r.change() + " (" + r.peakBytes() + " B)")
                        .collect(Collectors.joining(", "));
        String advice =
                (fitting.isEmpty() ? "smaller, but none fits alone: " : "these fit: ") + text + "; " + e.advice();
        return new OutOfMemoryException(e.requestedBytes(), e.availableBytes(), plan.largestAtPeak(), advice);
    }
}
