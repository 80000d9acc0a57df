package io.github.jcuconv.models;

import static io.github.jcuconv.models.Models.scaled;
import static io.github.jcuconv.nn.Layer.avgPool;
import static io.github.jcuconv.nn.Layer.conv;
import static io.github.jcuconv.nn.Layer.dense;
import static io.github.jcuconv.nn.Layer.maxPool;

import io.github.jcuconv.Dims;
import io.github.jcuconv.nn.Layer;
import io.github.jcuconv.nn.Network;
import io.github.jcuconv.op.Lrn;
import java.util.Arrays;

/** GoogLeNet (Szegedy et al. 2014, "Going deeper with convolutions"), with the two auxiliary classifiers of its training. */
final class GoogLeNet {
    /** Table 1: 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool projection. */
    private record Inception(String name, int... channels) {}

    private static final Inception[] STAGE3 = {
        new Inception("3a", 64, 96, 128, 16, 32, 32), new Inception("3b", 128, 128, 192, 32, 96, 64)
    };
    private static final Inception[] STAGE4 = {
        new Inception("4a", 192, 96, 208, 16, 48, 64),
        new Inception("4b", 160, 112, 224, 24, 64, 64),
        new Inception("4c", 128, 128, 256, 24, 64, 64),
        new Inception("4d", 112, 144, 288, 32, 64, 64),
        new Inception("4e", 256, 160, 320, 32, 128, 128)
    };
    private static final Inception[] STAGE5 = {
        new Inception("5a", 256, 160, 320, 32, 128, 128), new Inception("5b", 384, 192, 384, 48, 128, 128)
    };

    private GoogLeNet() {}

    /** 13,378,280 parameters, 6,998,552 of them without the auxiliary classifiers, which inference leaves out. */
    static Network googlenet(Dims in, int classes, double width) {
        Layer.LocalResponseNorm lrn = new Layer.LocalResponseNorm(5, 1e-4f, 0.75f, 1f, Lrn.Convention.ALPHA_OVER_SIZE);
        Layer.MaxPool half = maxPool(3, 2).ceilMode();
        Network.Builder net = Models.input("googlenet", in)
                .add("conv1", conv(scaled(64, width), 7).stride(2).pad(3).relu())
                .add("pool1", half)
                .add("norm1", lrn)
                .add("conv2.reduce", conv(scaled(64, width), 1).relu())
                .add("conv2", conv(scaled(192, width), 3).pad(1).relu())
                .add("norm2", lrn)
                .add("pool2", half);
        String last = inceptions(net, "pool2", width, STAGE3);
        net.add("pool3", half, last);
        String middle = inceptions(net, "pool3", width, Arrays.copyOfRange(STAGE4, 0, 1));
        classifier(net, "aux1", middle, classes, width);
        last = inceptions(net, middle, width, Arrays.copyOfRange(STAGE4, 1, 4));
        classifier(net, "aux2", last, classes, width);
        last = inceptions(net, last, width, STAGE4[4]);
        net.add("pool4", half, last);
        inceptions(net, "pool4", width, STAGE5);
        return net.add("pool5", new Layer.GlobalAvgPool())
                .add("drop", new Layer.Drop(0.4f, 5))
                .add("fc", dense(classes))
                .build();
    }

    /** An auxiliary classifier; section 5. Where the maps are smaller than its window, as in small networks, it takes their mean. */
    private static void classifier(Network.Builder net, String name, String from, int classes, double width) {
        Layer pool = Math.min(net.shape().h(), net.shape().w()) < 5 ? new Layer.GlobalAvgPool() : avgPool(5, 3);
        net.add(name + ".pool", pool, from)
                .add(name + ".conv", conv(scaled(128, width), 1).relu())
                .add(name + ".fc1", dense(scaled(1024, width)).relu())
                .add(name + ".drop", new Layer.Drop(0.7f, name.equals("aux1") ? 6 : 7))
                .add(name + ".fc2", dense(classes))
                .auxiliary(0.3f);
    }

    /** Adds one block behind the other; the name of the last one's output. */
    private static String inceptions(Network.Builder net, String from, double width, Inception... blocks) {
        String last = from;
        for (Inception block : blocks) {
            last = inception(net, last, width, block);
        }
        return last;
    }

    /** Four branches that see the same maps at different scales, joined along the channels. */
    private static String inception(Network.Builder net, String from, double width, Inception block) {
        String name = block.name();
        int[] c = Arrays.stream(block.channels()).map(k -> scaled(k, width)).toArray();
        net.add(name + ".1x1", conv(c[0], 1).relu(), from)
                .add(name + ".3x3.reduce", conv(c[1], 1).relu(), from)
                .add(name + ".3x3", conv(c[2], 3).pad(1).relu())
                .add(name + ".5x5.reduce", conv(c[3], 1).relu(), from)
                .add(name + ".5x5", conv(c[4], 5).pad(2).relu())
                .add(name + ".pool", maxPool(3, 1).pad(1), from)
                .add(name + ".pool.proj", conv(c[5], 1).relu())
                .add(name, new Layer.Join(), name + ".1x1", name + ".3x3", name + ".5x5", name + ".pool.proj");
        return name;
    }
}
