package io.github.jcuconv.nn;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Layout;
import io.github.jcuconv.memory.Part;
import io.github.jcuconv.nn.Emitter.Bindings;
import io.github.jcuconv.op.Activation;
import io.github.jcuconv.op.Add;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.ChannelScale;
import io.github.jcuconv.op.Concat;
import io.github.jcuconv.op.Conv2d;
import io.github.jcuconv.op.Dropout;
import io.github.jcuconv.op.MaxPool2d;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.Phase;
import io.github.jcuconv.op.Types;
import io.github.jcuconv.op.Window;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Turns the layers of a network into forward and backward steps. */
final class Lowering {
    /**
     * Products of a sum, 3x3 of 64 channels, up to which a max-pool runs with its convolution: below, the sums that are not stored are worth more
     * than the faster kernels that store them.
     */
    private static final int MOST_POOLED = 576;

    private final Network network;
    private final Emitter emitter;
    private final Weights weights;
    private final Types types;
    /** Of convolutions and dense layers. */
    private final Types weightedTypes;

    private final @Nullable Value seed;
    private final boolean accumulate;
    private final Set<String> overwritten;
    private final Map<String, Network.Node> byName = new HashMap<>();
    /** Tensors whose gradient nobody needs: neither they nor what they are made from depend on a parameter that learns. */
    private final Set<String> settled = new HashSet<>(Set.of(Network.INPUT));

    /** Of the layers that run again in the backward pass. */
    long recomputedMultiplyAdds;

    /** What a forward pass leaves behind, by layer. */
    static final class Trace {
        final Map<String, Value> outputs = new HashMap<>();
        /** Those of the forward pass, dropped ones included: for shapes and layouts only. */
        final Map<String, Value> firstOutputs = new HashMap<>();
        /** ARGMAX of max-pool, SAVED of LRN. */
        final Map<String, Value> saved = new HashMap<>();

        final Map<String, Value> saveMean = new HashMap<>();
        final Map<String, Value> saveVar = new HashMap<>();

        Value output(String name) {
            return Objects.requireNonNull(outputs.get(name), name);
        }

        /** Forgets what is to be computed again; statistics of batch norm are small, and stay. */
        void drop(Set<String> names) {
            firstOutputs.putAll(outputs);
            outputs.keySet().removeAll(names);
            saved.keySet().removeAll(names);
        }
    }

    /**
     * @param seed of dropout, null without training
     * @param accumulate whether gradients of parameters are added to what their region holds
     */
    Lowering(
            Network network,
            Emitter emitter,
            Weights weights,
            Precision precision,
            @Nullable Value seed,
            boolean accumulate) {
        this.network = network;
        this.accumulate = accumulate;
        this.overwritten = Recomputation.overwritten(network);
        for (Network.Node node : network.nodes()) {
            byName.put(node.name(), node);
            boolean learns =
                    Parameter.of(node, network.inputShapes(node, 1)).stream().anyMatch(Parameter::trainable);
            if (!learns && settled.containsAll(node.inputs())) {
                settled.add(node.name());
            }
        }
        this.emitter = emitter;
        this.weights = weights;
        this.types = Types.of(precision.storage());
        this.weightedTypes = types.products(precision.products());
        this.seed = seed;
    }

    /** The forward steps from an fp32 input tensor; declares each parameter the first time it is met. */
    Trace forward(Value input, Phase phase) {
        Trace trace = new Trace();
        Value x = input;
        if (types.storage() != DataType.FP32) {
            x = emitter.add("input " + types.storage(), Part.INPUT, input.dims, types.storage(), Layout.Plain.NCHW);
            emitter.reorder(input, x);
        }
        trace.outputs.put(Network.INPUT, x);
        List<Network.Node> nodes = (phase == Phase.TRAINING ? network : network.inference()).nodes();
        for (Network.Node node : nodes) {
            if (trace.outputs.containsKey(node.name())) {
                continue; // a max-pool that ran with the convolution before it
            }
            List<Value> inputs = node.inputs().stream().map(trace::output).toList();
            List<Network.Node> readers = nodes.stream()
                    .filter(n -> phase == Phase.INFERENCE && n.inputs().contains(node.name()))
                    .toList();
            Conv2d both = readers.size() == 1 ? pooled(node, readers.get(0), inputs.get(0)) : null;
            if (both != null) {
                String pool = readers.get(0).name();
                trace.outputs.put(pool, weighted(node, both, inputs.get(0), pool));
            } else {
                trace.outputs.put(node.name(), forward(node, inputs, phase, trace, false));
            }
        }
        return trace;
    }

