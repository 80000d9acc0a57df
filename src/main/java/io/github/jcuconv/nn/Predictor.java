package io.github.jcuconv.nn;

import io.github.jcuconv.Engine;
import io.github.jcuconv.OutOfMemoryException;
import io.github.jcuconv.memory.MemoryPlan;
import java.util.Map;

/** Runs a trained network. Belongs to one thread at a time. */
public final class Predictor implements AutoCloseable {
    private final Program program;

    /**
     * Plans, allocates and sets the weights.
     *
     * @param parameters weights and statistics in plain order, by name
     * @throws IllegalArgumentException if one is missing or has another size
     * @throws OutOfMemoryException if the arena does not fit
     */
    public Predictor(Network network, Engine engine, int batch, Precision precision, Map<String, float[]> parameters) {
        this.program = Program.inference(network, engine, batch, precision);
        try {
            program.allocate();
            Transfer transfer = new Transfer(program);
            TrainingState state = new TrainingState(parameters, 0, 0, 1, 0);
            for (Weights.Entry entry : program.weights.entries().values()) {
                String name = entry.parameter.name();
                transfer.write(
                        entry.used, state.tensor(name, entry.parameter.dims().count()));
            }
        } catch (OutOfMemoryException e) {
            program.close();
            throw new OutOfMemoryException(
                    e.requestedBytes(),
                    e.availableBytes(),
                    program.memoryPlan.largestAtPeak(),
                    "take a smaller batch or 16-bit storage; " + e.advice());
        } catch (RuntimeException e) {
            program.close();
            throw e;
        }
    }

    /** The memory of an inference, before anything is allocated. */
    public static MemoryPlan predict(Network network, Engine engine, int batch, Precision precision) {
        try (Program p = Program.inference(network, engine, batch, precision)) {
            return p.memoryPlan;
        }
    }

    /** The plan of the memory that it holds. */
    public MemoryPlan memory() {
        return program.memoryPlan;
    }

    /**
     * The outputs for one batch.
     *
     * @param images batch x C x H x W
     * @return batch x classes (x H x W)
     */
    public float[] infer(float[] images) {
        return infer(program, images, 1);
    }

    /** Images of several batches, one batch after the other. */
    static float[] infer(Program program, float[] images, int parts) {
        int part = Math.toIntExact(program.inferenceInput.dims.count());
        Trainer.requireSize("images", images.length, (long) parts * part);
        Transfer transfer = new Transfer(program);
        float[] all = new float[Math.toIntExact(parts * program.logits.dims.count())];
        for (int i = 0; i < parts; i++) {
            program.link().write(program.inferenceInput.memory(), images, i * part, part);
            program.launch(program.inference);
            float[] some = transfer.plainOutput();
            System.arraycopy(some, 0, all, i * some.length, some.length);
        }
        return all;
    }

    @Override
    public void close() {
        program.close();
    }
}
