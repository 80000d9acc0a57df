package io.github.jcuconv.nn;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Dims;
import io.github.jcuconv.Engine;
import io.github.jcuconv.Graph;
import io.github.jcuconv.Layout;
import io.github.jcuconv.Memory;
import io.github.jcuconv.Plan;
import io.github.jcuconv.Stream;
import io.github.jcuconv.memory.HostLink;
import io.github.jcuconv.memory.MemoryPlan;
import io.github.jcuconv.memory.Part;
import io.github.jcuconv.nn.Emitter.Bindings;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.Phase;
import io.github.jcuconv.op.PlanRequest;
import io.github.jcuconv.op.Types;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A network planned for one engine, batch and precision: steps in ranges (forward and backward, update, inference, parameter transfer), every
 * tensor with its lifetime over these steps, one arena. Planning allocates nothing.
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
    /** Overflow check, control and update. */
    final Range update;
    /** Both. */
    final Range step;

    final Range inference;

    final @Nullable Value input;
    final @Nullable Value labels;
    final @Nullable Value loss;
    final @Nullable Control control;
    final Value inferenceInput;
    final Value logits;
    /** Plain fp32 image of one parameter at a time, null where every parameter is plain. */
    final @Nullable Value staging;

    /** The last step before the backward pass. */
    final int turningPoint;
    /** Of one pass through the network: what recomputation costs. */
    final long recomputedMultiplyAdds;

    private final Map<PlanRequest, Plan> transfers = new HashMap<>();
    private @Nullable Value transferWorkspace;
    private final Map<Range, Graph> graphs = new HashMap<>();
    private final Emitter emitter;
    private @Nullable Memory arena;
    private @Nullable Stream stream;
    private @Nullable HostLink link;
    private boolean poison;
    private boolean eager;

    /** Plans a training and inference. */
    static Program training(Network network, Engine engine, TrainerConfig config) {
        return made(network, engine, config.microBatch(), config.precision(), config);
    }

    /** Plans inference alone. */
    static Program inference(Network network, Engine engine, int batch, Precision precision) {
        return made(network, engine, batch, precision, null);
    }

    private static Program made(
            Network network, Engine engine, int batch, Precision precision, @Nullable TrainerConfig config) {
        Emitter emitter = new Emitter(engine);
        try {
            return new Program(network, emitter, batch, precision, config);
        } catch (RuntimeException e) {
            emitter.close();
            throw e;
        }
    }

    private Program(Network network, Emitter emitter, int batch, Precision precision, @Nullable TrainerConfig config) {
        if (batch < 1) {
            throw new IllegalArgumentException("batch " + batch + ": must be at least 1");
        }
        this.engine = emitter.engine;
        this.network = network;
        this.batch = batch;
        this.storage = precision.storage();
        this.emitter = emitter;
        this.weights = new Weights(
                emitter,
                storage,
                config != null,
                config == null ? 0 : config.optimizer().states());
        Dims in = network.input().withN(batch);
        this.control = config == null ? null : new Control(emitter, config);
        boolean parts = config != null && config.microBatches() > 1;
        Lowering lowering =
                new Lowering(network, emitter, weights, precision, control == null ? null : control.seed, parts);
        List<Value> persistent = new ArrayList<>();
        if (config == null || control == null) {
            turningPoint = 0;
            input = labels = loss = null;
            forwardBackward = update = step = new Range(0, 0);
        } else {
            input = emitter.add("input", Part.INPUT, in, DataType.FP32, Layout.Plain.NCHW);
            input.touch(0);
            Lowering.Trace trace = lowering.forward(input, Phase.TRAINING);
            Loss losses = new Loss(network, emitter, control, parts, batch);
            Map<String, Value> gradients = losses.emit(trace, Types.of(storage));
            labels = losses.labels;
            loss = losses.loss;
            persistent.add(loss);
            persistent.addAll(control.persistent());
            turningPoint = emitter.next() - 1;
            trace.drop(Recomputation.dropped(network, config.segments()));
            lowering.backward(trace, gradients);
            weights.arrange();
            forwardBackward = new Range(0, emitter.next());
            control.emit(emitter, Objects.requireNonNull(weights.gradients, "a network without parameters"));
            update(config.optimizer(), weights.weights, control.row(0));
            update(config.optimizer(), weights.vectors, control.row(1));
            update = new Range(forwardBackward.to(), emitter.next());
            step = new Range(0, emitter.next());
        }
        int begin = emitter.next();
        inferenceInput = emitter.add("input", Part.INPUT, in, DataType.FP32, Layout.Plain.NCHW);
        inferenceInput.touch(begin);
        logits = plain(lowering.forward(inferenceInput, Phase.INFERENCE)
                .output(network.output().name()));
        if (config == null) {
            weights.arrange();
        }
        recomputedMultiplyAdds = lowering.recomputedMultiplyAdds;
        inference = new Range(begin, emitter.next());
        logits.touch(emitter.next());
        int end = emitter.next() + 1;
        staging = staging(end);
        persistent.addAll(weights.regions);
        for (Value value : persistent) {
            value.touch(0);
            value.touch(end);
        }
        memoryPlan = MemoryPlan.of(
                emitter.values.stream().map(Value::request).toList(),
                engine::allocationBytes,
                emitter.steps.stream().map(s -> s.name).toList());
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

    /** Allocates the arena, binds every tensor and zeroes what holds parameters. */
    void allocate() {
        place(
                memoryPlan.arenaBytes(),
                memoryPlan.slices().stream().mapToLong(MemoryPlan.Slice::offset).toArray(),
                (byte) 0);
    }

    /** For tests: the same with a place for every tensor alone, {@code gap} bytes or a little more behind each, all of it filled with one byte. */
    Memory allocateApart(long gap, byte fill) {
        long[] offsets = new long[emitter.values.size()];
        long end = MemoryPlan.roundUp(gap);
        for (int i = 0; i < offsets.length; i++) {
            offsets[i] = end;
            end += MemoryPlan.roundUp(emitter.values.get(i).bytes() + gap);
        }
        return place(end, offsets, fill);
    }

    List<Value> values() {
        return emitter.values;
    }

    private Memory place(long bytes, long[] offsets, byte fill) {
        Memory memory = engine.allocate(bytes);
        arena = memory;
        Stream made = engine.newStream();
        stream = made;
        if (fill != 0) {
            made.fill(memory, fill);
        }
        Value x = input == null ? inferenceInput : input;
        link = new HostLink(made, memory.slice(0, 1), x.bytes() + (labels == null ? 0 : labels.bytes()));
        for (int i = 0; i < emitter.values.size(); i++) {
            Value value = emitter.values.get(i);
            value.bind(memory.slice(offsets[i], value.bytes()));
        }
        for (Value region : weights.regions) {
            made.fill(region.memory(), (byte) 0);
        }
        emitter.steps.forEach(Step::bind);
        return memory;
    }

    /** From now on overwrites each tensor after its last use, so that a test sees a lifetime that is too short. */
    void poisonDeadTensors() {
        poison = true;
    }

    /** From now on runs step by step also where the engine has graphs. */
    void runEagerly() {
        eager = true;
    }

    /** Queues a range of steps: where the engine captures graphs as one graph, captured the first time. */
    void launch(Range range) {
        if (eager || !engine.capturesGraphs()) {
            run(range);
            return;
        }
        graphs.computeIfAbsent(range, r -> stream().capture(() -> run(r))).launch(stream());
    }

    private void run(Range range) {
        Stream s = stream();
        for (int i = range.from(); i < range.to(); i++) {
            emitter.steps.get(i).run(s);
            if (poison) {
                poisonAfter(i);
            }
        }
    }

    private void poisonAfter(int step) {
        for (Value value : emitter.values) {
            if (value.last == step) {
                stream().fill(value.memory(), POISON);
            }
        }
    }

    Stream stream() {
        return allocated(stream);
    }

    HostLink link() {
        return allocated(link);
    }

    private <T> T allocated(@Nullable T made) {
        if (made == null) {
            throw new IllegalStateException(
                    "network " + network.name() + ": its memory is not allocated or already closed");
        }
        return made;
    }

    /** Every step with what runs it, for people. */
    Map<String, String> algorithms() {
        Map<String, String> map = new java.util.LinkedHashMap<>();
        emitter.steps.forEach(s -> map.putIfAbsent(s.name, s.plan.algorithm()));
        return map;
    }

    @Override
    public void close() {
        if (stream != null) {
            stream.synchronize();
        }
        graphs.values().forEach(Graph::close);
        graphs.clear();
        emitter.close();
        transfers.values().forEach(Plan::close);
        if (link != null) {
            link.close();
            link = null;
        }
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
