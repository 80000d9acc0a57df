package io.github.jcuconv.examples;

import static io.github.jcuconv.nn.Layer.conv;
import static io.github.jcuconv.nn.Layer.dense;
import static io.github.jcuconv.nn.Layer.maxPool;

import io.github.jcuconv.Engine;
import io.github.jcuconv.data.Dataset;
import io.github.jcuconv.data.Digits;
import io.github.jcuconv.data.Split;
import io.github.jcuconv.nn.Layer;
import io.github.jcuconv.nn.Network;
import io.github.jcuconv.nn.Precision;
import io.github.jcuconv.nn.Predictor;
import io.github.jcuconv.op.Padding;
import io.github.jcuconv.op.Window;
import io.github.jcuconv.report.Picture;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;

/**
 * A trained classifier whose dense layers become convolutions with the same numbers: equal at its own size, and on a larger image it gives in
 * one pass what the classifier gives in a window moved over it. And a transposed convolution that enlarges bilinearly.
 */
final class FullyConvolutional implements Example {
    private static final int DIGIT = 28;
    private static final int HEIGHT = 56;
    private static final int WIDTH = 112;
    private static final int CLASSES = 10;
    /** Two poolings: neighbours of the output are windows 4 pixels apart. */
    private static final int STEP = 4;

    private static final int SCALE = 4;

    @Override
    public String question() {
        return "How does a classifier become a fully convolutional network?";
    }

    private static Network network(int h, int w, boolean convolutional) {
        Network.Builder net = Network.input(convolutional ? "convolutional" : "dense", 1, h, w)
                .add("conv1", conv(8, 5).relu())
                .add("pool1", maxPool(2, 2))
                .add("conv2", conv(16, 5).relu())
                .add("pool2", maxPool(2, 2));
        return convolutional
                ? net.add("fc1", conv(64, 4).relu())
                        .add("fc2", conv(CLASSES, 1))
                        .build()
                : net.add("fc1", dense(64).relu()).add("fc2", dense(CLASSES)).build();
    }

    @Override
    public Finding run(Engine engine, boolean quick, long seed) {
        Dataset data = Digits.make(seed, quick ? 4_000 : Digits.TRAIN, 200);
        Network small = network(DIGIT, DIGIT, false);
        Map<String, float[]> parameters;
        double accuracy;
        try (Classifier c = new Classifier(engine, small, data, quick ? 5 : 8, seed)) {
            parameters = c.parameters();
            accuracy = c.accuracy(data);
        }
        int[][] places = {{0, 0}, {28, 40}, {12, 84}};
        float[] scene = new float[HEIGHT * WIDTH];
        Arrays.fill(scene, pixel(data, 0));
        for (int i = 0; i < places.length; i++) {
            for (int p = 0; p < DIGIT * DIGIT; p++) {
                int at = (places[i][0] + p / DIGIT) * WIDTH + places[i][1] + p % DIGIT;
                scene[at] = pixel(data, data.test().image(i).get(p) & 0xff);
            }
        }
        Network large = network(HEIGHT, WIDTH, true);
        float[] map = infer(engine, large, parameters, scene);
        int rows = large.output().output().h();
        int columns = large.output().output().w();
        double apart = 0;
        int found = 0;
        try (Predictor window = new Predictor(small, engine, 1, Precision.FP32, parameters)) {
            for (int i = 0; i < rows; i++) {
                for (int j = 0; j < columns; j++) {
                    float[] logits = window.infer(crop(scene, i * STEP, j * STEP));
                    for (int k = 0; k < CLASSES; k++) {
                        apart = Math.max(apart, Math.abs(logits[k] - map[(k * rows + i) * columns + j]));
                    }
                }
            }
        }
        for (int i = 0; i < places.length; i++) {
            int cell = places[i][0] / STEP * columns + places[i][1] / STEP;
            found += Classifier.argmax(map, cell, CLASSES, rows * columns)
                            == data.test().label(i)
                    ? 1
                    : 0;
        }
        float[] digit = crop(scene, places[1][0], places[1][1]);
        double same = distance(
                infer(engine, small, parameters, digit), infer(engine, network(DIGIT, DIGIT, true), parameters, digit));
        double sliding = (double) rows * columns * small.multiplyAdds() / large.multiplyAdds();
        Finding finding = new Finding()
                .table("what", "number")
                .row("classifier, test %", accuracy)
                .row("largest difference at " + DIGIT + "x" + DIGIT, same)
                .row("outputs on " + HEIGHT + "x" + WIDTH, rows * columns)
                .row("largest difference to the moved window", apart)
                .row("digits of 3 named at their places", found)
                .row("multiply-adds of the moved window / of one pass", Classifier.rounded(sliding, 10))
                .row("transposed convolution against bilinear resize", bilinear(engine));
        return finding.chart(chart(scene, map, columns, data.test()))
                .answer(
                        "The weights stay the same numbers; one pass over the larger image replaces %d windows for 1/%.0f of the work.",
                        rows * columns, sliding);
    }

