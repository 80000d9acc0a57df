package io.github.jcuconv.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.jcuconv.Dims;
import io.github.jcuconv.Engine;
import io.github.jcuconv.nn.Network;
import io.github.jcuconv.nn.Optimizer;
import io.github.jcuconv.nn.Precision;
import io.github.jcuconv.nn.Schedule;
import io.github.jcuconv.nn.Trainer;
import io.github.jcuconv.nn.TrainerConfig;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Each family can learn: a narrow form fits a few images completely. And each full form runs one step. */
class OverfitTest {
    private static final int IMAGES = 8;
    private static final int CLASSES = 4;

    /** Images that are noise around one pattern per class, and their labels, one per output pixel. */
    private record Data(float[] x, int[] labels) {
        static Data of(Network network) {
            Dims in = network.input();
            Dims out = network.output().output();
            int pixels = out.h() * out.w();
            Random random = new Random(3);
            float[][] patterns = new float[CLASSES][(int) in.count()];
            for (float[] pattern : patterns) {
                for (int i = 0; i < pattern.length; i++) {
                    pattern[i] = (float) random.nextGaussian();
                }
            }
            float[] x = new float[IMAGES * (int) in.count()];
            int[] labels = new int[IMAGES * pixels];
            for (int i = 0; i < IMAGES; i++) {
                for (int e = 0; e < in.count(); e++) {
                    x[i * (int) in.count() + e] = patterns[i % CLASSES][e] + 0.3f * (float) random.nextGaussian();
                }
                java.util.Arrays.fill(labels, i * pixels, (i + 1) * pixels, i % CLASSES);
            }
            return new Data(x, labels);
        }
    }

    private static TrainerConfig config(int batch, float rate) {
        return new TrainerConfig(batch, Precision.FP32, Optimizer.adam(), new Schedule.Constant(rate), 1000, 7);
    }

    /** Trains until all outputs are right, at most so many steps. */
    private static void overfit(String model, int channels, int size, double width, int steps, float rate) {
        Network network = Models.get(model, new Dims(1, channels, size, size), CLASSES, width);
        Data data = Data.of(network);
        double best = 0;
        try (Engine engine = Engine.open("onednn");
                Trainer trainer = new Trainer(network, engine, config(IMAGES, rate))) {
            for (int step = 0; step < steps && best < 1; step++) {
                trainer.step(data.x(), data.labels());
                if (step % 5 == 4) {
                    best = Math.max(best, accuracy(trainer.infer(data.x()), data.labels(), network));
                }
            }
        }
        assertEquals(1, best, model + " after at most " + steps + " steps");
    }

    private static double accuracy(float[] logits, int[] labels, Network network) {
        Dims out = network.output().output();
        int pixels = out.h() * out.w();
        int right = 0;
        for (int i = 0; i < labels.length; i++) {
            int at = i / pixels * out.c() * pixels + i % pixels;
            int best = 0;
            for (int c = 1; c < out.c(); c++) {
                best = logits[at + c * pixels] > logits[at + best * pixels] ? c : best;
            }
            right += best == labels[i] ? 1 : 0;
        }
        return (double) right / labels.length;
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "lenet5-1998, 1, 28, 1,      100, 0.003",
        "alexnet,     3, 67, 0.0625, 300, 0.002",
        "googlenet,   3, 32, 0.125,  300, 0.003",
        "se-resnet50, 3, 32, 0.125,  200, 0.003",
        "fcn8s,       3, 32, 0.0625, 400, 0.003",
    })
    void a_narrow_form_fits_a_few_images(String model, int channels, int size, double width, int steps, float rate) {
        overfit(model, channels, size, width, steps, rate);
    }

    @Tag("full")
    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "lenet5,      1, 28, 1,      200, 0.002",
        "mnist-cnn,   1, 28, 0.5,    200, 0.002",
        "peer-cnn,    1, 28, 0.5,    200, 0.002",
        "dense-mnist, 1, 28, 1,      200, 0.002",
        "three-layer, 3, 32, 0.25,   300, 0.003",
        "vgg16,       3, 32, 0.125,  600, 0.001",
        "resnet18,    3, 32, 0.125,  200, 0.003",
        "resnet34,    3, 32, 0.125,  300, 0.003",
        "resnet50,    3, 32, 0.125,  300, 0.003",
        "resnet101,   3, 32, 0.125,  200, 0.001",
        "resnet152,   3, 32, 0.125,  200, 0.001",
        "senet154,    3, 32, 0.0625, 300, 0.003",
        "xception,    3, 64, 0.125,  300, 0.003",
        "fcn32s,      3, 32, 0.0625, 600, 0.003",
        "fcn16s,      3, 32, 0.0625, 600, 0.003",
    })
    void every_other_narrow_form_too(String model, int channels, int size, double width, int steps, float rate) {
        overfit(model, channels, size, width, steps, rate);
    }

    /** At full size with batch 1 and Adam: the memory is what was predicted, and the step leaves finite numbers. */
    @Tag("full")
    @ParameterizedTest(name = "{0}")
    @MethodSource("io.github.jcuconv.models.Models#names")
    void the_full_form_runs_a_step(String model) {
        Network network = Models.get(model);
        try (Engine engine = Engine.open("onednn")) {
            long bytes = Trainer.predict(network, engine, config(1, 1e-4f)).predictedBytes();
            System.out.printf("%s: a training step of 1 image takes %,d B%n", model, bytes);
            try (Trainer trainer = new Trainer(network, engine, config(1, 1e-4f))) {
                assertEquals(bytes, engine.ledger().liveBytes());
                Dims out = network.output().output();
                trainer.step(new float[(int) network.input().count()], new int[out.h() * out.w()]);
                assertTrue(Float.isFinite(trainer.loss()), model + ": loss " + trainer.loss());
            }
        }
    }
}