    /** A convolution with the max-pool that alone reads it, where the engine runs both in one step and that pays; else null. */
    private @Nullable Conv2d pooled(Network.Node node, Network.Node reader, Value x) {
        if (!(node.layer() instanceof Layer.Conv conv) || !(reader.layer() instanceof Layer.MaxPool pool)) {
            return null;
        }
        Conv2d op = conv.op(x.dims, weightedTypes, Phase.TRAINING);
        Window w = pool.op(op.y(), types, Phase.INFERENCE).window();
        boolean sideBySide = !pool.ceil() && w.equals(Window.of(w.r(), w.s()).stride(w.r(), w.s()));
        boolean keepsOrder = conv.activation().orElse(Activation.Kind.RELU) == Activation.Kind.RELU;
        if (!sideBySide || !keepsOrder || op.groups() > 1 || op.w().perImage() > MOST_POOLED) {
            return null;
        }
        Conv2d both = op.maxPool(w.r(), w.s());
        return emitter.can(both, Pass.FPROP) ? both : null;
    }

    /** An activation for the backward pass; where it was dropped, the layers behind the last kept ones run again. */
    private Value output(Trace trace, String name) {
        Value kept = trace.outputs.get(name);
        if (kept != null) {
            return kept;
        }
        Network.Node node = Objects.requireNonNull(byName.get(name), name);
        List<Value> inputs = new ArrayList<>();
        node.inputs().forEach(i -> inputs.add(output(trace, i)));
        Value again = forward(node, inputs, Phase.TRAINING, trace, true);
        trace.outputs.put(name, again);
        recomputedMultiplyAdds += network.multiplyAdds(node) * again.dims.n();
        return again;
    }

    private Value saved(Trace trace, String name) {
        output(trace, name);
        return Objects.requireNonNull(trace.saved.get(name), name);
    }

    /** Binds Y: in place of an input that nobody needs any more, where the engine lays both out alike. */
    private void bindOutput(Bindings b, OpDescriptor op, Network.Node node, List<Value> inputs) {
        for (int i = 0; i < inputs.size(); i++) {
            Value x = inputs.get(i);
            if (overwritten.contains(node.inputs().get(i))
                    && x.layout.equals(emitter.propose(op, Pass.FWD, b).get(Arg.Y))) {
                b.use(Arg.Y, x);
                return;
            }
        }
        b.create(Arg.Y, node.name(), Part.ACTIVATIONS);
    }

