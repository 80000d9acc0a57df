package io.github.jcuconv.models;

import static io.github.jcuconv.models.Models.scaled;
import static io.github.jcuconv.nn.Layer.conv;

import io.github.jcuconv.Dims;
import io.github.jcuconv.nn.Layer;
import io.github.jcuconv.nn.Network;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Padding;
import io.github.jcuconv.op.Window;
import java.util.Optional;

/**
 * Fully convolutional networks for semantic segmentation (Long, Shelhamer, Darrell 2014) on VGG16: one class per pixel. The original pads the
 * image by 100 and crops afterwards, so that any size works; here fc6 is padded by 3 and every size is a multiple of 32, so that all maps fit
 * without a crop. Parameters are the same, values near the border differ.
 */
final class Fcn {
    private static final int STEP = 32;

    private Fcn() {}

    /** One step back to the image's size; 136,152,917 parameters. */
    static Network fcn32s(Dims in, int classes, double width) {
        Network.Builder net = score("fcn32s", in, classes, width);
        return up(net, "upscore", classes, 32, "score").build();
    }

    /** With the scores of pool4; 134,815,994 parameters. */
    static Network fcn16s(Dims in, int classes, double width) {
        Network.Builder net = score("fcn16s", in, classes, width);
        skip(net, "pool4", classes, "score");
        return up(net, "upscore16", classes, 16, "fuse_pool4").build();
    }

    /** With the scores of pool4 and pool3; 134,489,759 parameters. */
    static Network fcn8s(Dims in, int classes, double width) {
        Network.Builder net = score("fcn8s", in, classes, width);
        skip(net, "pool4", classes, "score");
        skip(net, "pool3", classes, "fuse_pool4");
        return up(net, "upscore8", classes, 8, "fuse_pool3").build();
    }

    /** VGG16 with its dense layers as convolutions: scores at a 32nd of the image's size. */
    private static Network.Builder score(String name, Dims in, int classes, double width) {
        OpDescriptor.require(
                in.h() % STEP == 0 && in.w() % STEP == 0,
                name + ": an image of " + in.h() + "x" + in.w() + "; height and width must be multiples of " + STEP);
        return Vgg.convolutions(Models.input(name, in), width)
                .add("fc6", conv(scaled(4096, width), 7).pad(3).relu())
                .add("drop6", new Layer.Drop(0.5f, 6))
                .add("fc7", conv(scaled(4096, width), 1).relu())
                .add("drop7", new Layer.Drop(0.5f, 7))
                .add("score", conv(classes, 1));
    }

    /** Doubles the scores and adds those of an earlier pooling. */
    private static void skip(Network.Builder net, String pool, int classes, String scores) {
        up(net, "upscore_" + pool, classes, 2, scores)
                .add("score_" + pool, conv(classes, 1), pool)
                .add("fuse_" + pool, new Layer.Sum(), "upscore_" + pool, "score_" + pool);
    }

    /** A transposed convolution of twice the step, which can learn bilinear interpolation. */
    private static Network.Builder up(Network.Builder net, String name, int classes, int step, String from) {
        Window window = Window.of(2 * step, 2 * step).stride(step, step).pad(Padding.of(step / 2));
        return net.add(name, new Layer.ConvTranspose(classes, window, 0, 1, false, Optional.empty()), from);
    }
}
