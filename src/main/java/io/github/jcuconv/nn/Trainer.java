package io.github.jcuconv.nn;

import io.github.jcuconv.Engine;
import io.github.jcuconv.memory.MemoryPlan;
import io.github.jcuconv.memory.Part;
import io.github.jcuconv.op.Hyper;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * Trains a network: {@link #forwardBackward}, an optional reduction of the gradients, {@link #update}. Belongs to one thread at a time.
 * Predicting its memory allocates nothing; training allocates one arena of exactly that size.
 */
public final class Trainer implements AutoCloseable {
    private final Program program;
    private final Transfer transfer;
    private final TrainerConfig config;
    private final LossScaler scaler;
    private long step;
    private long updates;

    /**
     * Plans, allocates, and sets the initial weights.
     *
     * @throws io.github.jcuconv.UnsupportedException if the engine lacks an operation
     * @throws io.github.jcuconv.OutOfMemoryException if the arena does not fit
     */
    public Trainer(Network network, Engine engine, TrainerConfig config) {
        this.config = config;
        this.program = new Program(network, engine, config.batch(), config.precision(), config.optimizer());
        this.transfer = new Transfer(program);
        this.scaler = new LossScaler(config.precision() == Precision.FP16);
        try {
            program.allocate();
        } catch (RuntimeException e) {
            program.close();
            throw e;
        }
        int index = 0;
        for (Weights.Entry entry : program.weights.entries().values()) {
            transfer.write(entry.master, entry.parameter.initial(config.seed(), index++));
        }
        transfer.refreshCopy();
    }

    /** The memory of a training, before anything is allocated. */
    public static MemoryPlan predict(Network network, Engine engine, TrainerConfig config) {
        try (Program p = new Program(network, engine, config.batch(), config.precision(), config.optimizer())) {
            return p.memoryPlan;
        }
    }

    /** The plan of the memory that this trainer holds. */
    public MemoryPlan memory() {
        return program.memoryPlan;
    }

    /** Bytes of floating-point activations that the forward pass keeps for the backward pass, layout padding apart. */
    public long keptActivationBytes() {
        return program.memoryPlan.keptAcross(program.turningPoint, Part.ACTIVATIONS);
    }

    /** The name of the step at which memory peaks. */
    public String peakStep() {
        return program.peakStepName();
    }

    /** What runs each step, for people. */
    public Map<String, String> algorithms() {
        return program.algorithms();
    }

    /**
     * Forward and backward over one batch; leaves gradients, multiplied by {@link #lossScale}.
     *
     * @param images batch x C x H x W
     * @param labels batch (x H x W)
     */
    public void forwardBackward(float[] images, int[] labels) {
        Value input = Objects.requireNonNull(program.input);
        Value labelValue = Objects.requireNonNull(program.labels);
        requireSize("images", images.length, input.dims.count());
        requireSize("labels", labels.length, labelValue.dims.count());
        buffer(input).asFloatBuffer().put(images);
        buffer(labelValue).asIntBuffer().put(labels);
        buffer(program.seed)
                .asIntBuffer()
                .put((int) config.seed())
                .put((int) (config.seed() >>> 32))
                .put((int) step)
                .put((int) (step >>> 32));
        buffer(Objects.requireNonNull(program.lossScale)).asFloatBuffer().put(scaler.scale());
        program.run(program.forwardBackward);
    }

    /**
     * Updates the weights, unless a gradient overflowed: then the step is skipped and the loss scale halved.
     *
     * @param ranks gradients that were summed into these, 1 without a reduction
     * @return whether the weights were updated
     */
    public boolean update(int ranks) {
        boolean overflow = false;
        if (scaler.on()) {
            program.run(program.check);
            program.stream().synchronize();
            overflow = buffer(Objects.requireNonNull(program.flag)).getInt(0) != 0;
        }
        if (!overflow) {
            updates++;
            write(
                    Objects.requireNonNull(program.hyperWeights),
                    config.optimizer().weightDecay(),
                    ranks);
            write(Objects.requireNonNull(program.hyperVectors), 0, ranks);
            program.run(program.update);
        }
        step++;
        scaler.after(overflow);
        return !overflow;
    }

    private void write(Value hyper, float decay, int ranks) {
        FloatBuffer numbers = buffer(hyper).asFloatBuffer();
        config.optimizer().write(numbers, updates);
        numbers.put(Hyper.LEARNING_RATE, config.schedule().rate(step, config.totalSteps()));
        numbers.put(Hyper.GRADIENT_SCALE, 1f / (scaler.scale() * ranks));
        numbers.put(Hyper.WEIGHT_DECAY, decay);
    }

    /** The mean loss of the last batch; waits for it. */
    public float loss() {
        program.stream().synchronize();
        return buffer(Objects.requireNonNull(program.loss)).getFloat(0);
    }

    /** The factor on the loss at present. */
    public float lossScale() {
        return scaler.scale();
    }

    /** Steps done, skipped ones included. */
    public long step() {
        return step;
    }

    /**
     * The outputs for one batch, as inference.
     *
     * @param images batch x C x H x W
     * @return batch x classes (x H x W)
     */
    public float[] infer(float[] images) {
        return Predictor.infer(program, images);
    }

    /** Weights and statistics in plain order, by name. */
    public Map<String, float[]> parameters() {
        Map<String, float[]> all = new LinkedHashMap<>();
        program.weights.entries().forEach((name, entry) -> all.put(name, transfer.read(entry.master)));
        return all;
    }

    /** Everything that training goes on from: parameters, optimizer state, counters. */
    public TrainingState state() {
        Map<String, float[]> tensors = parameters();
        for (Weights.Entry entry : program.weights.entries().values()) {
            for (Value s : entry.states) {
                tensors.put(s.name, transfer.read(s));
            }
        }
        return new TrainingState(tensors, step, updates, scaler.scale(), scaler.goodSteps());
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
        step = state.step();
        updates = state.updates();
        scaler.restore(state.lossScale(), state.goodSteps());
    }

    /** The gradients, one flat region; buckets are sub-ranges of it. */
    public io.github.jcuconv.Memory gradients() {
        return Objects.requireNonNull(program.weights.gradients).memory();
    }

    /** Test hook: overwrites each tensor after its last use. */
    void poisonDeadTensors() {
        program.poisonDeadTensors();
    }

    static void requireSize(String what, long given, long wanted) {
        if (given != wanted) {
            throw new IllegalArgumentException(
                    what + ": " + given + " numbers given, " + wanted + " needed for the batch");
        }
    }

    private static ByteBuffer buffer(Value value) {
        return value.memory().buffer();
    }

    @Override
    public void close() {
        program.close();
    }
}
