package io.github.jcuconv.nn;

import io.github.jcuconv.Dims;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Phase;
import io.github.jcuconv.op.Types;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A directed acyclic graph of layers with one input and one output, shapes inferred and checked; training may have further outputs, see
 * {@link Builder#auxiliary}. Immutable; holds no weights.
 */
public final class Network {
    /** The name under which the first layers read the input. */
    public static final String INPUT = "input";

    /**
     * A layer in its place.
     *
     * @param name its name, unique
     * @param layer what it does
     * @param inputs names of the nodes that it reads
     * @param output shape of its output for batch 1
     * @param frozen whether training leaves it as it is; see {@link Network#frozenThrough}
     * @param lossWeight of an auxiliary output, otherwise 0; see {@link Builder#auxiliary}
     */
    public record Node(String name, Layer layer, List<String> inputs, Dims output, boolean frozen, float lossWeight) {}

    private final String name;
    private final Dims input;
    private final List<Node> nodes;

    private Network(String name, Dims input, List<Node> nodes) {
        this.name = name;
        this.input = input;
        this.nodes = List.copyOf(nodes);
    }

    /** Starts a network whose input has these channels, height and width. */
    public static Builder input(String name, int c, int h, int w) {
        return new Builder(name, new Dims(1, c, h, w));
    }

    /** Builds a network layer by layer; the last layer is its output. */
    public static final class Builder {
        private final String name;
        private final Dims input;
        private final Map<String, Node> nodes = new LinkedHashMap<>();
        private String last = INPUT;

        private Builder(String name, Dims input) {
            this.name = name;
            this.input = input;
        }

        /**
         * Adds a layer behind the ones named, or behind the last one.
         *
         * @throws IllegalArgumentException naming the layer and the rule that is broken
         */
        public Builder add(String layerName, Layer layer, String... inputs) {
            List<String> from = inputs.length == 0 ? List.of(last) : List.of(inputs);
            if (layerName.equals(INPUT) || nodes.containsKey(layerName)) {
                throw new IllegalArgumentException("layer " + layerName + ": the name is taken; names must be unique");
            }
            if (!layer.takes(from.size())) {
                throw new IllegalArgumentException("layer " + layerName + ": cannot take " + from.size() + " inputs");
            }
            List<Dims> shapes = from.stream().map(i -> shape(layerName, i)).toList();
            try {
                nodes.put(layerName, new Node(layerName, layer, from, layer.output(shapes), false, 0));
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException("layer " + layerName + ": " + e.getMessage(), e);
            }
            last = layerName;
            return this;
        }

        /**
         * Makes the last layer an auxiliary output: in training its cross-entropy with the same labels, times the weight, is added to the loss,
         * so that gradients reach the middle of a deep network on a short way. Inference leaves out what only such outputs read.
         *
         * @param weight greater than 0
         * @throws IllegalArgumentException if there is no layer, or the weight is not a number greater than 0
         */
        public Builder auxiliary(float weight) {
            Node node = nodes.get(last);
            if (node == null || !(weight > 0) || Float.isInfinite(weight)) {
                throw new IllegalArgumentException(
                        "auxiliary output " + last + ": needs a layer and a weight greater than 0, not " + weight);
            }
            nodes.put(last, new Node(last, node.layer, node.inputs, node.output, false, weight));
            return this;
        }

        /** The shape of the last layer's output, for builders that depend on it. */
        public Dims shape() {
            return last.equals(INPUT) ? input : shape(last, last);
        }

        private Dims shape(String layerName, String of) {
            if (of.equals(INPUT)) {
                return input;
            }
            Node node = nodes.get(of);
            if (node == null) {
                throw new IllegalArgumentException("layer " + layerName + ": its input " + of + " does not exist yet");
            }
            return node.output();
        }

        /**
         * The finished network.
         *
         * @throws IllegalArgumentException if it is empty, a layer's output is never used, or an auxiliary output has another shape than the
         *     network's
         */
        public Network build() {
            if (nodes.isEmpty()) {
                throw new IllegalArgumentException("network " + name + " has no layers");
            }
            for (Node node : nodes.values()) {
                boolean used = node.name().equals(last)
                        || node.lossWeight() > 0
                        || nodes.values().stream().anyMatch(n -> n.inputs().contains(node.name()));
                if (!used) {
                    throw new IllegalArgumentException("layer " + node.name() + ": its output is never used");
                }
                if (node.lossWeight() > 0
                        && (node.name().equals(last) || !node.output().equals(shape()))) {
                    throw new IllegalArgumentException("auxiliary output " + node.name() + " of shape " + node.output()
                            + ": must stand before the network's output and have its shape, " + shape());
                }
            }
            return new Network(name, input, new ArrayList<>(nodes.values()));
        }
    }

    /**
     * The same network, of which training leaves the layers up to this one as they are: they run as in inference (batch norm with its running
     * statistics, no dropout), keep nothing for the backward pass and have no gradients and no optimizer state; with 16-bit storage their
     * weights have no fp32 form beside it.
     *
     * @param last a layer's name; the layers that were added before it are frozen with it
     * @throws IllegalArgumentException if there is no such layer, or nothing that learns behind it
     */
    public Network frozenThrough(String last) {
        List<String> names = nodes.stream().map(Node::name).toList();
        int count = names.indexOf(last) + 1;
        if (count == 0) {
            throw new IllegalArgumentException("layer " + last + ": there is none in " + name + ", only " + names);
        }
        List<Node> some = new ArrayList<>();
        for (Node node : nodes) {
            some.add(new Node(node.name, node.layer, node.inputs, node.output, some.size() < count, node.lossWeight));
        }
        Network frozen = new Network(name, input, some);
        if (frozen.trainableParameters() == 0) {
            throw new IllegalArgumentException(
                    "layer " + last + ": nothing behind it could learn; freeze fewer layers");
        }
        return frozen;
    }

    /** The network's name. */
    public String name() {
        return name;
    }

    /** Shape of one input, with N = 1. */
    public Dims input() {
        return input;
    }

    /** The layers, each after those that it reads. */
    public List<Node> nodes() {
        return nodes;
    }

    /** The same network as inference runs it: without auxiliary outputs and what only they read. */
    public Network inference() {
        Set<String> needed = new HashSet<>(Set.of(output().name()));
        List<Node> found = new ArrayList<>();
        for (int i = nodes.size() - 1; i >= 0; i--) {
            if (needed.contains(nodes.get(i).name())) {
                needed.addAll(nodes.get(i).inputs());
                found.add(0, nodes.get(i));
            }
        }
        return new Network(name, input, found);
    }

    /** The layers whose loss training adds to that of the output; see {@link Builder#auxiliary}. */
    List<Node> auxiliaries() {
        return nodes.stream().filter(n -> n.lossWeight() > 0 && !n.frozen()).toList();
    }

    /** The last layer. */
    public Node output() {
        return nodes.get(nodes.size() - 1);
    }

    /** The shapes that a node reads, for a batch of n. */
    List<Dims> inputShapes(Node node, int n) {
        return node.inputs().stream()
                .map(i -> i.equals(INPUT) ? input : find(i).output())
                .map(d -> d.withN(n))
                .toList();
    }

    private Node find(String nodeName) {
        return nodes.stream().filter(n -> n.name().equals(nodeName)).findFirst().orElseThrow();
    }

    /** The parameters of all layers, in the order of the layers. */
    public List<Parameter> parameters() {
        List<Parameter> all = new ArrayList<>();
        for (Node node : nodes) {
            all.addAll(Parameter.of(node, inputShapes(node, 1)));
        }
        return all;
    }

    /** Numbers that training changes through gradients. */
    public long trainableParameters() {
        return parameters().stream()
                .filter(Parameter::trainable)
                .mapToLong(p -> p.dims().count())
                .sum();
    }

    /** All numbers, running statistics included. */
    public long totalParameters() {
        return parameters().stream().mapToLong(p -> p.dims().count()).sum();
    }

    /** Multiply-adds of one image's forward pass through a node. */
    public long multiplyAdds(Node node) {
        if (node.layer() instanceof Layer.Single single) {
            OpDescriptor op = single.op(inputShapes(node, 1).get(0), Types.FP32, Phase.INFERENCE);
            return op.multiplyAdds();
        }
        return 0;
    }

    /** Multiply-adds of one image's inference. */
    public long multiplyAdds() {
        return inference().nodes.stream().mapToLong(this::multiplyAdds).sum();
    }
}
