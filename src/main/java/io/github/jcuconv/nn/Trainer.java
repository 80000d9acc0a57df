package io.github.jcuconv.nn;

import io.github.jcuconv.Engine;
import io.github.jcuconv.OutOfMemoryException;
import io.github.jcuconv.Stream;
import io.github.jcuconv.memory.MemoryPlan;
import io.github.jcuconv.memory.Part;
import io.github.jcuconv.op.StepControl;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Trains a network: {@link #step}, or {@link #forwardBackward}, an optional reduction of the gradients and {@link #update}. These only queue
 * work, as graphs where the engine has them: every number that changes with the steps lies in the engine's memory. What reads a result
 * waits for it. Belongs to one thread at a time. Predicting its memory allocates nothing; training allocates one arena of exactly that size.
 */
public final class Trainer implements AutoCloseable {
    private final Program program;
    private final Transfer transfer;
    private final Control control;
    private final int parts;

    /**
     * Plans, allocates, and sets the initial weights.
     *
     * @throws io.github.jcuconv.UnsupportedException if the engine lacks an operation
     * @throws io.github.jcuconv.OutOfMemoryException if the arena does not fit
     */
    public Trainer(Network network, Engine engine, TrainerConfig config) {
        this.program = Program.training(network, engine, config);
        this.parts = config.microBatches();
        this.transfer = new Transfer(program);
        this.control = Objects.requireNonNull(program.control);
        try {
            program.allocate();
            int index = 0;
            for (Weights.Entry entry : program.weights.entries().values()) {
                transfer.write(entry.master, entry.parameter.initial(config.seed(), index++));
            }
            transfer.refreshCopy();
            control.begin(program.link());
        } catch (OutOfMemoryException e) {
            program.close();
            throw new Remedies(network, engine, config).explain(e);
        } catch (RuntimeException e) {
            program.close();
            throw e;
        } catch (OutOfMemoryError e) {
            program.close();
            throw heapIsFull(network);
        }
    }

    /** Initial values pass through an array of the largest parameter's size. */
    private static OutOfMemoryException heapIsFull(Network network) {
        Parameter largest = network.parameters().stream()
                .max(Comparator.comparingLong(p -> p.dims().count()))
                .orElseThrow();
        long bytes = largest.dims().count() * Float.BYTES;
        Runtime jvm = Runtime.getRuntime();
        return new OutOfMemoryException(
                bytes,
                jvm.maxMemory() - jvm.totalMemory() + jvm.freeMemory(),
                List.of(new OutOfMemoryException.Consumer(largest.name() + " on Java's heap", bytes)),
                "Java's heap is full: raise -Xmx");
    }

    /** The memory of a training, before anything is allocated. */
    public static MemoryPlan predict(Network network, Engine engine, TrainerConfig config) {
        try (Program p = Program.training(network, engine, config)) {
            return p.memoryPlan;
        }
    }

    /** The plan of the memory that this trainer holds. */
    public MemoryPlan memory() {
        return program.memoryPlan;
    }

    /** Host memory that batches pass through on their way to the engine: none where the engine's memory is the host's. */
    public long pinnedBytes() {
        return program.link().pinnedBytes();
    }

    /** Bytes of floating-point activations that the forward pass keeps for the backward pass, layout padding apart. */
    public long keptActivationBytes() {
        return program.memoryPlan.keptAcross(program.turningPoint, Part.ACTIVATIONS);
    }

    /** What runs each step, for people. */
    public Map<String, String> algorithms() {
        return program.algorithms();
    }

    /**
     * One whole step; the same as {@link #forwardBackward} and {@code update(1)}, bit for bit. The arrays may change once it returns.
     *
     * @param images batch x C x H x W
     * @param labels batch (x H x W)
     */
    public void step(float[] images, int[] labels) {
        if (parts > 1) {
            forwardBackward(images, labels);
            update(1);
            return;
        }
        feed(images, labels, 0);
        control.setRanks(program.link(), 1);
        program.launch(program.step);
    }

    /**
     * Forward and backward over one batch; leaves gradients, multiplied by {@link #lossScale}: of micro-batches the sum, which {@link #update}
     * divides.
     *
     * @param images batch x C x H x W
     * @param labels batch (x H x W)
     */
    public void forwardBackward(float[] images, int[] labels) {
        if (parts > 1) { // Sums begin with zeros, so that every part adds: one plan for all of them.
            program.stream().fill(gradients(), (byte) 0);
            program.stream().fill(Objects.requireNonNull(program.loss).memory(), (byte) 0);
        }
        for (int part = 0; part < parts; part++) {
            feed(images, labels, part);
            program.launch(program.forwardBackward);
        }
    }

    private void feed(float[] images, int[] labels, int part) {
        Value input = Objects.requireNonNull(program.input);
        Value classes = Objects.requireNonNull(program.labels);
        int pixels = Math.toIntExact(input.dims.count());
        int answers = Math.toIntExact(classes.dims.count());
        requireSize("images", images.length, (long) parts * pixels);
        requireSize("labels", labels.length, (long) parts * answers);
        program.link().write(input.memory(), images, part * pixels, pixels);
        program.link().write(classes.memory(), labels, part * answers, answers);
        if (parts > 1) {
            control.setPart(program.link(), part);
        }
    }

    /**
     * Updates the weights, unless a gradient overflowed: then the step is skipped and the loss scale halved; see {@link #lastStepApplied}.
     *
     * @param ranks gradients that were summed into these, 1 without a reduction
     */
    public void update(int ranks) {
        control.setRanks(program.link(), Math.multiplyExact(ranks, parts));
        program.launch(program.update);
    }

    /** Whether the last step updated the weights; waits for it. */
    public boolean lastStepApplied() {
        return control.counters(program.link())[StepControl.APPLIED] != 0;
    }

    /** The mean loss of the last batch; waits for it. */
    public float loss() {
        return number(Objects.requireNonNull(program.loss)) / parts;
    }

    /** The factor on the loss at present; waits for the last step. */
    public float lossScale() {
        return number(control.lossScale);
    }

    private float number(Value value) {
        float[] one = new float[1];
        program.link().read(value.memory(), one);
        return one[0];
    }

    /** Steps done, skipped ones included; waits for the last one. */
    public long stepsDone() {
        return Control.join(control.counters(program.link()), StepControl.STEP);
    }

    /** The stream that the steps are queued on: a reduction of the gradients belongs there, or between events. */
    public Stream stream() {
        return program.stream();
    }

    /**
     * The outputs for one batch, as inference.
     *
     * @param images batch x C x H x W
     * @return batch x classes (x H x W)
     */
    public float[] infer(float[] images) {
        return Predictor.infer(program, images, parts);
    }

    /** Weights and statistics in plain order, by name. */
    public Map<String, float[]> parameters() {
        Map<String, float[]> all = new LinkedHashMap<>();
        program.weights.entries().forEach((name, entry) -> all.put(name, transfer.read(entry.master)));
        return all;
    }

    /**
     * Replaces parameters, as by those of a network that was trained on something else; optimizer state and counters stay.
     *
     * @param values in plain order, by name; parameters that are not named stay
     * @throws IllegalArgumentException if a name is unknown or a size is another
     */
    public void setParameters(Map<String, float[]> values) {
        values.forEach((name, plain) -> {
            Weights.Entry entry = program.weights.get(name);
            requireSize(name, plain.length, entry.parameter.dims().count());
            transfer.write(entry.master, plain);
        });
        transfer.refreshCopy();
    }

    /** Everything that training goes on from: parameters, optimizer state, counters. */
    public TrainingState state() {
        Map<String, float[]> tensors = parameters();
        for (Weights.Entry entry : program.weights.entries().values()) {
            for (Value s : entry.states) {
                tensors.put(s.name, transfer.read(s));
            }
        }
        int[] counters = control.counters(program.link());
        return new TrainingState(
                tensors,
                Control.join(counters, StepControl.STEP),
                Control.join(counters, StepControl.UPDATES),
                lossScale(),
                counters[StepControl.GOOD_STEPS]);
    }

    /**
     * Goes on from a state; the next step gives the same bits as without the stop.
     *
     * @throws IllegalArgumentException if a tensor is missing or has another size: the state of another model
     */
    public void restore(TrainingState state) {
        for (Weights.Entry entry : program.weights.entries().values()) {
            transfer.write(
                    entry.master,
                    state.tensor(entry.master.name, entry.parameter.dims().count()));
            for (Value s : entry.states) {
                transfer.write(s, state.tensor(s.name, s.dims.count()));
            }
        }
        transfer.refreshCopy();
        control.resume(program.link(), state.step(), state.updates(), state.lossScale(), state.goodSteps());
    }

    /** The gradients, one flat region; buckets are sub-ranges of it. */
    public io.github.jcuconv.Memory gradients() {
        return Objects.requireNonNull(program.weights.gradients).memory();
    }

    /** Test hook: the gradients in plain order, by the name of what they belong to; multiplied by {@link #lossScale}. */
    Map<String, float[]> plainGradients() {
        Map<String, float[]> all = new LinkedHashMap<>();
        program.weights.entries().forEach((name, entry) -> {
            if (entry.gradient != null) {
                all.put(name, transfer.read(entry.gradient));
            }
        });
        return all;
    }

    /** Test hook: overwrites each tensor after its last use. */
    void poisonDeadTensors() {
        program.poisonDeadTensors();
    }

    /** Test hook: runs step by step also where the engine has graphs. */
    void runEagerly() {
        program.runEagerly();
    }

    static void requireSize(String what, long given, long wanted) {
        if (given != wanted) {
            throw new IllegalArgumentException(what + ": " + given + " numbers given, " + wanted + " needed");
        }
    }

    @Override
    public void close() {
        program.close();
    }
}
