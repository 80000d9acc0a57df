package io.github.jcuconv.nn;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Dims;
import io.github.jcuconv.Engine;
import io.github.jcuconv.Layout;
import io.github.jcuconv.Memory;
import io.github.jcuconv.Plan;
import io.github.jcuconv.Stream;
import io.github.jcuconv.memory.MemoryPlan;
import io.github.jcuconv.memory.Part;
import io.github.jcuconv.nn.Emitter.Bindings;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.FiniteCheck;
import io.github.jcuconv.op.Hyper;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.Phase;
import io.github.jcuconv.op.PlanRequest;
import io.github.jcuconv.op.SoftmaxCrossEntropy;
import io.github.jcuconv.op.Types;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A network planned for one engine, batch and precision: steps in ranges (forward and backward, overflow check, update, inference, parameter
 * transfer), every tensor with its lifetime over these steps, one arena. Planning allocates nothing.
 */
final class Program implements AutoCloseable {
    private static final byte POISON = (byte) 0xFF;

    /** A range of steps. */
    record Range(int from, int to) {}

    final Engine engine;
    final Network network;
    final int batch;
    final DataType storage;
    final Weights weights;
    final MemoryPlan memoryPlan;

    final Range forwardBackward;
    final Range check;
    final Range update;
    final Range inference;

    final @Nullable Value input;
    final @Nullable Value labels;
    final @Nullable Value loss;
    final @Nullable Value lossScale;
    final @Nullable Value flag;
    final @Nullable Value hyperWeights;
    final @Nullable Value hyperVectors;
    final Value seed;
    final Value inferenceInput;
    final Value logits;
    /** Plain fp32 image of one parameter at a time, null where every parameter is plain. */
    final @Nullable Value staging;

    /** The last step before the backward pass. */
    final int turningPoint;

    private final Map<PlanRequest, Plan> transfers = new HashMap<>();
    private @Nullable Value transferWorkspace;
    private final Emitter emitter;
    private @Nullable Memory arena;
    private @Nullable Stream stream;
    private boolean poison;

