package io.github.jcuconv.models;

import static io.github.jcuconv.models.Models.scaled;
import static io.github.jcuconv.nn.Layer.batchNorm;
import static io.github.jcuconv.nn.Layer.conv;
import static io.github.jcuconv.nn.Layer.dense;
import static io.github.jcuconv.nn.Layer.maxPool;

import io.github.jcuconv.Dims;
import io.github.jcuconv.nn.Layer;
import io.github.jcuconv.nn.Network;
import io.github.jcuconv.op.Activation;

/** SENet-154 (Hu, Shen, Sun 2017, "Squeeze-and-excitation networks"): ResNet-152's depth, grouped bottlenecks, gates in each block. */
final class SeNet {
    private static final int[] BLOCKS = {3, 8, 36, 3};
    private static final int GROUPS = 64;
    static final int REDUCTION = 16;

    private final Network.Builder net;

    private SeNet(Network.Builder net) {
        this.net = net;
    }

    /** 115,088,984 parameters. */
    static Network senet154(Dims in, int classes, double width) {
        SeNet s = new SeNet(Models.input("senet154", in));
        s.convBn("conv1_1", conv(scaled(64, width), 3).stride(2).pad(1));
        s.relu("conv1_1.relu");
        s.convBn("conv1_2", conv(scaled(64, width), 3).pad(1));
        s.relu("conv1_2.relu");
        s.convBn("conv1_3", conv(scaled(128, width), 3).pad(1));
        s.relu("conv1_3.relu");
        s.net.add("pool1", maxPool(3, 2).ceilMode());
        String last = "pool1";
        int groups = scaled(GROUPS, width);
        for (int stage = 0; stage < BLOCKS.length; stage++) {
            for (int i = 0; i < BLOCKS[stage]; i++) {
                int stride = i == 0 && stage > 0 ? 2 : 1;
                last = s.block("conv" + (stage + 2) + "_" + (i + 1), last, groups << stage, groups, stride, i == 0);
            }
        }
        return s.net.add("pool5", new Layer.GlobalAvgPool())
                .add("drop", new Layer.Drop(0.2f, 5))
                .add("fc", dense(classes))
                .build();
    }

    /** 1x1 to twice the stage's base, 3x3 in groups to four times, 1x1, gates; the shortcut of a stage that halves is 3x3. */
    private String block(String name, String x, int base, int groups, int stride, boolean first) {
        convBn(name + ".conv1", conv(2 * base, 1), x);
        relu(name + ".relu1");
        convBn(name + ".conv2", conv(4 * base, 3).pad(1).stride(stride).groups(groups));
        relu(name + ".relu2");
        convBn(name + ".conv3", conv(4 * base, 1));
        String residual = excite(net, name, name + ".conv3.bn");
        String shortcut = x;
        if (first) {
            convBn(
                    name + ".shortcut",
                    stride == 1 ? conv(4 * base, 1) : conv(4 * base, 3).pad(1).stride(stride),
                    x);
            shortcut = name + ".shortcut.bn";
        }
        net.add(name + ".add", new Layer.Sum(), residual, shortcut);
        relu(name);
        return name;
    }

    /** Squeeze and excitation behind a layer: one gate per map, from the averages of all maps; the name of the scaled maps. */
    static String excite(Network.Builder net, String block, String from) {
        int channels = net.shape().c();
        net.add(block + ".squeeze", new Layer.GlobalAvgPool(), from)
                .add(block + ".reduce", dense(Math.max(1, channels / REDUCTION)).relu())
                .add(block + ".gates", dense(channels).activation(Activation.Kind.SIGMOID))
                .add(block + ".scale", new Layer.Scale(), from, block + ".gates");
        return block + ".scale";
    }

    private void convBn(String name, Layer.Conv conv, String... from) {
        net.add(name, conv.noBias(), from).add(name + ".bn", batchNorm());
    }

    private void relu(String name) {
        net.add(name, new Layer.Activate(Activation.Kind.RELU));
    }
}