    /** {@code again}: in the backward pass, where running statistics must not move a second time. */
    private Value forward(Network.Node node, List<Value> inputs, Phase wanted, Trace trace, boolean again) {
        String name = node.name();
        Phase phase = node.frozen() ? Phase.INFERENCE : wanted;
        Value x = inputs.get(0);
        if (node.layer() instanceof Layer.Sum) {
            Bindings b = new Bindings().use(Arg.X, x).use(Arg.X2, inputs.get(1));
            OpDescriptor add = new Add(x.dims, types);
            bindOutput(b, add, node, inputs);
            return get(emitter.emit(name, add, Pass.FWD, b), Arg.Y);
        }
        if (node.layer() instanceof Layer.Scale) {
            Bindings b = new Bindings().use(Arg.X, x).use(Arg.X2, inputs.get(1)).create(Arg.Y, name, Part.ACTIVATIONS);
            return get(emitter.emit(name, new ChannelScale(x.dims, types), Pass.FWD, b), Arg.Y);
        }
        if (node.layer() instanceof Layer.Join) {
            return join(node, inputs);
        }
        Layer.Single layer = (Layer.Single) node.layer();
        if (layer instanceof Layer.Weighted weighted) {
            return weighted(node, weightedOp(node, weighted, x), x, name);
        }
        if (layer instanceof Layer.Drop && phase == Phase.INFERENCE) {
            return x;
        }
        OpDescriptor op = layer.op(x.dims, types, phase);
        Bindings b = new Bindings().use(Arg.X, x);
        bindOutput(b, op, node, inputs);
        if (layer instanceof Layer.MaxPool) {
            b.create(Arg.ARGMAX, name + " argmax", Part.MASKS);
        } else if (layer instanceof Layer.LocalResponseNorm) {
            b.create(Arg.SAVED, name + " saved", Part.MASKS);
        } else if (op instanceof Dropout) {
            b.use(Arg.SEED, Objects.requireNonNull(seed));
        } else if (layer instanceof Layer.BatchNormalization) {
            b.create(Arg.SAVE_MEAN, name + " mean", Part.OTHER).create(Arg.SAVE_VAR, name + " var", Part.OTHER);
            for (Parameter p : Parameter.of(node, List.of(x.dims))) {
                if (again && phase == Phase.TRAINING && !p.trainable()) {
                    b.create(p.arg(), name + " unused statistics", Part.OTHER);
                } else {
                    b.use(p.arg(), parameter(p, Layout.Plain.NCHW).used);
                }
            }
        }
        Map<Arg, Value> done = emitter.emit(name, op, Pass.FWD, b);
        keep(trace.saved, name, done.get(Arg.ARGMAX), done.get(Arg.SAVED));
        if (!again) {
            keep(trace.saveMean, name, done.get(Arg.SAVE_MEAN), null);
            keep(trace.saveVar, name, done.get(Arg.SAVE_VAR), null);
        }
        return get(done, Arg.Y);
    }

    private static void keep(Map<String, Value> map, String name, @Nullable Value a, @Nullable Value b) {
        Value value = a == null ? b : a;
        if (value != null) {
            map.put(name, value);
        }
    }

    /** Convolutions and dense layers run their training form also for inference: one layout of the weights serves both. */
    private OpDescriptor weightedOp(Network.Node node, Layer.Weighted layer, Value x) {
        OpDescriptor op = layer.op(x.dims, weightedTypes, Phase.TRAINING);
        boolean logits = node.equals(network.output()) || node.lossWeight() > 0;
        if (logits && layer.activation().isEmpty()) {
            // Logits in fp32 cost nothing; an engine whose loss has one type rounds them to the storage type.
            OpDescriptor wide = layer.op(x.dims, weightedTypes.with(Arg.Y, DataType.FP32), Phase.TRAINING);
            OpDescriptor loss =
                    Loss.crossEntropy(node.output().withN(x.dims.n()), weightedTypes.with(Arg.X, DataType.FP32));
            op = emitter.can(wide, Pass.FPROP) && emitter.can(loss, Pass.BWD) ? wide : op;
        }
        return op;
    }

    private Value weighted(Network.Node node, OpDescriptor op, Value x, String output) {
        Bindings b = new Bindings().use(Arg.X, x).create(Arg.Y, output, Part.ACTIVATIONS);
        for (Parameter p : Parameter.of(node, List.of(x.dims))) {
            Layout layout = Layout.Plain.NCHW;
            if (p.isWeight() && !weights.entries().containsKey(p.name())) {
                layout = emitter.propose(op, Pass.FPROP, new Bindings().use(Arg.X, x))
                        .getOrDefault(Arg.W, layout);
            }
            b.use(p.arg(), parameter(p, layout).used);
        }
        return get(emitter.emit(node.name(), op, Pass.FPROP, b), Arg.Y);
    }

    private Weights.Entry parameter(Parameter p, Layout layout) {
        Weights.Entry entry = weights.entries().get(p.name());
        return entry == null ? weights.declare(p, layout) : entry;
    }

    private Value join(Network.Node node, List<Value> inputs) {
        int channels = node.output().c();
        Value y = null;
        int offset = 0;
        for (Value x : inputs) {
            Bindings b = new Bindings().use(Arg.X, x);
            if (y == null) {
                b.create(Arg.Y, node.name(), Part.ACTIVATIONS);
            } else {
                b.use(Arg.Y, y);
            }
            y = get(emitter.emit(node.name(), new Concat(x.dims, channels, offset, types), Pass.FWD, b), Arg.Y);
            offset += x.dims.c();
        }
        return Objects.requireNonNull(y);
    }

