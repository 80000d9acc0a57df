package io.github.jcuconv.examples;

import static io.github.jcuconv.nn.Layer.batchNorm;
import static io.github.jcuconv.nn.Layer.conv;
import static io.github.jcuconv.nn.Layer.dense;
import static io.github.jcuconv.nn.Layer.maxPool;

import io.github.jcuconv.Dims;
import io.github.jcuconv.Engine;
import io.github.jcuconv.FileException;
import io.github.jcuconv.data.Dataset;
import io.github.jcuconv.data.Datasets;
import io.github.jcuconv.data.Digits;
import io.github.jcuconv.data.Split;
import io.github.jcuconv.models.Models;
import io.github.jcuconv.nn.Layer;
import io.github.jcuconv.nn.Network;
import io.github.jcuconv.op.Activation;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/**
 * LeNet-5 trained on the digits 0 to 6 learns 7, 8 and 9 from a few images of each, beside one that begins with random weights; the same with a
 * deeper network and the classes of Fashion-MNIST, where that is here.
 */
final class TransferLearning implements Example {
    /** Pullovers, coats and shirts, which are hard to tell apart: sneakers, bags and boots are learned from a few images anyhow. */
    private static final List<Integer> TOPS = List.of(2, 4, 6);

    private static final int[] FEW = {20, 100};
    private static final String HEAD = "fc3";

    @Override
    public String question() {
        return "Why start from a network that was trained on something else?";
    }

    @Override
    public Finding run(Engine engine, boolean quick, long seed) {
        Dataset digits = Digits.make(seed, quick ? 4_000 : Digits.TRAIN, quick ? 2_000 : Digits.TEST);
        Finding finding = new Finding();
        double gain = compare(
                finding, engine, digits, List.of(7, 8, 9), TransferLearning::lenet5, quick ? 6 : 8, quick, seed);
        if (!quick) {
            try {
                Dataset clothes = Datasets.load("fashion-mnist", Optional.empty());
                compare(finding, engine, clothes, TOPS, TransferLearning::deeper, 4, false, seed);
            } catch (FileException e) {
                finding.table("fashion-mnist").row("not run: " + e.getMessage());
            }
        }
        return finding.answer(
                "The filters of the first digits serve the others too: with %d images of each, starting from them is right "
                        + "%.1f points more often.",
                FEW[0], gain);
    }

    /** Adds a table; gives the gain with the fewest images. */
    private static double compare(
            Finding finding,
            Engine engine,
            Dataset all,
            List<Integer> fresh,
            IntFunction<Network> network,
            int epochs,
            boolean quick,
            long seed) {
        List<Integer> known = IntStream.range(0, all.classes())
                .boxed()
                .filter(c -> !fresh.contains(c))
                .toList();
        Dataset old = classes(all, known, Integer.MAX_VALUE);
        Map<String, float[]> trained;
        try (Classifier c = new Classifier(engine, network.apply(known.size()), old, epochs, seed, Map.of())) {
            trained = new HashMap<>(c.parameters());
        }
        trained.keySet().removeIf(name -> name.startsWith(HEAD + "."));
        finding.table(
                "images of each new class of " + all.name(),
                "from random weights, test %",
                "from the trained network %",
                "gain");
        double first = 0;
        for (int each : FEW) {
            Dataset few = classes(all, fresh, each);
            int rounds = (quick ? 200 : 400) * 50 / few.train().count();
            double[] accuracy = new double[2];
            for (int i = 0; i < 2; i++) {
                Map<String, float[]> from = i == 0 ? Map.of() : trained;
                try (Classifier c = new Classifier(engine, network.apply(fresh.size()), few, rounds, seed, from)) {
                    accuracy[i] = c.accuracy(few);
                }
            }
            double gain = Classifier.rounded(accuracy[1] - accuracy[0], 100);
            first = each == FEW[0] ? gain : first;
            finding.row(String.valueOf(each), accuracy[0], accuracy[1], gain);
        }
        return first;
    }

    private static Network lenet5(int classes) {
        return Models.get("lenet5", new Dims(1, 1, 28, 28), classes);
    }

    /** Six convolutions with batch norm. */
    private static Network deeper(int classes) {
        Network.Builder net = Network.input("deeper", 1, 28, 28);
        for (int stage = 1; stage <= 3; stage++) {
            for (int i = 1; i <= 2; i++) {
                String name = "conv" + stage + "." + i;
                net.add(name, conv(16 * stage, 3).same().noBias())
                        .add(name + ".norm", batchNorm())
                        .add(name + ".relu", new Layer.Activate(Activation.Kind.RELU));
            }
            net.add("pool" + stage, maxPool(2, 2));
        }
        return net.add("mean", new Layer.GlobalAvgPool())
                .add(HEAD, dense(classes))
                .build();
    }

    /** The images of some classes, numbered in this order, at most so many of each to train on. */
    private static Dataset classes(Dataset data, List<Integer> which, int each) {
        return new Dataset(
                data.name(),
                part(data.train(), which, each),
                part(data.test(), which, Integer.MAX_VALUE),
                which.size(),
                data.mean(),
                data.std());
    }

    private static Split part(Split split, List<Integer> which, int each) {
        int[] taken = new int[which.size()];
        byte[] images = new byte[split.count() * split.imageSize()];
        byte[] labels = new byte[split.count()];
        int count = 0;
        for (int i = 0; i < split.count(); i++) {
            int label = which.indexOf(split.label(i));
            if (label >= 0 && taken[label]++ < each) {
                split.image(i).get(0, images, count * split.imageSize(), split.imageSize());
                labels[count++] = (byte) label;
            }
        }
        return Split.of(images, labels, split.channels(), split.height(), split.width())
                .first(count);
    }
}