    /** Plans; with an optimizer also training. */
    Program(Network network, Engine engine, int batch, Precision precision, @Nullable Optimizer optimizer) {
        if (batch < 1) {
            throw new IllegalArgumentException("batch " + batch + ": must be at least 1");
        }
        this.engine = engine;
        this.network = network;
        this.batch = batch;
        this.storage = precision.storage();
        this.emitter = new Emitter(engine);
        this.weights = new Weights(emitter, storage, optimizer != null, optimizer == null ? 0 : optimizer.states());
        Dims in = network.input().withN(batch);
        this.seed = emitter.add("seed", Part.OTHER, Dims.vector(4), DataType.INT32, Layout.Plain.NCHW);
        Lowering lowering = new Lowering(network, emitter, weights, storage, seed);
        List<Value> persistent = new ArrayList<>(List.of(seed));
        if (optimizer == null) {
            turningPoint = 0;
            input = labels = loss = lossScale = flag = hyperWeights = hyperVectors = null;
            forwardBackward = check = update = new Range(0, 0);
        } else {
            input = emitter.add("input", Part.INPUT, in, DataType.FP32, Layout.Plain.NCHW);
            input.touch(0);
            Lowering.Trace trace = lowering.forward(input, Phase.TRAINING);
            Value y = trace.output(network.output().name());
            Dims perPixel = new Dims(batch, 1, y.dims.h(), y.dims.w());
            labels = emitter.add("labels", Part.INPUT, perPixel, DataType.INT32, Layout.Plain.NCHW);
            labels.touch(0);
            loss = scalar("loss", DataType.FP32);
            lossScale = scalar("loss scale", DataType.FP32);
            flag = scalar("overflow", DataType.INT32);
            hyperWeights = emitter.add("hyper", Part.OTHER, Dims.vector(Hyper.COUNT), DataType.FP32, Layout.Plain.NCHW);
            hyperVectors = emitter.add("hyper", Part.OTHER, Dims.vector(Hyper.COUNT), DataType.FP32, Layout.Plain.NCHW);
            persistent.addAll(List.of(loss, lossScale, flag, hyperWeights, hyperVectors));
            Types types = Types.of(storage).with(Arg.X, y.type);
            SoftmaxCrossEntropy softmax = new SoftmaxCrossEntropy(y.dims, SoftmaxCrossEntropy.IGNORE, types);
            Bindings forward = new Bindings().use(Arg.X, y).use(Arg.LABELS, labels);
            emitter.emit("loss", softmax, Pass.FWD, forward.use(Arg.LOSS, loss));
            Bindings backward =
                    new Bindings().use(Arg.X, y).use(Arg.LABELS, labels).use(Arg.LOSS_SCALE, lossScale);
            backward.create(Arg.DX, "d " + network.output().name(), Part.ACTIVATION_GRADIENTS);
            Value dy = emitter.emit("d loss", softmax, Pass.BWD, backward).get(Arg.DX);
            turningPoint = emitter.next() - 1;
            lowering.backward(trace, Objects.requireNonNull(dy));
            weights.arrange();
            forwardBackward = new Range(0, emitter.next());
            Value gradients = Objects.requireNonNull(weights.gradients, "a network without parameters");
            Bindings finite = new Bindings().use(Arg.X, gradients).use(Arg.FLAG, flag);
            emitter.emit("overflow check", new FiniteCheck(gradients.dims, DataType.FP32), Pass.FWD, finite);
            check = new Range(forwardBackward.to(), emitter.next());
            update(optimizer, weights.weights, hyperWeights);
            update(optimizer, weights.vectors, hyperVectors);
            update = new Range(check.to(), emitter.next());
        }
        int begin = emitter.next();
        inferenceInput = emitter.add("input", Part.INPUT, in, DataType.FP32, Layout.Plain.NCHW);
        inferenceInput.touch(begin);
        logits = plain(lowering.forward(inferenceInput, Phase.INFERENCE)
                .output(network.output().name()));
        if (optimizer == null) {
            weights.arrange();
        }
        inference = new Range(begin, emitter.next());
        logits.touch(emitter.next());
        int end = emitter.next() + 1;
        staging = staging(end);
        persistent.addAll(weights.regions);
        for (Value value : persistent) {
            value.touch(0);
            value.touch(end);
        }
        memoryPlan = MemoryPlan.of(emitter.values.stream().map(Value::request).toList(), engine::allocationBytes);
    }

    /** The value itself, or a plain fp32 copy behind it. */
    private Value plain(Value value) {
        if (!Transfer.needsStaging(value)) {
            return value;
        }
        Value copy = emitter.add(value.name + " plain", Part.CONVERSION, value.dims, DataType.FP32, Layout.Plain.NCHW);
        emitter.reorder(value, copy);
        return copy;
    }

    private Value scalar(String name, DataType type) {
        return emitter.add(name, Part.OTHER, Dims.vector(1), type, Layout.Plain.NCHW);
    }

    private void update(Optimizer optimizer, Weights.@Nullable Flat flat, Value hyper) {
        if (flat == null) {
            return;
        }
        Value copy = flat.copy();
        Bindings b = new Bindings()
                .use(Arg.W, flat.master())
                .use(Arg.DW, flat.gradient())
                .use(Arg.HYPER, hyper);
        Arg[] roles = {Arg.M, Arg.V};
        for (int i = 0; i < flat.states().size(); i++) {
            b.use(roles[i], flat.states().get(i));
        }
        if (copy != null) {
            b.use(Arg.W_STORAGE, copy);
        }
        DataType type = copy == null ? DataType.FP32 : storage;
        emitter.emit("update", optimizer.op(flat.master().dims.c(), type), Pass.UPDATE, b);
    }

