package io.github.jcuconv.cli;

import io.github.jcuconv.Dims;
import io.github.jcuconv.Engine;
import io.github.jcuconv.data.Augmentation;
import io.github.jcuconv.data.Batches;
import io.github.jcuconv.data.Dataset;
import io.github.jcuconv.data.Prefetch;
import io.github.jcuconv.memory.MemoryPlan;
import io.github.jcuconv.models.Models;
import io.github.jcuconv.nn.Network;
import io.github.jcuconv.nn.Remedies;
import io.github.jcuconv.nn.Trainer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** One training from the first batch, or from a saved model, to the last epoch. Prints nothing: a {@link Listener} may. */
final class TrainRun {
    /** The loss is averaged over every so-manieth step: reading it waits for the step. */
    static final int LOSS_EVERY = 10;

    /** Hears how it goes. */
    interface Listener {
        /** An epoch begins; {@code done} epochs lie behind. */
        void begin(int done);

        /** After each step; {@code loss} waits for the step, so it is asked only when shown. */
        void step(int epoch, int step, int steps, Trainer trainer);

        /** An epoch is over and saved. */
        void end(Epoch epoch);

        /** Everything is done, and the trainer still there. */
        default void done(Network network, Trainer trainer) {}
    }

    /**
     * What an epoch gave.
     *
     * @param number from 1
     * @param loss mean loss while training
     * @param accuracy share of the test images that are right
     * @param seconds of training, without test and saving
     * @param images trained on
     */
    record Epoch(int number, double loss, double accuracy, double seconds, long images) {}

    /**
     * What a training gave.
     *
     * @param seconds of training in this run, without tests and saving
     * @param images trained on in this run, 0 if everything was done before
     * @param measuredBytes the most that the engine's allocator gave out
     * @param pinnedBytes host memory beside them, for copies
     * @param keptActivationBytes of these, floating-point activations that the backward pass needs
     */
    record Result(
            Settings settings,
            double accuracy,
            double seconds,
            long images,
            String weightsSha256,
            MemoryPlan memory,
            long measuredBytes,
            long pinnedBytes,
            long keptActivationBytes) {
        double imagesPerSecond() {
            return seconds > 0 ? images / seconds : 0;
        }
    }

    private final Settings settings;
    private final Dataset data;
    private final Engine engine;
    private final Listener listener;
    private final Network network;
    private final Batches batches;

    /** Checks that model, data and batch fit together; trains nothing yet. */
    TrainRun(Settings settings, Dataset data, Engine engine, Listener listener) {
        this.settings = settings;
        this.data = data;
        this.engine = engine;
        this.listener = listener;
        Network whole = network(settings.model(), data);
        this.network = settings.frozen().isEmpty() ? whole : whole.frozenThrough(settings.frozen());
        this.batches = Batches.shuffled(data, settings.batch(), settings.seed())
                .augmented(settings.augment() ? Augmentation.usual(data) : Augmentation.NONE);
    }

    /** A model for the images and classes of a data set. */
    static Network network(String model, Dataset data) {
        Dims input = new Dims(
                1, data.train().channels(), data.train().height(), data.train().width());
        Network network = Models.get(model, input, data.classes());
        if (!network.output().output().equals(Dims.vector(data.classes()))) {
            throw new IllegalArgumentException(
                    "--model " + model + " gives " + network.output().output() + " outputs for an image of " + input
                            + "; the data has one label of " + data.classes());
        }
        return network;
    }

    /** The memory that {@link #run} will take. */
    MemoryPlan predict() {
        return Trainer.predict(network, engine, settings.config(totalSteps()));
    }

    /**
     * What makes the training fit.
     *
     * @throws io.github.jcuconv.OutOfMemoryException if nothing that keeps the accuracy does
     */
    Remedies.Fit fit(long limit) {
        return new Remedies(network, engine, settings.config(totalSteps())).fit(limit);
    }

    private long totalSteps() {
        return (long) settings.epochs() * batches.batchCount();
    }