    /** The backward steps from the gradients of the outputs, by layer. */
    void backward(Trace trace, Map<String, Value> outputGradients) {
        Map<String, Value> gradients = new HashMap<>(outputGradients);
        for (int i = network.nodes().size() - 1; i >= 0; i--) {
            Network.Node node = network.nodes().get(i);
            if (!settled.contains(node.name())) {
                Value dy = Objects.requireNonNull(gradients.remove(node.name()), node.name());
                backward(node, dy, trace, gradients);
            }
        }
    }

    private void backward(Network.Node node, Value dy, Trace trace, Map<String, Value> gradients) {
        String name = node.name();
        String from = node.inputs().get(0);
        boolean wanted = !settled.contains(from);
        if (node.layer() instanceof Layer.Sum) {
            dy.shared = true;
            node.inputs().forEach(i -> contribute(gradients, i, dy));
            return;
        }
        if (node.layer() instanceof Layer.Scale) {
            String gates = node.inputs().get(1);
            Value x = output(trace, from);
            Bindings b = new Bindings()
                    .use(Arg.X, x)
                    .use(Arg.X2, output(trace, gates))
                    .use(Arg.DY, dy);
            b.createLike(x, Arg.DX, "d " + from, Part.ACTIVATION_GRADIENTS);
            b.create(Arg.DX2, "d " + gates, Part.ACTIVATION_GRADIENTS);
            Map<Arg, Value> done = emitter.emit("d " + name, new ChannelScale(x.dims, types), Pass.BWD, b);
            contribute(gradients, from, get(done, Arg.DX));
            contribute(gradients, gates, get(done, Arg.DX2));
            return;
        }
        if (node.layer() instanceof Layer.Join) {
            int offset = 0;
            for (String input : node.inputs()) {
                Value part = like(trace, input);
                if (!settled.contains(input)) {
                    Bindings b = new Bindings().use(Arg.DY, dy);
                    b.createLike(part, Arg.DX, "d " + input, Part.ACTIVATION_GRADIENTS);
                    OpDescriptor op = new Concat(part.dims, node.output().c(), offset, types);
                    contribute(gradients, input, get(emitter.emit("d " + name, op, Pass.BWD, b), Arg.DX));
                }
                offset += part.dims.c();
            }
            return;
        }
        Layer.Single layer = (Layer.Single) node.layer();
        if (layer instanceof Layer.Weighted weighted) {
            Value dz = weighted.activation().isPresent()
                    ? activation(name, weighted.activation().get(), output(trace, name), dy)
                    : dy;
            weightedBackward(node, weighted, output(trace, from), dz, wanted ? gradients : null);
            return;
        }
        if (layer instanceof Layer.Activate activate) {
            contribute(gradients, from, activation(name, activate.kind(), output(trace, name), dy));
            return;
        }
        Value x = like(trace, from);
        OpDescriptor op = layer.op(x.dims, types, Phase.TRAINING);
        Bindings b = new Bindings().use(Arg.DY, dy);
        if (op instanceof Dropout && !dy.shared) {
            b.use(Arg.DX, dy);
        } else {
            b.createLike(x, Arg.DX, "d " + from, Part.ACTIVATION_GRADIENTS);
        }
        if (op instanceof Dropout) {
            b.use(Arg.SEED, Objects.requireNonNull(seed));
        } else if (op instanceof MaxPool2d) {
            b.use(Arg.ARGMAX, saved(trace, name));
        } else if (layer instanceof Layer.LocalResponseNorm) {
            b.use(Arg.X, output(trace, from)).use(Arg.SAVED, saved(trace, name));
        } else if (layer instanceof Layer.BatchNormalization) {
            b.use(Arg.X, output(trace, from))
                    .use(Arg.GAMMA, weights.get(name + ".weight").used)
                    .use(Arg.SAVE_MEAN, Objects.requireNonNull(trace.saveMean.get(name)))
                    .use(Arg.SAVE_VAR, Objects.requireNonNull(trace.saveVar.get(name)));
            bindVector(b, Arg.DGAMMA, name + ".weight");
            bindVector(b, Arg.DBETA, name + ".bias");
        }
        Map<Arg, Value> done = emitter.emit("d " + name, op, Pass.BWD, b);
        addVector(done.get(Arg.DGAMMA), name + ".weight");
        addVector(done.get(Arg.DBETA), name + ".bias");
        Value dx = get(done, Arg.DX);
        contribute(gradients, from, dx);
    }

