package io.github.jcuconv.models;

import static io.github.jcuconv.models.Models.scaled;
import static io.github.jcuconv.nn.Layer.conv;
import static io.github.jcuconv.nn.Layer.dense;
import static io.github.jcuconv.nn.Layer.maxPool;

import io.github.jcuconv.Dims;
import io.github.jcuconv.nn.Layer;
import io.github.jcuconv.nn.Network;
import io.github.jcuconv.op.Lrn;

/** AlexNet (Krizhevsky, Sutskever, Hinton 2012, "ImageNet classification with deep convolutional neural networks"). */
final class AlexNet {
    private AlexNet() {}

    /** The paper's network: two groups in conv2, conv4 and conv5, LRN, overlapping pooling; 60,965,224 parameters. */
    static Network alexnet(Dims in, int classes, double width) {
        Layer.LocalResponseNorm lrn = new Layer.LocalResponseNorm(5, 1e-4f, 0.75f, 2f, Lrn.Convention.ALPHA);
        return Models.input("alexnet", in)
                .add("conv1", conv(scaled(96, width, 2), 11).stride(4).relu())
                .add("norm1", lrn)
                .add("pool1", maxPool(3, 2))
                .add("conv2", conv(scaled(256, width, 2), 5).pad(2).groups(2).relu())
                .add("norm2", lrn)
                .add("pool2", maxPool(3, 2))
                .add("conv3", conv(scaled(384, width, 2), 3).pad(1).relu())
                .add("conv4", conv(scaled(384, width, 2), 3).pad(1).groups(2).relu())
                .add("conv5", conv(scaled(256, width, 2), 3).pad(1).groups(2).relu())
                .add("pool5", maxPool(3, 2))
                .add("fc6", dense(scaled(4096, width)).relu())
                .add("drop6", new Layer.Drop(0.5f, 6))
                .add("fc7", dense(scaled(4096, width)).relu())
                .add("drop7", new Layer.Drop(0.5f, 7))
                .add("fc8", dense(classes))
                .build();
    }
}
