package io.github.jcuconv.models;

import io.github.jcuconv.Dims;
import io.github.jcuconv.nn.Network;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/** The built-in networks by name, each with the input shape, the number of classes and the width as arguments. */
public final class Models {
    /** Builds a network. */
    public interface Builder {
        /**
         * The network.
         *
         * @param input channels, height and width of an image
         * @param classes outputs
         * @param width channels and hidden units as a part of the published ones, e.g. 0.25
         */
        Network build(Dims input, int classes, double width);
    }

    private record Entry(Dims input, int classes, Builder builder) {}

    private static final Map<String, Entry> ALL = new LinkedHashMap<>();

    static {
        Dims mnist = new Dims(1, 1, 28, 28);
        Dims imageNet = new Dims(1, 3, 224, 224);
        ALL.put("lenet5", new Entry(mnist, 10, LeNet::lenet5));
        ALL.put("lenet5-1998", new Entry(mnist, 10, LeNet::lenet5Of1998));
        ALL.put("mnist-cnn", new Entry(mnist, 10, Small::mnistCnn));
        ALL.put("peer-cnn", new Entry(mnist, 10, Small::peerCnn));
        ALL.put("dense-mnist", new Entry(mnist, 10, Small::denseMnist));
        ALL.put("three-layer", new Entry(new Dims(1, 3, 200, 300), 10, Small::threeLayer));
        ALL.put("alexnet", new Entry(new Dims(1, 3, 227, 227), 1000, AlexNet::alexnet));
        ALL.put("vgg16", new Entry(imageNet, 1000, Vgg::vgg16));
        ALL.put("googlenet", new Entry(imageNet, 1000, GoogLeNet::googlenet));
        ResNet.ALL.forEach((name, resnet) -> ALL.put(name, new Entry(imageNet, 1000, resnet)));
        ALL.put("senet154", new Entry(imageNet, 1000, SeNet::senet154));
        ALL.put("xception", new Entry(new Dims(1, 3, 299, 299), 1000, Xception::xception));
        ALL.put("fcn32s", new Entry(imageNet, 21, Fcn::fcn32s));
        ALL.put("fcn16s", new Entry(imageNet, 21, Fcn::fcn16s));
        ALL.put("fcn8s", new Entry(imageNet, 21, Fcn::fcn8s));
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
        return entry.builder().build(entry.input(), entry.classes(), 1);
    }

    /**
     * A network for another input.
     *
     * @throws IllegalArgumentException if there is none of that name, or a layer does not fit
     */
    public static Network get(String name, Dims input, int classes) {
        return get(name, input, classes, 1);
    }

    /**
     * A narrower or wider network.
     *
     * @param width channels and hidden units as a part of the published ones, e.g. 0.25
     * @throws IllegalArgumentException if there is none of that name, a layer does not fit, or the width is not positive
     */
    public static Network get(String name, Dims input, int classes, double width) {
        if (!(width > 0)) {
            throw new IllegalArgumentException("model " + name + ": width is " + width + ", must be positive");
        }
        return entry(name).builder().build(input, classes, width);
    }

    private static Entry entry(String name) {
        Entry entry = ALL.get(name);
        if (entry == null) {
            throw new IllegalArgumentException("model " + name + ": unknown; there are " + String.join(", ", names()));
        }
        return entry;
    }

    static Network.Builder input(String name, Dims in) {
        return Network.input(name, in.c(), in.h(), in.w());
    }

    /** A published number of channels at this width: at least 1. */
    static int scaled(int channels, double width) {
        return (int) Math.max(1, Math.round(channels * width));
    }

    /** The same as a multiple of the groups. */
    static int scaled(int channels, double width, int groups) {
        return groups * scaled(channels / groups, width);
    }
}
