package io.github.jcuconv.examples;

import io.github.jcuconv.Engine;
import io.github.jcuconv.data.Batches;
import io.github.jcuconv.data.Dataset;
import io.github.jcuconv.data.Split;
import io.github.jcuconv.nn.Network;
import io.github.jcuconv.nn.Optimizer;
import io.github.jcuconv.nn.Precision;
import io.github.jcuconv.nn.Schedule;
import io.github.jcuconv.nn.Trainer;
import io.github.jcuconv.nn.TrainerConfig;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.Map;
import java.util.function.UnaryOperator;

/** A network trained for an example: Adam, one cycle of the rate, fp32. */
final class Classifier implements AutoCloseable {
    private static final int BATCH = 50;
    private static final float RATE = 3e-3f;
    private static final int VIEWS = 9;

    private final Trainer trainer;
    private final double seconds;

    /** Trains on the data's training part, from random weights. */
    Classifier(Engine engine, Network network, Dataset data, int epochs, long seed) {
        this(engine, network, data, epochs, seed, Map.of());
    }

    /** Trains; the parameters named begin with the values given, the others at random. */
    Classifier(Engine engine, Network network, Dataset data, int epochs, long seed, Map<String, float[]> from) {
        Batches batches = Batches.shuffled(data, BATCH, seed);
        long steps = (long) epochs * batches.batchCount();
        Schedule schedule = new Schedule.OneCycle(RATE);
        this.trainer = new Trainer(
                network, engine, new TrainerConfig(BATCH, Precision.FP32, Optimizer.adam(), schedule, steps, seed));
        trainer.setParameters(from);
        long began = System.nanoTime();
        float[] x = new float[batches.batchElements()];
        int[] labels = new int[BATCH];
        for (int epoch = 0; epoch < epochs; epoch++) {
            batches.startEpoch(epoch);
            while (batches.hasNext()) {
                batches.next(FloatBuffer.wrap(x), IntBuffer.wrap(labels));
                trainer.step(x, labels);
            }
        }
        trainer.loss();
        this.seconds = (System.nanoTime() - began) / 1e9;
    }

    /** Per cent of the test images that it classifies rightly, with two decimals. */
    double accuracy(Dataset data) {
        return accuracy(trainer::infer, data, BATCH);
    }

    /** The same of any network; {@code infer} maps a batch of images to batch x classes. */
    static double accuracy(UnaryOperator<float[]> infer, Dataset data, int batch) {
        return rounded(accuracy(answers(infer, data, batch), data), 100);
    }

    /** What a network answers to the test images: images x classes. */
    static float[] answers(UnaryOperator<float[]> infer, Dataset data, int batch) {
        Batches batches = Batches.inOrder(data, batch);
        float[] x = new float[batches.batchElements()];
        int[] labels = new int[batch];
        float[] all = new float[data.test().count() * data.classes()];
        for (int at = 0; batches.hasNext(); ) {
            int numbers = batches.next(FloatBuffer.wrap(x), IntBuffer.wrap(labels)) * data.classes();
            System.arraycopy(infer.apply(x), 0, all, at, numbers);
            at += numbers;
        }
        return all;
    }

    /** The mean of what it answers to nine copies of each image, moved by up to one pixel; the border is repeated. */
    static float[] views(UnaryOperator<float[]> infer, Dataset data, int batch) {
        float[] mean = new float[data.test().count() * data.classes()];
        for (int view = 0; view < VIEWS; view++) {
            int down = view / 3 - 1;
            int right = view % 3 - 1;
            float[] answers = answers(x -> infer.apply(moved(x, data.test(), down, right)), data, batch);
            for (int i = 0; i < mean.length; i++) {
                mean[i] += answers[i] / VIEWS;
            }
        }
        return mean;
    }

    private static float[] moved(float[] x, Split shape, int down, int right) {
        float[] moved = new float[x.length];
        for (int i = 0; i < x.length; i++) {
            int p = i % (shape.height() * shape.width());
            int h = Math.min(shape.height() - 1, Math.max(0, p / shape.width() - down));
            int w = Math.min(shape.width() - 1, Math.max(0, p % shape.width() - right));
            moved[i] = x[i - p + h * shape.width() + w];
        }
        return moved;
    }

    /** Per cent of the test images to which the largest number of their answer is that of their class. */
    static double accuracy(float[] answers, Dataset data) {
        int right = 0;
        for (int i = 0; i < data.test().count(); i++) {
            int best = argmax(answers, i * data.classes(), data.classes(), 1);
            right += best == data.test().label(i) ? 1 : 0;
        }
        return 100.0 * right / data.test().count();
    }

    /** Seconds that the training took. */
    double seconds() {
        return rounded(seconds, 10);
    }

    /** MiB of activations that a step keeps for its backward pass. */
    double keptMebibytes() {
        return rounded(trainer.keptActivationBytes() / 1048576.0, 100);
    }

    Map<String, float[]> parameters() {
        return trainer.parameters();
    }

    /** The place of the largest of {@code count} numbers, {@code pitch} apart. */
    static int argmax(float[] values, int from, int count, int pitch) {
        int best = 0;
        for (int i = 1; i < count; i++) {
            best = values[from + i * pitch] > values[from + best * pitch] ? i : best;
        }
        return best;
    }

    static double rounded(double value, int parts) {
        return Math.rint(value * parts) / parts;
    }

    /** The same data with a training part of the first {@code n} images. */
    static Dataset first(Dataset data, int n) {
        return new Dataset(data.name(), data.train().first(n), data.test(), data.classes(), data.mean(), data.std());
    }

    /** The same data with test images moved by {@code by} pixels: image i right, left, down or up in turns; what leaves is lost. */
    static Dataset shifted(Dataset data, int by) {
        Split test = data.test();
        int[] right = {by, -by, 0, 0};
        int[] down = {0, 0, by, -by};
        byte[] images = new byte[test.count() * test.imageSize()];
        byte[] labels = new byte[test.count()];
        for (int i = 0; i < test.count(); i++) {
            labels[i] = (byte) test.label(i);
            for (int p = 0; p < test.imageSize(); p++) {
                int h = p / test.width() % test.height() - down[i % 4];
                int w = p % test.width() - right[i % 4];
                boolean inside = h >= 0 && h < test.height() && w >= 0 && w < test.width();
                int from = p - down[i % 4] * test.width() - right[i % 4];
                images[i * test.imageSize() + p] = inside ? test.image(i).get(from) : 0;
            }
        }
        Split moved = Split.of(images, labels, test.channels(), test.height(), test.width());
        return new Dataset(data.name(), data.train(), moved, data.classes(), data.mean(), data.std());
    }

    @Override
    public void close() {
        trainer.close();
    }
}
