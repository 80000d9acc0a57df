package io.github.jcuconv.examples;

import static io.github.jcuconv.nn.Layer.batchNorm;
import static io.github.jcuconv.nn.Layer.conv;
import static io.github.jcuconv.nn.Layer.maxPool;

import io.github.jcuconv.Engine;
import io.github.jcuconv.nn.Layer;
import io.github.jcuconv.nn.Network;
import io.github.jcuconv.nn.Optimizer;
import io.github.jcuconv.nn.Precision;
import io.github.jcuconv.nn.Schedule;
import io.github.jcuconv.nn.Trainer;
import io.github.jcuconv.nn.TrainerConfig;
import io.github.jcuconv.op.Activation;
import io.github.jcuconv.op.Padding;
import io.github.jcuconv.op.Window;
import io.github.jcuconv.report.Picture;
import java.util.Optional;
import java.util.function.IntPredicate;

/**
 * A class for each pixel of drawn streets: a net of three poolings that goes back to the image's size in one step of 8, beside the same net
 * with the scores of earlier maps added on the way, as FCN-8s does (Long, Shelhamer, Darrell 2014).
 */
final class Segmentation implements Example {
    private static final int BATCH = 5;
    private static final float RATE = 5e-3f;
    private static final int POOLINGS = 3;
    /** As FCN-8s: of the poolings but the last. */
    private static final int SKIPS = 2;

    private static final int FIRST_MAPS = 16;
    private static final int CLASSES = Scenes.CLASSES.size();
    private static final int[] COLOURS = {0x9ecae1, 0xa1887f, 0x616161, 0x1565c0, 0xffb300};
    private static final int RIGHT = 0xe8e8e8;
    private static final int WRONG = 0xd62728;
    private static final int SHOWN = 4;
    private static final int SCALE = 3;

    @Override
    public String question() {
        return "How does a network give a class to each pixel, thin things included?";
    }

    /** Scores at an eighth of the size, doubled {@code skips} times with an earlier map's scores added, then enlarged in one step. */
    private static Network network(int skips) {
        Network.Builder net = Network.input("fcn", Scenes.CHANNELS, Scenes.SIZE, Scenes.SIZE);
        for (int stage = 1; stage <= POOLINGS; stage++) {
            int maps = FIRST_MAPS << stage - 1;
            convBn(net, "conv" + stage + "_1", maps, 3);
            convBn(net, "conv" + stage + "_2", maps, 3);
            net.add("pool" + stage, maxPool(2, 2));
        }
        convBn(net, "fc", FIRST_MAPS << POOLINGS, 5);
        net.add("score", conv(CLASSES, 1));
        for (int i = 0; i < skips; i++) {
            String from = "pool" + (POOLINGS - 1 - i);
            up(net, "up" + i, 2)
                    .add("score_" + from, conv(CLASSES, 1), from)
                    .add("sum" + i, new Layer.Sum(), "up" + i, "score_" + from);
        }
        return up(net, "up", 1 << POOLINGS - skips).build();
    }

    private static void convBn(Network.Builder net, String name, int maps, int size) {
        net.add(name + ".conv", conv(maps, size).same().noBias())
                .add(name + ".bn", batchNorm())
                .add(name, new Layer.Activate(Activation.Kind.RELU));
    }

    private static Network.Builder up(Network.Builder net, String name, int step) {
        Window window = Window.of(2 * step, 2 * step).stride(step, step).pad(Padding.of(step / 2));
        return net.add(name, new Layer.ConvTranspose(CLASSES, window, 0, 1, false, Optional.empty()));
    }

    @Override
    public Finding run(Engine engine, boolean quick, long seed) {
        Scenes train = new Scenes(quick ? 100 : 500, 2 * seed);
        Scenes test = new Scenes(quick ? 25 : 200, 2 * seed + 1);
        int epochs = quick ? 6 : 10;
        int[] coarse = classes(engine, network(0), train, test, epochs, seed);
        int[] fine = classes(engine, network(SKIPS), train, test, epochs, seed);
        double[] before = intersectionsOverUnions(test, coarse);
        double[] after = intersectionsOverUnions(test, fine);
        Finding finding = new Finding().table("class", "pixels %", "IoU without skips", "IoU with skips");
        for (int c = 0; c < CLASSES; c++) {
            int k = c;
            double share = 100 * share(test, p -> test.labels[p] == k, p -> true);
            finding.row(Scenes.CLASSES.get(c), Classifier.rounded(share, 10), before[c], after[c]);
        }
        finding.row("mean", 100, before[CLASSES], after[CLASSES]);
        finding.table("pixels", "pixels %", "wrong % without skips", "wrong % with skips");
        for (boolean at : new boolean[] {true, false}) {
            IntPredicate there = p -> test.atBoundary(p) == at;
            finding.row(
                    at ? "within 2 of another class" : "others",
                    Classifier.rounded(100 * share(test, there, p -> true), 10),
                    Classifier.rounded(100 * share(test, p -> coarse[p] != test.labels[p], there), 100),
                    Classifier.rounded(100 * share(test, p -> fine[p] != test.labels[p], there), 100));
        }
        return finding.chart(chart(test, coarse, fine))
                .answer(
                        "Scores of earlier maps bring back where things are: the mean IoU rises from %.2f to %.2f, that of poles "
                                + "from %.2f to %.2f.",
                        before[CLASSES], after[CLASSES], before[CLASSES - 1], after[CLASSES - 1]);
    }

