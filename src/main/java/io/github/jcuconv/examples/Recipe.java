package io.github.jcuconv.examples;

import static io.github.jcuconv.nn.Layer.batchNorm;
import static io.github.jcuconv.nn.Layer.conv;
import static io.github.jcuconv.nn.Layer.dense;
import static io.github.jcuconv.nn.Layer.maxPool;

import io.github.jcuconv.Engine;
import io.github.jcuconv.data.Augmentation;
import io.github.jcuconv.data.Batches;
import io.github.jcuconv.data.Dataset;
import io.github.jcuconv.data.Prefetch;
import io.github.jcuconv.io.Checkpoint;
import io.github.jcuconv.io.NamedTensor;
import io.github.jcuconv.nn.Layer;
import io.github.jcuconv.nn.Network;
import io.github.jcuconv.nn.Optimizer;
import io.github.jcuconv.nn.Precision;
import io.github.jcuconv.nn.Predictor;
import io.github.jcuconv.nn.Schedule;
import io.github.jcuconv.nn.Trainer;
import io.github.jcuconv.nn.TrainerConfig;
import io.github.jcuconv.op.Activation;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * A small CNN for digits and its training, with what may improve it switched on or off.
 *
 * @param width filters of the first stage; the second one has twice, the third one three times as many
 * @param batch images per step
 * @param precision of the training
 * @param changes what is switched on
 */
record Recipe(int width, int batch, Precision precision, Set<Change> changes) {
    /** What may improve a network or its training. The cycle comes early: at a constant rate the noise of the last steps hides the rest. */
    enum Change {
        /** Two convolutions in each stage instead of one. */
        DEEPER("two convolutions a stage"),
        /** The rate rises and falls instead of staying as it is. */
        CYCLE("one cycle of the rate"),
        /** Batch norm behind each convolution. */
        NORMALISED("batch norm"),
        /** Training images are moved, turned and scaled at random. */
        AUGMENTED("augmentation"),
        /** The weights are an average over the last steps. */
        AVERAGED("averaged weights"),
        /** An image is answered by the mean over nine moved copies: nothing is trained for it. */
        VIEWED("nine views of an image");

        final String words;

        Change(String words) {
            this.words = words;
        }
    }

    private static final int STAGES = 3;
    private static final float RATE = 1e-3f;
    private static final float HIGHEST_RATE = 4e-3f;
    private static final int AVERAGE_EVERY = 10;
    /** Of a training, the last part that the average is over. */
    private static final float LAST = 0.05f;

    /**
     * What a training gave.
     *
     * @param weights by name
     * @param curve right answers of the validation part after each epoch, per cent; empty where there was none
     */
    record Trained(Map<String, float[]> weights, List<Double> curve) {}

    /** The same with one thing more. */
    Recipe with(Change change) {
        Set<Change> more = new TreeSet<>(changes);
        more.add(change);
        return new Recipe(width, batch, precision, more);
    }

    private boolean has(Change change) {
        return changes.contains(change);
    }

    /** What is switched on in training, as a part of a folder's name. */
    String label() {
        return changes.stream()
                .filter(c -> c != Change.VIEWED)
                .map(c -> "-" + c.name().toLowerCase(Locale.ROOT))
                .collect(Collectors.joining());
    }

    Network network() {
        Network.Builder net = Network.input("mnist-best", 1, 28, 28);
        for (int stage = 1; stage <= STAGES; stage++) {
            for (int i = 1; i <= (has(Change.DEEPER) ? 2 : 1); i++) {
                String name = "conv" + stage + "." + i;
                Layer.Conv conv = conv(stage * width, 3).same();
                if (has(Change.NORMALISED)) {
                    net.add(name, conv.noBias())
                            .add(name + ".norm", batchNorm())
                            .add(name + ".relu", new Layer.Activate(Activation.Kind.RELU));
                } else {
                    net.add(name, conv.relu());
                }
            }
            net.add("pool" + stage, maxPool(2, 2));
        }
        return net.add("fc1", dense(4 * width).relu())
                .add("drop", new Layer.Drop(0.25f, 0))
                .add("fc2", dense(10))
                .build();
    }

