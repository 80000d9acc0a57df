package io.github.jcuconv.models;

import io.github.jcuconv.Dims;
import io.github.jcuconv.nn.Layer;
import io.github.jcuconv.nn.Network;
import io.github.jcuconv.nn.Parameter;
import io.github.jcuconv.op.Arg;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What torchvision calls the weights of ResNets and VGG16, so that files made from them can be read, and files for it written. The numbers lie in
 * the same order in both, and {@code num_batches_tracked}, which torchvision has besides, changes no output.
 */
public final class Torchvision {
    private static final Pattern BLOCK = Pattern.compile("conv(\\d)_(\\d+)\\.(conv\\d|bn\\d|shortcut|shortcut\\.bn)");
    /** Layers of torchvision's classifier between two that have weights: ReLU and dropout. */
    private static final int CLASSIFIER_STEP = 3;

    private Torchvision() {}

    /**
     * A tensor in a file.
     *
     * @param name its name
     * @param shape its sizes, slowest first
     */
    public record Tensor(String name, List<Long> shape) {
        /** Keeps a copy of the shape. */
        public Tensor {
            shape = List.copyOf(shape);
        }
    }

    /**
     * The tensors of a network, by the names of our parameters and in their order.
     *
     * @param network a ResNet or VGG16 of {@link Models}, of any width and number of classes
     * @throws IllegalArgumentException if it is another one
     */
    public static Map<String, Tensor> tensors(Network network) {
        boolean vgg = network.name().equals("vgg16");
        ResNet resnet = ResNet.ALL.get(network.name());
        if (!vgg && (resnet == null || resnet.excite())) {
            throw new IllegalArgumentException(
                    "model " + network.name() + ": only the names of vgg16 and of ResNets without gates are known");
        }
        Map<String, String> layers = vgg ? vgg(network) : Map.of();
        Map<String, Layer> kinds = new HashMap<>();
        network.nodes().forEach(node -> kinds.put(node.name(), node.layer()));
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (Parameter p : network.parameters()) {
            String layer = vgg ? layers.getOrDefault(p.layer(), "") : resnet(p.layer());
            String role = p.name().substring(p.layer().length());
            tensors.put(p.name(), new Tensor(layer + role, shape(kinds.get(p.layer()), p)));
        }
        return Collections.unmodifiableMap(tensors);
    }

    /** conv1, bn1 and fc have one name in both. */
    private static String resnet(String layer) {
        Matcher block = BLOCK.matcher(layer);
        if (!block.matches()) {
            return layer;
        }
        String part =
                switch (block.group(3)) {
                    case "shortcut" -> "downsample.0";
                    case "shortcut.bn" -> "downsample.1";
                    default -> block.group(3);
                };
        return "layer" + (Integer.parseInt(block.group(1)) - 1) + "." + (Integer.parseInt(block.group(2)) - 1) + "."
                + part;
    }

    /** Layers are numbered there, ReLU, pooling and dropout too. */
    private static Map<String, String> vgg(Network network) {
        Map<String, String> names = new HashMap<>();
        int feature = 0;
        int classifier = 0;
        for (Network.Node node : network.nodes()) {
            if (node.layer() instanceof Layer.Conv) {
                names.put(node.name(), "features." + feature);
                feature += 2;
            } else if (node.layer() instanceof Layer.MaxPool) {
                feature++;
            } else if (node.layer() instanceof Layer.FullyConnected) {
                names.put(node.name(), "classifier." + classifier);
                classifier += CLASSIFIER_STEP;
            }
        }
        return names;
    }

    /** Filters are K C R S, matrices K times what one image has, all else is a vector. */
    private static List<Long> shape(@Nullable Layer layer, Parameter p) {
        Dims d = p.dims();
        if (p.arg() != Arg.W) {
            return List.of(d.count());
        }
        return layer instanceof Layer.FullyConnected
                ? List.of((long) d.n(), d.perImage())
                : List.of((long) d.n(), (long) d.c(), (long) d.h(), (long) d.w());
    }
}
