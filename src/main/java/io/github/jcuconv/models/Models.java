package io.github.jcuconv.models;

import static io.github.jcuconv.nn.Layer.conv;
import static io.github.jcuconv.nn.Layer.dense;
import static io.github.jcuconv.nn.Layer.maxPool;

import io.github.jcuconv.Dims;
import io.github.jcuconv.nn.Network;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/** The built-in networks by name, each with the input shape and the number of classes as arguments. */
public final class Models {
    /** Builds a network for an input of C x H x W and a number of classes. */
    public interface Builder {
        /** The network. */
        Network build(Dims input, int classes);
    }

    private record Entry(Dims input, int classes, Builder builder) {}

    private static final Map<String, Entry> ALL = new LinkedHashMap<>();

    static {
        Dims mnist = new Dims(1, 1, 28, 28);
        ALL.put("lenet5", new Entry(mnist, 10, Models::lenet5));
        ALL.put("mnist-cnn", new Entry(mnist, 10, Models::mnistCnn));
        ALL.put("peer-cnn", new Entry(mnist, 10, Models::peerCnn));
        ALL.put("dense-mnist", new Entry(mnist, 10, Models::denseMnist));
    }

    private Models() {}

    /** The names. */
    public static Set<String> names() {
        return ALL.keySet();
    }

    /**
     * A network with its usual input and classes.
     *
     * @throws IllegalArgumentException if there is none of that name
     */
    public static Network get(String name) {
        Entry entry = entry(name);
        return entry.builder().build(entry.input(), entry.classes());
    }

    /**
     * A network for another input.
     *
     * @throws IllegalArgumentException if there is none of that name, or a layer does not fit
     */
    public static Network get(String name, Dims input, int classes) {
        return entry(name).builder().build(input, classes);
    }

    private static Entry entry(String name) {
        Entry entry = ALL.get(name);
        if (entry == null) {
            throw new IllegalArgumentException("model " + name + ": unknown; there are " + String.join(", ", names()));
        }
        return entry;
    }

    private static Network.Builder input(String name, Dims in) {
        return Network.input(name, in.c(), in.h(), in.w());
    }

    /** LeNet-5 in its modern form (LeCun et al. 1998): dense C3, max-pooling, ReLU; 61,706 parameters at 1x28x28. */
    static Network lenet5(Dims in, int classes) {
        return input("lenet5", in)
                .add("conv1", conv(6, 5).pad(2).relu())
                .add("pool1", maxPool(2, 2))
                .add("conv2", conv(16, 5).relu())
                .add("pool2", maxPool(2, 2))
                .add("fc1", dense(120).relu())
                .add("fc2", dense(84).relu())
                .add("fc3", dense(classes))
                .build();
    }

    /** The network that {@code mnist} trains. */
    static Network mnistCnn(Dims in, int classes) {
        return input("mnist-cnn", in)
                .add("conv1", conv(32, 3).same().relu())
                .add("pool1", maxPool(2, 2))
                .add("conv2", conv(64, 3).same().relu())
                .add("pool2", maxPool(2, 2))
                .add("fc1", dense(128).relu())
                .add("fc2", dense(classes))
                .build();
    }

    /** The network of the comparison with other libraries; 1,625,866 parameters at 1x28x28. */
    static Network peerCnn(Dims in, int classes) {
        return input("peer-cnn", in)
                .add("conv1", conv(32, 3).same().relu())
                .add("conv2", conv(64, 3).same().relu())
                .add("pool", maxPool(2, 2))
                .add("ip1", dense(128).relu())
                .add("ip2", dense(classes))
                .build();
    }

    /** No convolution: what the others are better than. */
    static Network denseMnist(Dims in, int classes) {
        return input("dense-mnist", in)
                .add("fc1", dense(128).relu())
                .add("fc2", dense(classes))
                .build();
    }
}
