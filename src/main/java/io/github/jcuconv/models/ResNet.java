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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Residual networks (He, Zhang, Ren, Sun 2015, "Deep residual learning for image recognition"). A bottleneck halves the image in its 3x3
 * convolution, as torchvision's weights want it, not in its first 1x1.
 *
 * @param name the network's name
 * @param bottleneck blocks of 1x1, 3x3 and 1x1 instead of two 3x3
 * @param excite squeeze-and-excitation in each block (Hu, Shen, Sun 2017)
 * @param depths blocks of the four stages conv2_x to conv5_x
 */
record ResNet(String name, boolean bottleneck, boolean excite, List<Integer> depths) implements Models.Builder {
    private static final int EXPANSION = 4;

    /** Table 1. */
    static final Map<String, ResNet> ALL = new LinkedHashMap<>();

    static {
        for (ResNet net : List.of(
                new ResNet("resnet18", false, false, List.of(2, 2, 2, 2)),
                new ResNet("resnet34", false, false, List.of(3, 4, 6, 3)),
                new ResNet("resnet50", true, false, List.of(3, 4, 6, 3)),
                new ResNet("resnet101", true, false, List.of(3, 4, 23, 3)),
                new ResNet("resnet152", true, false, List.of(3, 8, 36, 3)),
                new ResNet("se-resnet50", true, true, List.of(3, 4, 6, 3)))) {
            ALL.put(net.name(), net);
        }
    }

    @Override
    public Network build(Dims in, int classes, double width) {
        Network.Builder net = Models.input(name, in)
                .add("conv1", conv(scaled(64, width), 7).stride(2).pad(3).noBias())
                .add("bn1", batchNorm())
                .add("relu1", new Layer.Activate(Activation.Kind.RELU))
                .add("pool1", maxPool(3, 2).pad(1));
        String last = "pool1";
        for (int stage = 0; stage < depths.size(); stage++) {
            int channels = scaled(64 << stage, width);
            for (int i = 0; i < depths.get(stage); i++) {
                last = block(net, "conv" + (stage + 2) + "_" + (i + 1), last, channels, i == 0 && stage > 0 ? 2 : 1);
            }
        }
        return net.add("pool5", new Layer.GlobalAvgPool())
                .add("fc", dense(classes))
                .build();
    }

    /** Adds relu(F(x) + x); the name of its output. */
    private String block(Network.Builder net, String name, String x, int channels, int stride) {
        int in = net.shape().c();
        int out = bottleneck ? EXPANSION * channels : channels;
        if (bottleneck) {
            convBn(net, name, 1, conv(channels, 1), x);
            relu(net, name + ".relu1");
            convBn(net, name, 2, conv(channels, 3).pad(1).stride(stride));
            relu(net, name + ".relu2");
            convBn(net, name, 3, conv(out, 1));
        } else {
            convBn(net, name, 1, conv(channels, 3).pad(1).stride(stride), x);
            relu(net, name + ".relu1");
            convBn(net, name, 2, conv(out, 3).pad(1));
        }
        String residual = name + ".bn" + (bottleneck ? 3 : 2);
        residual = excite ? SeNet.excite(net, name, residual) : residual;
        String shortcut = x;
        if (stride != 1 || in != out) {
            net.add(name + ".shortcut", conv(out, 1).stride(stride).noBias(), x);
            net.add(name + ".shortcut.bn", batchNorm());
            shortcut = name + ".shortcut.bn";
        }
        net.add(name + ".add", new Layer.Sum(), residual, shortcut);
        relu(net, name);
        return name;
    }

    private static void convBn(Network.Builder net, String block, int number, Layer.Conv conv, String... from) {
        net.add(block + ".conv" + number, conv.noBias(), from).add(block + ".bn" + number, batchNorm());
    }

    private static void relu(Network.Builder net, String name) {
        net.add(name, new Layer.Activate(Activation.Kind.RELU));
    }
}
