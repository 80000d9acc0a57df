package io.github.jcuconv.examples;

import io.github.jcuconv.Dims;
import io.github.jcuconv.Engine;
import io.github.jcuconv.data.Dataset;
import io.github.jcuconv.data.Digits;
import io.github.jcuconv.data.Split;
import io.github.jcuconv.models.Models;
import io.github.jcuconv.nn.Network;
import java.util.HashMap;
import java.util.Map;

/** LeNet-5 trained on the digits 0 to 6 learns 7, 8 and 9 from a few images of each, beside one that begins with random weights. */
final class TransferLearning implements Example {
    private static final int OLD = 7;
    private static final int CLASSES = 10;
    private static final String HEAD = "fc3";

    @Override
    public String question() {
        return "Why start from a network that was trained on something else?";
    }

    @Override
    public Finding run(Engine engine, boolean quick, long seed) {
        Dataset all = Digits.make(seed, quick ? 4_000 : Digits.TRAIN, quick ? 2_000 : Digits.TEST);
        Dataset known = classes(all, 0, OLD, Integer.MAX_VALUE);
        Map<String, float[]> trained;
        try (Classifier c = new Classifier(engine, network(OLD), known, quick ? 6 : 8, seed, Map.of())) {
            trained = new HashMap<>(c.parameters());
        }
        trained.keySet().removeIf(name -> name.startsWith(HEAD + "."));
        Finding finding = new Finding()
                .table("images of each new digit", "from random weights, test %", "from the trained network %", "gain");
        double first = 0;
        for (int each : new int[] {20, 100}) {
            Dataset few = classes(all, OLD, CLASSES, each);
            int epochs = (quick ? 200 : 400) * 50 / few.train().count();
            double[] accuracy = new double[2];
            for (int i = 0; i < 2; i++) {
                Map<String, float[]> from = i == 0 ? Map.of() : trained;
                try (Classifier c = new Classifier(engine, network(CLASSES - OLD), few, epochs, seed, from)) {
                    accuracy[i] = c.accuracy(few);
                }
            }
            double gain = Classifier.rounded(accuracy[1] - accuracy[0], 100);
            first = first == 0 ? gain : first;
            finding.row(String.valueOf(each), accuracy[0], accuracy[1], gain);
        }
        return finding.answer(
                "The filters of the first digits serve the others too: with 20 images of each, starting from them is right "
                        + "%.1f points more often.",
                first);
    }

    private static Network network(int classes) {
        return Models.get("lenet5", new Dims(1, 1, 28, 28), classes);
    }

    /** The images of some classes, numbered from 0 again, at most so many of each to train on. */
    private static Dataset classes(Dataset data, int from, int to, int each) {
        return new Dataset(
                data.name(),
                part(data.train(), from, to, each),
                part(data.test(), from, to, Integer.MAX_VALUE),
                to - from,
                data.mean(),
                data.std());
    }

    private static Split part(Split split, int from, int to, int each) {
        int[] taken = new int[to - from];
        byte[] images = new byte[split.count() * split.imageSize()];
        byte[] labels = new byte[split.count()];
        int count = 0;
        for (int i = 0; i < split.count(); i++) {
            int label = split.label(i) - from;
            if (label >= 0 && label < taken.length && taken[label]++ < each) {
                split.image(i).get(0, images, count * split.imageSize(), split.imageSize());
                labels[count++] = (byte) label;
            }
        }
        return Split.of(images, labels, split.channels(), split.height(), split.width())
                .first(count);
    }
}