    /** The classes that a network gives to the test scenes once it is trained. */
    private static int[] classes(Engine engine, Network network, Scenes train, Scenes test, int epochs, long seed) {
        int batches = train.count() / BATCH;
        Schedule schedule = new Schedule.OneCycle(RATE);
        TrainerConfig config =
                new TrainerConfig(BATCH, Precision.FP32, Optimizer.adam(), schedule, (long) epochs * batches, seed);
        try (Trainer trainer = new Trainer(network, engine, config)) {
            for (int step = 0; step < epochs * batches; step++) {
                int from = step % batches * BATCH;
                trainer.step(train.batch(from, BATCH), train.labels(from, BATCH));
            }
            int[] classes = new int[test.labels.length];
            for (int from = 0; from < test.count(); from += BATCH) {
                float[] scores = trainer.infer(test.batch(from, BATCH));
                for (int p = 0; p < BATCH * Scenes.PIXELS; p++) {
                    int at = p / Scenes.PIXELS * CLASSES * Scenes.PIXELS + p % Scenes.PIXELS;
                    classes[from * Scenes.PIXELS + p] = Classifier.argmax(scores, at, CLASSES, Scenes.PIXELS);
                }
            }
            return classes;
        }
    }

    /** Per class the pixels that both say over those that either says; their mean last. */
    private static double[] intersectionsOverUnions(Scenes test, int[] classes) {
        double[] result = new double[CLASSES + 1];
        for (int c = 0; c < CLASSES; c++) {
            int both = 0;
            int either = 0;
            for (int p = 0; p < classes.length; p++) {
                both += classes[p] == c && test.labels[p] == c ? 1 : 0;
                either += classes[p] == c || test.labels[p] == c ? 1 : 0;
            }
            result[c] = Classifier.rounded((double) both / either, 1000);
            result[CLASSES] += (double) both / either / CLASSES;
        }
        result[CLASSES] = Classifier.rounded(result[CLASSES], 1000);
        return result;
    }

    private static double share(Scenes test, IntPredicate which, IntPredicate of) {
        int all = 0;
        int some = 0;
        for (int p = 0; p < test.labels.length; p++) {
            all += of.test(p) ? 1 : 0;
            some += of.test(p) && which.test(p) ? 1 : 0;
        }
        return (double) some / all;
    }

    /** Scenes, their classes, and where each net is wrong. */
    private static String chart(Scenes test, int[] coarse, int[] fine) {
        int cell = Scenes.SIZE * SCALE + 10;
        StringBuilder svg = new StringBuilder();
        String[] titles = {"scene", "truth", "without skips", "its errors", "with skips", "its errors"};
        for (int i = 0; i < titles.length; i++) {
            svg.append(Picture.words(10 + i * cell, 20, titles[i]));
        }
        for (int s = 0; s < SHOWN; s++) {
            for (int i = 0; i < titles.length; i++) {
                int[] rgb = new int[Scenes.PIXELS];
                for (int p = 0; p < rgb.length; p++) {
                    int at = s * Scenes.PIXELS + p;
                    int found = i < 4 ? coarse[at] : fine[at];
                    rgb[p] = switch (i) {
                        case 0 -> test.rgb(at);
                        case 1 -> COLOURS[test.labels[at]];
                        case 2, 4 -> COLOURS[found];
                        default -> found == test.labels[at] ? RIGHT : WRONG;
                    };
                }
                svg.append(Picture.svg(rgb, Scenes.SIZE, 10 + i * cell, 30 + s * cell, SCALE));
            }
        }
        return Picture.file(titles.length * cell + 10, SHOWN * cell + 30, svg);
    }
}