    /** The scene, and for each of its digits how probable that class is for the window around each place. */
    private static String chart(float[] scene, float[] map, int columns, Split digits) {
        int[] rgb = new int[scene.length];
        for (int p = 0; p < rgb.length; p++) {
            rgb[p] = Math.round(255 * Math.max(0, Math.min(1, (scene[p] - scene[0]) / 4))) * 0x010101;
        }
        StringBuilder svg = new StringBuilder(Picture.svg(rgb, WIDTH, 0, 0, SCALE));
        int cells = map.length / CLASSES;
        int top = HEIGHT * SCALE + 30;
        for (int digit = 0; digit < 3; digit++) {
            int[] heat = new int[cells];
            for (int cell = 0; cell < cells; cell++) {
                double sum = 0;
                for (int k = 0; k < CLASSES; k++) {
                    sum += Math.exp(map[k * cells + cell] - map[digits.label(digit) * cells + cell]);
                }
                heat[cell] = Math.round(255 / (float) sum) << 16;
            }
            svg.append(Picture.words(0, top + 14, "a " + digits.label(digit) + "?"));
            // A cell stands where the middle of its window is in the scene.
            svg.append(Picture.svg(heat, columns, DIGIT / 2 * SCALE, top, STEP * SCALE));
            top += cells / columns * STEP * SCALE + 30;
        }
        return Picture.file(WIDTH * SCALE, top, svg);
    }

    private static float pixel(Dataset data, int value) {
        return (value / 255f - data.mean()) / data.std();
    }

    private static float[] crop(float[] scene, int top, int left) {
        float[] window = new float[DIGIT * DIGIT];
        for (int h = 0; h < DIGIT; h++) {
            System.arraycopy(scene, (top + h) * WIDTH + left, window, h * DIGIT, DIGIT);
        }
        return window;
    }

    private static float[] infer(Engine engine, Network network, Map<String, float[]> parameters, float[] x) {
        try (Predictor predictor = new Predictor(network, engine, 1, Precision.FP32, parameters)) {
            return predictor.infer(x);
        }
    }

    private static double distance(float[] a, float[] b) {
        double most = a.length == b.length ? 0 : Double.POSITIVE_INFINITY;
        for (int i = 0; i < Math.min(a.length, b.length); i++) {
            most = Math.max(most, Math.abs(a[i] - b[i]));
        }
        return most;
    }

    /** Doubles a 6 x 6 image with the filter of bilinear interpolation; the largest difference to the formula, borders apart. */
    private static double bilinear(Engine engine) {
        int n = 6;
        float[] x = new float[n * n];
        for (int i = 0; i < x.length; i++) {
            x[i] = i * 7 % 11;
        }
        float[] line = {0.25f, 0.75f, 0.75f, 0.25f};
        float[] filter = new float[16];
        for (int i = 0; i < 16; i++) {
            filter[i] = line[i / 4] * line[i % 4];
        }
        Window window = Window.of(4, 4).stride(2, 2).pad(Padding.of(1));
        Network network = Network.input("double", 1, n, n)
                .add("up", new Layer.ConvTranspose(1, window, 0, 1, false, Optional.empty()))
                .build();
        float[] y = infer(engine, network, Map.of("up.weight", filter), x);
        double most = 0;
        for (int p = 1; p < 2 * n - 1; p++) {
            for (int q = 1; q < 2 * n - 1; q++) {
                double h = (p + 0.5) / 2 - 0.5;
                double w = (q + 0.5) / 2 - 0.5;
                int top = (int) h;
                int left = (int) w;
                double a = h - top;
                double b = w - left;
                double resized = (1 - a) * ((1 - b) * x[top * n + left] + b * x[top * n + left + 1])
                        + a * ((1 - b) * x[(top + 1) * n + left] + b * x[(top + 1) * n + left + 1]);
                most = Math.max(most, Math.abs(resized - y[p * 2 * n + q]));
            }
        }
        return most;
    }
}
