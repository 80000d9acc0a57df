package io.github.jcuconv.examples;

import static io.github.jcuconv.nn.Layer.conv;
import static io.github.jcuconv.nn.Layer.dense;
import static io.github.jcuconv.nn.Layer.maxPool;

import io.github.jcuconv.Engine;
import io.github.jcuconv.data.Dataset;
import io.github.jcuconv.data.Digits;
import io.github.jcuconv.nn.Layer;
import io.github.jcuconv.nn.Network;
import java.util.Map;
import java.util.TreeMap;

/** Three ways to halve the image: max-pooling, a convolution of stride 2 in its place, or a stride in the convolution before it. */
final class MaxPoolVersusStrided implements Example {
    private static final int CHANNELS = 16;

    @Override
    public String question() {
        return "Why a max-pooling layer rather than a convolution with the same stride?";
    }

    private static Layer.Conv half(int channels) {
        return conv(channels, 3).stride(2).same().relu();
    }

    private static Network network(String name) {
        Network.Builder net = Network.input(name, 1, 28, 28);
        for (int stage = 1; stage <= 2; stage++) {
            int k = stage * CHANNELS;
            if (name.equals("stride in the convolution")) {
                net.add("conv" + stage, half(k));
                continue;
            }
            net.add("conv" + stage, conv(k, 3).same().relu());
            net.add("half" + stage, name.equals("max-pooling") ? maxPool(2, 2) : half(k));
        }
        return net.add("fc", dense(10)).build();
    }

    @Override
    public Finding run(Engine engine, boolean quick, long seed) {
        Dataset data = Digits.make(seed, quick ? 4_000 : Digits.TRAIN, quick ? 1_000 : Digits.TEST);
        Dataset shifted = Classifier.shifted(data, 2);
        Finding finding = new Finding()
                .table("halved by", "parameters", "multiply-adds", "kept MiB", "seconds", "test %", "shifted %");
        Map<String, Long> parameters = new TreeMap<>();
        for (String name : new String[] {"max-pooling", "strided convolution", "stride in the convolution"}) {
            Network network = network(name);
            parameters.put(name, network.totalParameters());
            try (Classifier c = new Classifier(engine, network, data, quick ? 5 : 8, seed)) {
                finding.row(
                        name,
                        network.totalParameters(),
                        network.multiplyAdds(),
                        c.keptMebibytes(),
                        c.seconds(),
                        c.accuracy(data),
                        c.accuracy(shifted));
            }
        }
        return finding.answer(
                "Max-pooling has nothing to learn: it saves the %,d parameters of the strided convolutions and their "
                        + "multiply-adds; a stride in the convolution itself is cheaper still and looks at each place once.",
                parameters.getOrDefault("strided convolution", 0L) - parameters.getOrDefault("max-pooling", 0L));
    }
}
