package io.github.jcuconv.models;

import static io.github.jcuconv.models.Models.scaled;
import static io.github.jcuconv.nn.Layer.conv;
import static io.github.jcuconv.nn.Layer.dense;
import static io.github.jcuconv.nn.Layer.maxPool;

import io.github.jcuconv.Dims;
import io.github.jcuconv.nn.Network;

/** Small networks of our own, and the one of the textbook's exercise. */
final class Small {
    private Small() {}

    /** The network that {@code mnist} trains. */
    static Network mnistCnn(Dims in, int classes, double width) {
        return Models.input("mnist-cnn", in)
                .add("conv1", conv(scaled(32, width), 3).same().relu())
                .add("pool1", maxPool(2, 2))
                .add("conv2", conv(scaled(64, width), 3).same().relu())
                .add("pool2", maxPool(2, 2))
                .add("fc1", dense(scaled(128, width)).relu())
                .add("fc2", dense(classes))
                .build();
    }

    /** The network of the comparison with other libraries; 1,625,866 parameters at 1x28x28. */
    static Network peerCnn(Dims in, int classes, double width) {
        return Models.input("peer-cnn", in)
                .add("conv1", conv(scaled(32, width), 3).same().relu())
                .add("conv2", conv(scaled(64, width), 3).same().relu())
                .add("pool", maxPool(2, 2))
                .add("ip1", dense(scaled(128, width)).relu())
                .add("ip2", dense(classes))
                .build();
    }

    /** No convolution: what the others are better than. */
    static Network denseMnist(Dims in, int classes, double width) {
        return Models.input("dense-mnist", in)
                .add("fc1", dense(scaled(128, width)).relu())
                .add("fc2", dense(classes))
                .build();
    }

    /**
     * Three convolutions of 3x3, stride 2, SAME, and nothing behind them, so the output is a map and each of its pixels has a class of
     * the 400: 903,400 parameters for RGB images. {@code classes} changes nothing, since the exercise has no classifier.
     */
    static Network threeLayer(Dims in, int classes, double width) {
        return Models.input("three-layer", in)
                .add("conv1", conv(scaled(100, width), 3).stride(2).same().relu())
                .add("conv2", conv(scaled(200, width), 3).stride(2).same().relu())
                .add("conv3", conv(scaled(400, width), 3).stride(2).same().relu())
                .build();
    }
}
