package io.github.jcuconv.examples;

import static io.github.jcuconv.nn.Layer.conv;
import static io.github.jcuconv.nn.Layer.dense;
import static io.github.jcuconv.nn.Layer.maxPool;

import io.github.jcuconv.Dims;
import io.github.jcuconv.Engine;
import io.github.jcuconv.data.Batches;
import io.github.jcuconv.data.Dataset;
import io.github.jcuconv.data.Digits;
import io.github.jcuconv.nn.Layer;
import io.github.jcuconv.nn.Network;
import io.github.jcuconv.nn.Precision;
import io.github.jcuconv.nn.Predictor;
import io.github.jcuconv.report.Picture;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * A trained network cut off behind each of its layers in turn: how many of its numbers are above 0, and how well the nearest of the classes' means,
 * taken over these numbers for the training images, names the class of a test image.
 */
final class FeatureMaps implements Example {
    private static final int CLASSES = 10;
    static final int BATCH = 100;
    private static final int SIZE = 28;
    private static final int DIGITS = 3;
    /** Sides of every picture, whatever the size of its map, and the room for it. */
    private static final int SIDE = 56;

    private static final int CELL = 60;
    private static final int MOST_MAPS = 16;

    @Override
    public String question() {
        return "What do feature maps hold, layer by layer?";
    }

    private static Map<String, Layer> layers() {
        Map<String, Layer> layers = new LinkedHashMap<>();
        layers.put("conv1", conv(8, 5).pad(2).relu());
        layers.put("pool1", maxPool(2, 2));
        layers.put("conv2", conv(MOST_MAPS, 5).pad(2).relu());
        layers.put("pool2", maxPool(2, 2));
        layers.put("fc1", dense(64).relu());
        layers.put("fc2", dense(CLASSES));
        return layers;
    }

    /** The network up to a layer. */
    private static Network upTo(String last) {
        Network.Builder net = Network.input("maps", 1, SIZE, SIZE);
        for (Map.Entry<String, Layer> layer : layers().entrySet()) {
            net.add(layer.getKey(), layer.getValue());
            if (layer.getKey().equals(last)) {
                break;
            }
        }
        return net.build();
    }

    @Override
    public Finding run(Engine engine, boolean quick, long seed) {
        Dataset data = Digits.make(seed, quick ? 3_000 : Digits.TRAIN, quick ? 1_000 : Digits.TEST);
        Map<String, float[]> parameters;
        double accuracy;
        try (Classifier c = new Classifier(engine, upTo("fc2"), data, quick ? 5 : 8, seed)) {
            parameters = c.parameters();
            accuracy = c.accuracy(data);
        }
        double[] pixels = nearestMean(data, SIZE * SIZE, x -> x);
        Finding finding = new Finding()
                .table("behind", "numbers", "above 0 %", "the nearest mean is right %")
                .row("the image", SIZE * SIZE, pixels[0], pixels[1]);
        StringBuilder svg = new StringBuilder();
        int rows = 0;
        for (String name : layers().keySet()) {
            Network network = upTo(name);
            Dims out = network.output().output();
            try (Predictor predictor = new Predictor(network, engine, BATCH, Precision.FP32, parameters)) {
                double[] found = nearestMean(data, (int) out.perImage(), predictor::infer);
                finding.row(name, out.perImage(), found[0], found[1]);
                if (out.h() > 1) {
                    draw(svg, name, out, predictor, data, rows);
                    rows += DIGITS;
                }
            }
        }
        return finding.chart(Picture.file((MOST_MAPS + 2) * CELL, rows * CELL + 8, svg))
                .answer(
                        "From layer to layer images of one class come closer together: the nearest mean is right for %.0f %% of the test "
                                + "images by their pixels, for %.0f %% behind pool2 and for %.0f %% behind fc1; the network itself is for %.0f %%.",
                        pixels[1],
                        finding.tables().get(0).number("pool2", "the nearest mean is right %"),
                        finding.tables().get(0).number("fc1", "the nearest mean is right %"),
                        accuracy);
    }

    /**
     * Means over the training images of each class.
     *
     * @param infer maps {@link #BATCH} images to {@code n} numbers each
     */
    static double[][] classMeans(Dataset data, int n, UnaryOperator<float[]> infer) {
        double[][] means = new double[data.classes()][n];
        int[] counts = new int[data.classes()];
        float[] x = new float[BATCH * SIZE * SIZE];
        int[] labels = new int[BATCH];
        for (Batches train = Batches.shuffled(data, BATCH, 1); train.hasNext(); ) {
            train.next(FloatBuffer.wrap(x), IntBuffer.wrap(labels));
            float[] y = infer.apply(x);
            for (int i = 0; i < BATCH; i++) {
                counts[labels[i]]++;
                for (int j = 0; j < n; j++) {
                    means[labels[i]][j] += (y[i * n + j] - means[labels[i]][j]) / counts[labels[i]];
                }
            }
        }
        return means;
    }

    /** Per cent of the numbers that are above 0, and of the test images whose nearest mean is that of their class. */
    private static double[] nearestMean(Dataset data, int n, UnaryOperator<float[]> infer) {
        double[][] means = classMeans(data, n, infer);
        float[] x = new float[BATCH * SIZE * SIZE];
        int[] labels = new int[BATCH];
        long above = 0;
        long right = 0;
        for (Batches test = Batches.inOrder(data, BATCH); test.hasNext(); ) {
            test.next(FloatBuffer.wrap(x), IntBuffer.wrap(labels));
            float[] y = infer.apply(x);
            for (float value : y) {
                above += value > 0 ? 1 : 0;
            }
            for (int i = 0; i < BATCH; i++) {
                float[] nearness = new float[CLASSES];
                for (int c = 0; c < CLASSES; c++) {
                    for (int j = 0; j < n; j++) {
                        double apart = y[i * n + j] - means[c][j];
                        nearness[c] -= (float) (apart * apart);
                    }
                }
                right += Classifier.argmax(nearness, 0, CLASSES, 1) == labels[i] ? 1 : 0;
            }
        }
        long images = data.test().count();
        return new double[] {
            Classifier.rounded(100.0 * above / (images * n), 10), Classifier.rounded(100.0 * right / images, 100)
        };
    }

    /** A row for each of the first test digits: the digit and its maps, the strongest response of each white. */
    private static void draw(StringBuilder svg, String name, Dims out, Predictor predictor, Dataset data, int above) {
        float[] x = new float[BATCH * SIZE * SIZE];
        Batches.inOrder(data, BATCH).next(FloatBuffer.wrap(x), IntBuffer.wrap(new int[BATCH]));
        float[] y = predictor.infer(x);
        int size = out.h() * out.w();
        for (int digit = 0; digit < DIGITS; digit++) {
            int top = (above + digit) * CELL + 4;
            svg.append(Picture.words(4, top + CELL / 2, name));
            svg.append(picture(x, digit * SIZE * SIZE, SIZE, CELL, top));
            for (int c = 0; c < out.c(); c++) {
                svg.append(picture(y, (digit * out.c() + c) * size, out.w(), (2 + c) * CELL, top));
            }
        }
    }

    private static String picture(float[] values, int from, int width, int left, int top) {
        float most = Float.MIN_NORMAL;
        for (int i = 0; i < width * width; i++) {
            most = Math.max(most, values[from + i]);
        }
        int[] rgb = new int[width * width];
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = Math.round(255 * Math.max(0, values[from + i] / most)) * 0x010101;
        }
        return Picture.svg(rgb, width, left, top, SIDE / width);
    }
}
