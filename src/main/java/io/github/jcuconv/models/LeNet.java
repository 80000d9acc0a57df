package io.github.jcuconv.models;

import static io.github.jcuconv.models.Models.scaled;
import static io.github.jcuconv.nn.Layer.avgPool;
import static io.github.jcuconv.nn.Layer.conv;
import static io.github.jcuconv.nn.Layer.dense;
import static io.github.jcuconv.nn.Layer.maxPool;

import io.github.jcuconv.Dims;
import io.github.jcuconv.nn.Layer;
import io.github.jcuconv.nn.Network;
import io.github.jcuconv.op.Activation;
import java.util.Optional;

/** LeNet-5 (LeCun, Bottou, Bengio, Haffner 1998, "Gradient-based learning applied to document recognition"). */
final class LeNet {
    private static final Activation.Kind TANH = Activation.Kind.TANH;
    private static final int S2_MAPS = 6;

    private LeNet() {}

    /** As it is taught today: C3 sees all maps, max-pooling, ReLU; 61,706 parameters. */
    static Network lenet5(Dims in, int classes, double width) {
        return Models.input("lenet5", in)
                .add("conv1", conv(scaled(6, width), 5).pad(2).relu())
                .add("pool1", maxPool(2, 2))
                .add("conv2", conv(scaled(16, width), 5).relu())
                .add("pool2", maxPool(2, 2))
                .add("fc1", dense(scaled(120, width)).relu())
                .add("fc2", dense(scaled(84, width)).relu())
                .add("fc3", dense(classes))
                .build();
    }

    /**
     * The first form: subsampling is an average with a trainable factor and bias per map, C3 sees the maps that the paper's table I names,
     * tanh throughout. 60,840 parameters: 60,000 that the paper trains, and the 84 x 10 of its output, which are fixed codes there and
     * trained weights under a softmax here. The table makes the width fixed up to C5: {@code width} scales C5 and F6.
     */
    static Network lenet5Of1998(Dims in, int classes, double width) {
        Network.Builder net = Models.input("lenet5-1998", in);
        // One node per map, so that C3 can choose among them.
        for (int map = 0; map < S2_MAPS; map++) {
            net.add("c1." + map, conv(1, 5).pad(2).activation(TANH), Network.INPUT);
            subsample(net, "s2." + map);
        }
        return subsample(c3(net), "s4")
                .add("c5", conv(scaled(120, width), 5).activation(TANH))
                .add("f6", dense(scaled(84, width)).activation(TANH))
                .add("output", new Layer.FullyConnected(classes, false, Optional.empty()))
                .build();
    }

    /** An average over 2 x 2, then a factor and a bias per map: a 1x1 convolution of one map in each group. */
    private static Network.Builder subsample(Network.Builder net, String name) {
        net.add(name + ".average", avgPool(2, 2));
        int maps = net.shape().c();
        return net.add(name, conv(maps, 1).groups(maps).activation(TANH));
    }

    /** Table I: six maps see 3 neighbours, nine see 4 maps (six neighbouring, three not), the last one sees all. */
    private static Network.Builder c3(Network.Builder net) {
        int[][] threes = {{0, 1, 2}, {1, 2, 3}, {2, 3, 4}, {3, 4, 5}, {4, 5, 0}, {5, 0, 1}};
        int[][] fours = {
            {0, 1, 2, 3},
            {1, 2, 3, 4},
            {2, 3, 4, 5},
            {3, 4, 5, 0},
            {4, 5, 0, 1},
            {5, 0, 1, 2},
            {0, 1, 3, 4},
            {1, 2, 4, 5},
            {0, 2, 3, 5}
        };
        group(net, "c3.threes", threes);
        group(net, "c3.fours", fours);
        group(net, "c3.all", new int[][] {{0, 1, 2, 3, 4, 5}});
        return net.add("c3", new Layer.Join(), "c3.threes", "c3.fours", "c3.all");
    }

    /** One map per row, which sees the maps of its row: a grouped convolution over their concatenation. */
    private static void group(Network.Builder net, String name, int[][] rows) {
        String[] seen = java.util.Arrays.stream(rows)
                .flatMapToInt(java.util.Arrays::stream)
                .mapToObj(map -> "s2." + map)
                .toArray(String[]::new);
        net.add(name + ".maps", new Layer.Join(), seen);
        net.add(name, conv(rows.length, 5).groups(rows.length).activation(TANH));
    }
}