    /** Trains, or loads what an earlier call saved in the folder. Without {@code validated} the test part is not looked at. */
    Trained trained(Engine engine, Dataset data, boolean validated, int epochs, long seed, Path folder) {
        if (!Checkpoint.exists(folder)) {
            save(folder, train(engine, data, validated, epochs, seed));
        }
        try (Checkpoint saved = Checkpoint.load(folder)) {
            Map<String, float[]> weights = new LinkedHashMap<>();
            for (String name : saved.weights().names()) {
                weights.put(name, saved.weights().readFloats(name));
            }
            List<?> curve = (List<?>) saved.config().getOrDefault("curve", List.of());
            return new Trained(
                    weights, curve.stream().map(v -> ((Number) v).doubleValue()).toList());
        }
    }

    private static void save(Path folder, Trained trained) {
        List<NamedTensor> tensors = new ArrayList<>();
        trained.weights.forEach(
                (name, values) -> tensors.add(NamedTensor.of(name, FloatBuffer.wrap(values), values.length)));
        Checkpoint.save(folder, 0, Map.of("curve", trained.curve), tensors);
    }

    private Trained train(Engine engine, Dataset data, boolean validated, int epochs, long seed) {
        boolean averaged = has(Change.AVERAGED);
        Batches batches = Batches.shuffled(data, batch, seed)
                .augmented(has(Change.AUGMENTED) ? Augmentation.usual(data) : Augmentation.NONE);
        Schedule schedule = has(Change.CYCLE) ? new Schedule.OneCycle(HIGHEST_RATE) : new Schedule.Constant(RATE);
        TrainerConfig config = new TrainerConfig(
                batch, precision, Optimizer.adam(), schedule, (long) epochs * batches.batchCount(), seed);
        float part = Math.min(1, AVERAGE_EVERY / (LAST * config.totalSteps()));
        List<Double> curve = new ArrayList<>();
        try (Trainer trainer = new Trainer(network(), engine, config)) {
            Map<String, float[]> average = trainer.parameters();
            for (int epoch = 0; epoch < epochs; epoch++) {
                batches.startEpoch(epoch);
                try (Prefetch prefetch = new Prefetch(batches, FloatBuffer::allocate)) {
                    int step = 0;
                    for (Prefetch.Batch b = prefetch.next(); b != null; b = prefetch.next()) {
                        trainer.step(b.x().array(), b.labels().array());
                        if (averaged && ++step % AVERAGE_EVERY == 0) {
                            approach(average, trainer.parameters(), part);
                        }
                    }
                }
                if (validated) {
                    curve.add(Classifier.accuracy(
                            averaged ? answers(engine, data, average) : Classifier.answers(trainer::infer, data, batch),
                            data));
                }
                if (epoch == epochs - 1) {
                    return new Trained(averaged ? average : trainer.parameters(), curve);
                }
            }
        }
        throw new IllegalArgumentException("epochs " + epochs + ": must be at least 1");
    }

    /** Moves an exponential average on; that of batch norm's statistics too. */
    private static void approach(Map<String, float[]> average, Map<String, float[]> now, float part) {
        average.forEach((name, mean) -> {
            float[] values = Objects.requireNonNull(now.get(name));
            for (int i = 0; i < mean.length; i++) {
                mean[i] += part * (values[i] - mean[i]);
            }
        });
    }

    /** What the network answers to the test images; see {@link Classifier#answers} and {@link Classifier#views}. */
    float[] answers(Engine engine, Dataset data, Map<String, float[]> weights) {
        try (Predictor predictor = new Predictor(network(), engine, batch, Precision.FP32, weights)) {
            return has(Change.VIEWED)
                    ? Classifier.views(predictor::infer, data, batch)
                    : Classifier.answers(predictor::infer, data, batch);
        }
    }
}
