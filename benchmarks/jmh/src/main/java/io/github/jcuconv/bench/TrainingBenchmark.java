package io.github.jcuconv.bench;

import io.github.jcuconv.Engine;
import io.github.jcuconv.models.Models;
import io.github.jcuconv.nn.Network;
import io.github.jcuconv.nn.Optimizer;
import io.github.jcuconv.nn.Precision;
import io.github.jcuconv.nn.Schedule;
import io.github.jcuconv.nn.Trainer;
import io.github.jcuconv.nn.TrainerConfig;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** One training step of peer-cnn, from floats in Java to updated weights: batch 128, Adam. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
public class TrainingBenchmark {
    private static final int BATCH = 128;
    private static final int CLASSES = 10;

    /** An engine's name; the suite passes those that are for training. */
    @Param("onednn")
    public String trainsOn;

    /** How activations and weights are stored. */
    @Param({"fp32", "bf16"})
    public String precision;

    private Engine engine;
    private Trainer trainer;
    private float[] images;
    private int[] labels;

    /** Builds the trainer, and one batch of noise. */
    @Setup
    public void build() {
        engine = Engine.open(trainsOn);
        Network network = Models.get("peer-cnn");
        trainer = new Trainer(
                network,
                engine,
                new TrainerConfig(
                        BATCH,
                        Precision.parse(precision),
                        Optimizer.adam(),
                        new Schedule.Constant(1e-3f),
                        Integer.MAX_VALUE,
                        1));
        Random random = new Random(1);
        images = new float[Math.toIntExact(network.input().withN(BATCH).count())];
        labels = random.ints(BATCH, 0, CLASSES).toArray();
        for (int i = 0; i < images.length; i++) {
            images[i] = random.nextFloat();
        }
    }

    /** A step; reading its loss waits for it. */
    @Benchmark
    public float step() {
        trainer.step(images, labels);
        return trainer.loss();
    }

    /** Closes trainer and engine. */
    @TearDown
    public void close() {
        trainer.close();
        engine.close();
    }
}
