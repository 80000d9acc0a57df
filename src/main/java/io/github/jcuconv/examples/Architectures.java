package io.github.jcuconv.examples;

import static io.github.jcuconv.nn.Layer.conv;
import static io.github.jcuconv.nn.Layer.dense;
import static io.github.jcuconv.nn.Layer.maxPool;

import io.github.jcuconv.Dims;
import io.github.jcuconv.Engine;
import io.github.jcuconv.data.Dataset;
import io.github.jcuconv.data.Digits;
import io.github.jcuconv.models.Models;
import io.github.jcuconv.nn.Layer;
import io.github.jcuconv.nn.Network;
import io.github.jcuconv.nn.Optimizer;
import io.github.jcuconv.nn.Precision;
import io.github.jcuconv.nn.Predictor;
import io.github.jcuconv.nn.Schedule;
import io.github.jcuconv.nn.Trainer;
import io.github.jcuconv.nn.TrainerConfig;
import io.github.jcuconv.op.Activation;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;

/** What each of the famous networks brought, in numbers. */
final class Architectures implements Example {
    private static final int BATCH = 4;
    private static final int SIZE = 12;
    private static final int CHANNELS = 8;

    @Override
    public String question() {
        return "What is new in AlexNet, GoogLeNet, ResNet, SENet and Xception?";
    }

    @Override
    public Finding run(Engine engine, boolean quick, long seed) {
        Finding finding = new Finding().table("network", "layers", "parameters", "multiply-adds", "new");
        Map<String, String> ideas = new LinkedHashMap<>();
        ideas.put("lenet5", "convolution and pooling in turns");
        ideas.put("alexnet", "deeper and wider, ReLU, dropout, LRN");
        ideas.put("vgg16", "3x3 only");
        ideas.put("googlenet", "1x1 bottlenecks in parallel branches");
        ideas.put("resnet50", "skip connections");
        ideas.put("se-resnet50", "a gate for each map");
        ideas.put("xception", "separable convolutions");
        ideas.forEach((model, idea) -> {
            Network network = Models.get(model).inference();
            finding.row(model, layers(network), network.totalParameters(), network.multiplyAdds(), idea);
        });

        finding.table("layers", "gradient at the first / the last, plain", "with skip connections");
        for (int depth : quick ? new int[] {2, 8, 16} : new int[] {2, 8, 16, 32, 64}) {
            finding.row(
                    String.valueOf(depth),
                    gradientRatio(engine, depth, false, seed),
                    gradientRatio(engine, depth, true, seed));
        }

        Network full = single("full", conv(256, 3).same());
        Network separable = Network.input("separable", 256, 14, 14)
                .add("depthwise", conv(256, 3).same().groups(256).noBias())
                .add("pointwise", conv(256, 1))
                .build();
        finding.table("3x3, 256 to 256 maps of 14x14", "parameters", "multiply-adds");
        for (Network network : new Network[] {full, separable}) {
            finding.row(network.name(), network.totalParameters(), network.multiplyAdds());
        }
        gates(finding, engine, quick, seed);
        return finding.answer(
                "GoogLeNet has 1/%.0f of AlexNet's parameters and 20 times LeNet's depth would not train without the skips of "
                        + "ResNet; gates cost %.1f %% more multiply-adds; a separable convolution costs 1/%.1f of a full one.",
                (double) Models.get("alexnet").totalParameters()
                        / Models.get("googlenet").totalParameters(),
                100.0
                        * (Models.get("se-resnet50").multiplyAdds()
                                - Models.get("resnet50").multiplyAdds())
                        / Models.get("resnet50").multiplyAdds(),
                (double) full.multiplyAdds() / separable.multiplyAdds());
    }

    /** Two convolutions with squeeze-and-excitation behind each, or without it, up to a layer. */
    private static Network gated(boolean gates, String last) {
        Network.Builder net = Network.input("gated", 1, 28, 28);
        for (int block = 1; block <= 2; block++) {
            int maps = 16 * block;
            net.add("conv" + block, conv(maps, 5).same().relu());
            if (gates) {
                net.add("squeeze" + block, new Layer.GlobalAvgPool())
                        .add("reduce" + block, dense(maps / 4).relu())
                        .add("gates" + block, dense(maps).activation(Activation.Kind.SIGMOID));
                if (last.equals("gates" + block)) {
                    return net.build();
                }
                net.add("scale" + block, new Layer.Scale(), "conv" + block, "gates" + block);
            }
            net.add("pool" + block, maxPool(2, 2));
        }
        return net.add(last, dense(10)).build();
    }

