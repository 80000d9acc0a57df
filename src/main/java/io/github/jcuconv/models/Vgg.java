package io.github.jcuconv.models;

import static io.github.jcuconv.models.Models.scaled;
import static io.github.jcuconv.nn.Layer.conv;
import static io.github.jcuconv.nn.Layer.dense;
import static io.github.jcuconv.nn.Layer.maxPool;

import io.github.jcuconv.Dims;
import io.github.jcuconv.nn.Layer;
import io.github.jcuconv.nn.Network;

/** VGG (Simonyan, Zisserman 2014, "Very deep convolutional networks for large-scale image recognition"), configuration D. */
final class Vgg {
    /** Channels of the stages, and how many convolutions of 3x3 each has. */
    private static final int[][] STAGES = {{64, 2}, {128, 2}, {256, 3}, {512, 3}, {512, 3}};

    private Vgg() {}

    /** 13 convolutions and 3 dense layers; 138,357,544 parameters. */
    static Network vgg16(Dims in, int classes, double width) {
        return convolutions(Models.input("vgg16", in), width)
                .add("fc6", dense(scaled(4096, width)).relu())
                .add("drop6", new Layer.Drop(0.5f, 6))
                .add("fc7", dense(scaled(4096, width)).relu())
                .add("drop7", new Layer.Drop(0.5f, 7))
                .add("fc8", dense(classes))
                .build();
    }

    /** conv1_1 to pool5: 14,714,688 parameters; each stage halves the image. */
    static Network.Builder convolutions(Network.Builder net, double width) {
        for (int stage = 1; stage <= STAGES.length; stage++) {
            int[] s = STAGES[stage - 1];
            for (int i = 1; i <= s[1]; i++) {
                net.add(
                        "conv" + stage + "_" + i,
                        conv(scaled(s[0], width), 3).pad(1).relu());
            }
            net.add("pool" + stage, maxPool(2, 2));
        }
        return net;
    }
}