    /**
     * Trains.
     *
     * @param folder where the model is saved after each epoch, null to save nothing
     * @param from what to go on from, null to begin anew
     * @param begin parameters to begin anew with, the others being random
     */
    Result run(@Nullable Path folder, @Nullable SavedModel from, Map<String, float[]> begin) {
        try (Trainer trainer = new Trainer(network, engine, settings.config(totalSteps()))) {
            int done = 0;
            if (from == null) {
                trainer.setParameters(begin);
            } else {
                from.requireSame(settings, data);
                trainer.restore(from.state());
                done = (int) from.number("epochsDone");
            }
            double seconds = 0;
            long images = 0;
            double accuracy = done == settings.epochs() ? accuracy(trainer::infer, data, settings.batch()) : 0;
            while (done < settings.epochs()) {
                listener.begin(done);
                Epoch epoch = epoch(trainer, done++);
                accuracy = epoch.accuracy();
                seconds += epoch.seconds();
                images += epoch.images();
                if (folder != null) {
                    SavedModel.save(folder, settings, data, network, trainer.state(), done, accuracy);
                }
                listener.end(epoch);
            }
            listener.done(network, trainer);
            return new Result(
                    settings,
                    accuracy,
                    seconds,
                    images,
                    sha256(trainer.parameters()),
                    trainer.memory(),
                    engine.ledger().peakBytes(),
                    trainer.pinnedBytes(),
                    trainer.keptActivationBytes());
        }
    }

    private Epoch epoch(Trainer trainer, int done) {
        batches.startEpoch(done);
        int steps = batches.batchCount();
        double lossSum = 0;
        int losses = 0;
        long began = System.nanoTime();
        try (Prefetch prefetch = new Prefetch(batches, FloatBuffer::allocate)) {
            Prefetch.Batch batch = prefetch.next();
            for (int step = 1; batch != null; step++) {
                trainer.step(batch.x().array(), batch.labels().array());
                if (step % LOSS_EVERY == 0 || step == steps) {
                    lossSum += finite(trainer.loss(), done + 1, step);
                    losses++;
                }
                listener.step(done + 1, step, steps, trainer);
                batch = prefetch.next();
            }
        }
        double seconds = (System.nanoTime() - began) / 1e9;
        double accuracy = accuracy(trainer::infer, data, settings.batch());
        return new Epoch(done + 1, lossSum / losses, accuracy, seconds, batches.imageCount());
    }

    private static float finite(float loss, int epoch, int step) {
        if (!Float.isFinite(loss)) {
            throw new Failure("the loss is " + loss + " in epoch " + epoch + ", step " + step
                    + ": the training diverged; lower --rate");
        }
        return loss;
    }

    /**
     * The share of a data set's test images that are classified rightly.
     *
     * @param infer maps a batch of images to batch x classes
     */
    static double accuracy(UnaryOperator<float[]> infer, Dataset data, int batch) {
        Batches test = Batches.inOrder(data, batch);
        long right = 0;
        try (Prefetch prefetch = new Prefetch(test, FloatBuffer::allocate)) {
            for (Prefetch.Batch b = prefetch.next(); b != null; b = prefetch.next()) {
                float[] y = infer.apply(b.x().array());
                for (int i = 0; i < b.count(); i++) {
                    right += argmax(y, i * data.classes(), data.classes())
                                    == b.labels().get(i)
                            ? 1
                            : 0;
                }
            }
        }
        return (double) right / data.test().count();
    }

    /** Where the largest of {@code length} numbers stands, counted from the offset; the first of equals. */
    static int argmax(float[] values, int offset, int length) {
        int best = 0;
        for (int i = 1; i < length; i++) {
            if (values[offset + i] > values[offset + best]) {
                best = i;
            }
        }
        return best;
    }

    /** SHA-256 over the fp32 little-endian bytes of all parameters in the order of their names. */
    static String sha256(Map<String, float[]> parameters) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (float[] values : new TreeMap<>(parameters).values()) {
                ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
                bytes.asFloatBuffer().put(values);
                digest.update(bytes);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