    /** Trains with and without gates, and looks at how the gates differ: between the maps, and for one map between the classes. */
    private static void gates(Finding finding, Engine engine, boolean quick, long seed) {
        Dataset data = Digits.make(seed, quick ? 2_000 : Digits.TRAIN, quick ? 1_000 : Digits.TEST);
        finding.table("squeeze and excitation", "parameters", "test %");
        Map<String, float[]> parameters = Map.of();
        for (boolean gates : new boolean[] {false, true}) {
            Network network = gated(gates, "fc");
            try (Classifier c = new Classifier(engine, network, data, quick ? 3 : 6, seed)) {
                finding.row(gates ? "with gates" : "without", network.totalParameters(), c.accuracy(data));
                parameters = c.parameters();
            }
        }
        finding.table("gates", "mean", "differ between maps by", "between classes by");
        for (String name : new String[] {"gates1", "gates2"}) {
            Network network = gated(true, name);
            try (Predictor predictor = new Predictor(network, engine, FeatureMaps.BATCH, Precision.FP32, parameters)) {
                double[][] means =
                        FeatureMaps.classMeans(data, network.output().output().c(), predictor::infer);
                double[] ofMaps = new double[means[0].length];
                double within = 0;
                for (int map = 0; map < ofMaps.length; map++) {
                    int m = map;
                    double[] ofClasses =
                            Arrays.stream(means).mapToDouble(c -> c[m]).toArray();
                    ofMaps[map] = Arrays.stream(ofClasses).average().orElseThrow();
                    within += deviation(ofClasses) / ofMaps.length;
                }
                finding.row(
                        name,
                        Classifier.rounded(Arrays.stream(ofMaps).average().orElseThrow(), 1000),
                        Classifier.rounded(deviation(ofMaps), 1000),
                        Classifier.rounded(within, 1000));
            }
        }
    }

    private static double deviation(double[] values) {
        double mean = Arrays.stream(values).average().orElseThrow();
        return Math.sqrt(Arrays.stream(values)
                .map(v -> (v - mean) * (v - mean))
                .average()
                .orElseThrow());
    }

    private static Network single(String name, Layer.Conv conv) {
        return Network.input(name, 256, 14, 14).add("conv", conv).build();
    }

    /** Layers with filters or matrices, shortcuts apart. */
    private static long layers(Network network) {
        return network.parameters().stream()
                .filter(p -> p.name().endsWith(".weight") && p.dims().n() > 1)
                .filter(p -> !p.name().contains("shortcut"))
                .count();
    }

    /** Sigmoid layers, whose slope is at most 1/4: the length of the gradient of the first layer's filters over that of the last one's. */
    private static double gradientRatio(Engine engine, int depth, boolean skip, long seed) {
        Network.Builder net = Network.input("deep", CHANNELS, SIZE, SIZE)
                .add("stem", conv(CHANNELS, 3).same());
        String last = "stem";
        for (int i = 1; i <= depth; i++) {
            net.add("conv" + i, conv(CHANNELS, 3).same().activation(Activation.Kind.SIGMOID), last);
            last = "conv" + i;
            if (skip) {
                last = "sum" + i;
                net.add(last, new Layer.Sum(), "conv" + i, i == 1 ? "stem" : "sum" + (i - 1));
            }
        }
        Network network = net.add("pool", new Layer.GlobalAvgPool())
                .add("fc", dense(BATCH))
                .build();
        TrainerConfig config =
                new TrainerConfig(BATCH, Precision.FP32, Optimizer.sgd(0), new Schedule.Constant(1f), 1, seed);
        try (Trainer trainer = new Trainer(network, engine, config)) {
            Map<String, float[]> before = trainer.parameters();
            SplittableRandom random = new SplittableRandom(seed);
            float[] x = new float[(int) new Dims(BATCH, CHANNELS, SIZE, SIZE).count()];
            for (int i = 0; i < x.length; i++) {
                x[i] = (float) random.nextDouble(-1, 1);
            }
            trainer.step(x, new int[] {0, 1, 2, 3});
            Map<String, float[]> after = trainer.parameters();
            return length(before, after, "conv1.weight") / length(before, after, "conv" + depth + ".weight");
        }
    }

    /** With rate 1 a step moves by the gradient. */
    private static double length(Map<String, float[]> before, Map<String, float[]> after, String name) {
        float[] a = before.getOrDefault(name, new float[0]);
        float[] b = after.getOrDefault(name, new float[0]);
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (double) (a[i] - b[i]) * (a[i] - b[i]);
        }
        return Math.sqrt(sum);
    }
}
