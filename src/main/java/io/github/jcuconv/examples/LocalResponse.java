package io.github.jcuconv.examples;

import static io.github.jcuconv.nn.Layer.conv;
import static io.github.jcuconv.nn.Layer.dense;
import static io.github.jcuconv.nn.Layer.maxPool;

import io.github.jcuconv.Engine;
import io.github.jcuconv.data.Dataset;
import io.github.jcuconv.data.Digits;
import io.github.jcuconv.nn.Layer;
import io.github.jcuconv.nn.Network;
import io.github.jcuconv.nn.Precision;
import io.github.jcuconv.nn.Predictor;
import io.github.jcuconv.op.Lrn;
import java.util.Arrays;
import java.util.Map;

/** What local response normalization does to a map whose neighbour responds strongly, and to a network's accuracy. */
final class LocalResponse implements Example {
    private static final int MAPS = 16;
    private static final int WINDOW = 5;
    private static final int STRONG = 8;
    /** AlexNet's form with an alpha large enough to see. */
    private static final Layer.LocalResponseNorm LRN =
            new Layer.LocalResponseNorm(WINDOW, 0.1f, 0.75f, 1f, Lrn.Convention.ALPHA);

    @Override
    public String question() {
        return "What is local response normalization for?";
    }

    @Override
    public Finding run(Engine engine, boolean quick, long seed) {
        Finding finding = new Finding()
                .table("one map responds with", "it gives", "its neighbour, 1 before", "a map out of reach, 1 before");
        for (int strength : new int[] {1, 5, 25}) {
            float[] y = normalized(engine, strength);
            finding.row(
                    strength,
                    Classifier.rounded(y[STRONG], 1000),
                    Classifier.rounded(y[STRONG + 1], 1000),
                    Classifier.rounded(y[STRONG + WINDOW / 2 + 1], 1000));
        }
        Dataset data = Digits.make(seed, quick ? 2_000 : Digits.TRAIN, quick ? 1_000 : Digits.TEST);
        finding.table("network", "test %", "seconds");
        for (boolean lrn : new boolean[] {false, true}) {
            try (Classifier c = new Classifier(engine, network(lrn), data, quick ? 3 : 6, seed)) {
                finding.row(lrn ? "with LRN" : "without", c.accuracy(data), c.seconds());
            }
        }
        return finding.answer(
                "A strong response inhibits the same place in the %d maps on either side and no others, so that neighbours "
                        + "compete and learn different features.",
                WINDOW / 2);
    }

    /** One pixel of 16 maps, all 1 but one. */
    private static float[] normalized(Engine engine, float strength) {
        float[] x = new float[MAPS];
        Arrays.fill(x, 1f);
        x[STRONG] = strength;
        // The convolution is the identity: a network must have something to learn.
        float[] identity = new float[MAPS * MAPS];
        for (int i = 0; i < MAPS; i++) {
            identity[i * MAPS + i] = 1;
        }
        Network network = Network.input("lrn", MAPS, 1, 1)
                .add("same", conv(MAPS, 1).noBias())
                .add("lrn", LRN)
                .build();
        Map<String, float[]> parameters = Map.of("same.weight", identity);
        try (Predictor predictor = new Predictor(network, engine, 1, Precision.FP32, parameters)) {
            return predictor.infer(x);
        }
    }

    private static Network network(boolean lrn) {
        Network.Builder net = Network.input("lrn", 1, 28, 28)
                .add("conv1", conv(MAPS, 5).pad(2).relu());
        if (lrn) {
            net.add("norm1", LRN);
        }
        return net.add("pool1", maxPool(2, 2))
                .add("conv2", conv(2 * MAPS, 5).pad(2).relu())
                .add("pool2", maxPool(2, 2))
                .add("fc", dense(10))
                .build();
    }
}