    /** Room to move one parameter between its plain order and the engine's layout, and the workspace of such a move. */
    private @Nullable Value staging(int step) {
        long largest = 0;
        long scratch = 0;
        for (Weights.Entry entry : weights.entries().values()) {
            Value value = transferred(entry);
            if (Transfer.needsStaging(value)) {
                largest = Math.max(largest, value.dims.count());
                scratch = Math.max(scratch, plan(Transfer.in(value)).workspaceBytes());
                scratch = Math.max(scratch, plan(Transfer.out(value)).workspaceBytes());
            }
        }
        Weights.Flat flat = weights.weights;
        if (flat != null && flat.copy() != null) {
            scratch = Math.max(scratch, plan(Transfer.round(flat, storage)).workspaceBytes());
        }
        transferWorkspace = scratch == 0 ? null : bytes("workspace of parameter transfer", scratch, step);
        return largest == 0 ? null : bytes("parameter transfer", largest * DataType.FP32.bytes(), step);
    }

    private Value bytes(String name, long bytes, int step) {
        Dims dims = Dims.vector(Math.toIntExact(bytes));
        Value value = emitter.add(name, Part.CONVERSION, dims, DataType.UINT8, Layout.Plain.NCHW);
        value.touch(step);
        return value;
    }

    /** What checkpoints and initial values go to: the fp32 weights in training, the weights in use otherwise. */
    Value transferred(Weights.Entry entry) {
        return weights.training() ? entry.master : entry.used;
    }

    /** The plan of a parameter transfer; made while planning, so that moving allocates nothing. */
    Plan plan(PlanRequest request) {
        return transfers.computeIfAbsent(request, engine::plan);
    }

    @Nullable
    Memory transferWorkspace() {
        return transferWorkspace == null ? null : transferWorkspace.memory();
    }

    /** Allocates the arena, zeroes it and binds every tensor. */
    void allocate() {
        Memory memory = engine.allocate(memoryPlan.arenaBytes());
        arena = memory;
        stream = engine.newStream();
        for (int i = 0; i < emitter.values.size(); i++) {
            Value value = emitter.values.get(i);
            value.bind(memory.slice(memoryPlan.slices().get(i).offset(), value.bytes()));
        }
        for (Value region : weights.regions) {
            fill(region, (byte) 0);
        }
        emitter.steps.forEach(Step::bind);
    }

    /** From now on overwrites each tensor after its last use, so that a test sees a lifetime that is too short. */
    void poisonDeadTensors() {
        poison = true;
    }

    void run(Range range) {
        Stream s = stream();
        for (int i = range.from(); i < range.to(); i++) {
            emitter.steps.get(i).run(s);
            if (poison) {
                poisonAfter(i);
            }
        }
    }

    private void poisonAfter(int step) {
        stream().synchronize();
        for (Value value : emitter.values) {
            if (value.last == step) {
                fill(value, POISON);
            }
        }
    }

    private static void fill(Value value, byte b) {
        ByteBuffer buffer = value.memory().buffer();
        while (buffer.hasRemaining()) {
            buffer.put(b);
        }
    }

    Stream stream() {
        if (stream == null) {
            throw new IllegalStateException(
                    "network " + network.name() + ": its memory is not allocated or already closed");
        }
        return stream;
    }

    /** The name of the step at which memory peaks. */
    String peakStepName() {
        int step = Math.min(memoryPlan.peakStep(), emitter.steps.size() - 1);
        return emitter.steps.get(step).name;
    }

    /** Every step with what runs it, for people. */
    Map<String, String> algorithms() {
        Map<String, String> map = new java.util.LinkedHashMap<>();
        emitter.steps.forEach(s -> map.putIfAbsent(s.name, s.plan.algorithm()));
        return map;
    }

    @Override
    public void close() {
        emitter.steps.forEach(s -> s.plan.close());
        transfers.values().forEach(Plan::close);
        if (stream != null) {
            stream.close();
            stream = null;
        }
        if (arena != null) {
            arena.close();
            arena = null;
        }
    }
}
