package io.github.jcuconv.models;

import io.github.jcuconv.nn.Network;
import io.github.jcuconv.nn.Trainer;
import java.util.List;

/**
 * Memory as textbooks count it by hand, in fp32: parameters and maps, without gradients, optimizer, workspace and alignment. A real step is what
 * {@link Trainer#predict} plans.
 *
 * @param parameters bytes of all parameters
 * @param input bytes of one image
 * @param maps bytes of the outputs of all layers for one image
 * @param pair bytes of the two consecutive layers' outputs that are largest together
 */
public record BookCount(long parameters, long input, long maps, long pair) {
    /** Counts a network. */
    public static BookCount of(Network network) {
        List<Network.Node> nodes = network.nodes();
        long maps = 0;
        long pair = 0;
        long before = 0;
        for (Network.Node node : nodes) {
            long bytes = Float.BYTES * node.output().perImage();
            maps += bytes;
            pair = Math.max(pair, before + bytes);
            before = bytes;
        }
        return new BookCount(
                Float.BYTES * network.totalParameters(),
                Float.BYTES * network.input().perImage(),
                maps,
                pair);
    }

    /** Everything for one image. */
    public long everything() {
        return parameters + maps;
    }

    /** Inference of one image that holds two consecutive layers at a time. */
    public long inference() {
        return parameters + pair;
    }

    /** Training: the images and all their maps. */
    public long training(int batch) {
        return parameters + batch * (maps + input);
    }
}