    /** A tensor whose shape and layout alone matter, so that it need not be computed again. */
    private Value like(Trace trace, String name) {
        Value first = trace.firstOutputs.get(name);
        return first == null ? trace.output(name) : first;
    }

    /** A gradient of batch norm, which engines do not accumulate: a tensor of its own when it is to be added. */
    private void bindVector(Bindings b, Arg arg, String parameter) {
        if (accumulate) {
            b.create(arg, "d " + parameter + " of this part", Part.OTHER);
        } else {
            b.use(arg, gradient(parameter));
        }
    }

    private void addVector(@Nullable Value part, String parameter) {
        if (accumulate && part != null) {
            emitter.addTo(gradient(parameter), part);
        }
    }

    /** In place where the engine takes y and dy in one layout. */
    private Value activation(String name, Activation.Kind kind, Value y, Value dy) {
        Types t = types.with(Arg.Y, y.type).with(Arg.DY, dy.type).with(Arg.DX, dy.type);
        Activation op = new Activation(y.dims, kind, t);
        Bindings b = new Bindings().use(Arg.Y, y).use(Arg.DY, dy);
        Layout wanted = emitter.propose(op, Pass.BWD, b).getOrDefault(Arg.DX, Layout.Plain.NCHW);
        if (dy.shared || !wanted.equals(dy.layout)) {
            b.create(Arg.DX, "d " + name + " before " + kind, Part.ACTIVATION_GRADIENTS);
        } else {
            b.use(Arg.DX, dy);
        }
        return get(emitter.emit("d " + name + " " + kind, op, Pass.BWD, b), Arg.DX);
    }

    private void weightedBackward(
            Network.Node node, Layer.Weighted layer, Value x, Value dy, @Nullable Map<String, Value> gradients) {
        String name = node.name();
        OpDescriptor op = layer.op(x.dims, weightedTypes, Phase.TRAINING);
        Bindings wgrad = new Bindings().use(Arg.X, x).use(Arg.DY, dy).use(Arg.DW, gradient(name + ".weight"));
        if (layer.bias()) {
            wgrad.use(Arg.DBIAS, gradient(name + ".bias"));
        }
        emitter.emit("dw " + name, op, Pass.WGRAD, wgrad.accumulate(accumulate));
        if (gradients == null) {
            return;
        }
        String from = node.inputs().get(0);
        Bindings dgrad = new Bindings()
                .use(Arg.DY, dy)
                .use(Arg.W, weights.get(name + ".weight").used)
                .createLike(x, Arg.DX, "d " + from, Part.ACTIVATION_GRADIENTS);
        contribute(gradients, from, get(emitter.emit("dx " + name, op, Pass.DGRAD, dgrad), Arg.DX));
    }

    private Value gradient(String parameter) {
        return Objects.requireNonNull(weights.get(parameter).gradient, parameter);
    }

    /** The first gradient of a tensor stands as it is, further ones are added. */
    private void contribute(Map<String, Value> gradients, String to, Value dx) {
        if (settled.contains(to)) {
            return;
        }
        Value before = gradients.get(to);
        if (before == null) {
            gradients.put(to, dx);
            return;
        }
        Bindings b = new Bindings().use(Arg.X, before).use(Arg.X2, dx);
        if (before.shared) {
            b.create(Arg.Y, "d " + to + " sum", Part.ACTIVATION_GRADIENTS);
        } else {
            b.use(Arg.Y, before);
        }
        gradients.put(to, get(emitter.emit("sum d " + to, new Add(before.dims, types), Pass.FWD, b), Arg.Y));
    }

    private static Value get(Map<Arg, Value> values, Arg arg) {
        return Objects.requireNonNull(values.get(arg), arg.name());
    }
}
