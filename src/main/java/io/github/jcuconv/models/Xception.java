package io.github.jcuconv.models;

import static io.github.jcuconv.models.Models.scaled;
import static io.github.jcuconv.nn.Layer.conv;
import static io.github.jcuconv.nn.Layer.dense;
import static io.github.jcuconv.nn.Layer.maxPool;

import io.github.jcuconv.Dims;
import io.github.jcuconv.nn.Layer;
import io.github.jcuconv.nn.Network;
import io.github.jcuconv.op.Activation;

/** Xception (Chollet 2016, "Xception: deep learning with depthwise separable convolutions"). */
final class Xception {
    private static final int MIDDLE_BLOCKS = 8;

    private final Network.Builder net;
    private final double width;

    private Xception(Network.Builder net, double width) {
        this.net = net;
        this.width = width;
    }

    /** 22,910,480 parameters, of which 22,855,952 are trained. */
    static Network xception(Dims in, int classes, double width) {
        Xception x = new Xception(Models.input("xception", in), width);
        x.convBn("block1.conv1", conv(scaled(32, width), 3).stride(2));
        x.relu("block1.relu1");
        x.convBn("block1.conv2", conv(scaled(64, width), 3));
        x.relu("block1");
        String last = x.down("block2", "block1", false, 128, 128);
        last = x.down("block3", last, true, 256, 256);
        last = x.down("block4", last, true, 728, 728);
        for (int i = 0; i < MIDDLE_BLOCKS; i++) {
            last = x.middle("block" + (5 + i), last);
        }
        x.down("block13", last, true, 728, 1024);
        x.separable("block14.sep1", 1536);
        x.relu("block14.relu1");
        x.separable("block14.sep2", 2048);
        x.relu("block14");
        return x.net.add("pool", new Layer.GlobalAvgPool())
                .add("fc", dense(classes))
                .build();
    }

    /** Two separable convolutions and a pooling that halves, beside a strided shortcut; the name of the sum. */
    private String down(String name, String from, boolean reluFirst, int first, int second) {
        if (reluFirst) {
            relu(name + ".relu1", from);
        }
        separable(name + ".sep1", first);
        relu(name + ".relu2");
        separable(name + ".sep2", second);
        net.add(name + ".pool", maxPool(3, 2).same());
        convBn(name + ".shortcut", conv(scaled(second, width), 1).stride(2), from);
        net.add(name, new Layer.Sum(), name + ".pool", name + ".shortcut.bn");
        return name;
    }

    /** Three separable convolutions beside the identity. */
    private String middle(String name, String from) {
        relu(name + ".relu1", from);
        separable(name + ".sep1", 728);
        relu(name + ".relu2");
        separable(name + ".sep2", 728);
        relu(name + ".relu3");
        separable(name + ".sep3", 728);
        net.add(name, new Layer.Sum(), name + ".sep3.bn", from);
        return name;
    }

    /** One filter per map, then 1x1 across the maps, nothing between them. */
    private void separable(String name, int channels) {
        int in = net.shape().c();
        net.add(name + ".depthwise", conv(in, 3).same().groups(in).noBias());
        convBn(name, conv(scaled(channels, width), 1));
    }

    private void convBn(String name, Layer.Conv conv, String... from) {
        net.add(name, conv.noBias(), from).add(name + ".bn", new Layer.BatchNormalization(1e-3f, 0.01f));
    }

    private void relu(String name, String... from) {
        net.add(name, new Layer.Activate(Activation.Kind.RELU), from);
    }
}
