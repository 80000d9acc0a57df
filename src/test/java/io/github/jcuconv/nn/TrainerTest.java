package io.github.jcuconv.nn;

import static io.github.jcuconv.nn.Layer.batchNorm;
import static io.github.jcuconv.nn.Layer.conv;
import static io.github.jcuconv.nn.Layer.convTranspose;
import static io.github.jcuconv.nn.Layer.dense;
import static io.github.jcuconv.nn.Layer.maxPool;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.jcuconv.Engine;
import io.github.jcuconv.op.Activation;
import io.github.jcuconv.op.Lrn;
import io.github.jcuconv.testing.Engines;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The trainer on every engine that can run here. */
class TrainerTest {
    private static final int BATCH = 4;

    static Stream<String> engines() {
        return Engines.availableAndLate().stream();
    }

    static Stream<Arguments> enginesAndPrecisions() {
        return engines().flatMap(e -> Arrays.stream(Precision.values()).map(p -> Arguments.of(e, p)));
    }

    @Test
    void tf32_is_for_convolutions_and_dense_layers_and_asked_for() {
        Network network = Network.input("wide", 16, 8, 8)
                .add("conv", conv(16, 3).same().relu())
                .add("fc", dense(16))
                .build();
        Assumptions.assumeTrue(engines().anyMatch("emulated"::equals), "no emulated engine");
        try (Engine engine = Engines.open("emulated")) {
            for (Precision precision : List.of(Precision.FP32, Precision.TF32)) {
                try (Trainer trainer = new Trainer(network, engine, config(precision, 0.01f))) {
                    Map<String, String> algorithms = trainer.algorithms();
                    for (String step : List.of("conv", "dx fc", "dw conv", "fc", "dw fc")) {
                        boolean used = String.valueOf(algorithms.get(step)).contains(" tf32 ");
                        assertEquals(precision == Precision.TF32, used, step + ": " + algorithms.get(step));
                    }
                    trainer.step(images(network, 1), LABELS);
                    assertTrue(trainer.lastStepApplied() && Float.isFinite(trainer.loss()));
                }
            }
        }
    }

    static Network small() {
        return Network.input("small", 1, 8, 8)
                .add("conv1", conv(4, 3).same().relu())
                .add("pool1", maxPool(2, 2))
                .add("conv2", conv(6, 3).pad(1).activation(Activation.Kind.TANH))
                .add("fc1", dense(12).relu())
                .add("fc2", dense(3))
                .build();
    }

    /** Every layer kind, a residual sum, and a branch whose parts are joined. */
    static Network everything() {
        return Network.input("everything", 2, 8, 8)
                .add("conv1", conv(4, 3).same())
                .add("bn1", batchNorm())
                .add("act1", new Layer.Activate(Activation.Kind.SIGMOID))
                .add("conv2", conv(4, 3).same().relu())
                .add("sum", new Layer.Sum(), "conv2", "act1")
                .add("act2", new Layer.Activate(Activation.Kind.RELU))
                .add("a", conv(3, 1).relu(), "act2")
                .add("b", conv(5, 3).same().groups(1).relu(), "act2")
                .add("join", new Layer.Join(), "a", "b")
                .add("lrn", new Layer.LocalResponseNorm(3, 0.5f, 0.75f, 2f, Lrn.Convention.ALPHA))
                .add("pool", Layer.avgPool(2, 2))
                .add("up", convTranspose(4, 4, 2, 1).relu())
                .add("drop", new Layer.Drop(0.25f, 0))
                .add("gap", new Layer.GlobalAvgPool())
                .add("fc", dense(3))
                .build();
    }

    /** Squeeze and excitation: two gradients from one layer, one of them through the other's input. */
    private static Network gated() {
        return Network.input("gated", 2, 6, 6)
                .add("conv", conv(4, 3).same().activation(Activation.Kind.TANH))
                .add("squeeze", new Layer.GlobalAvgPool())
                .add("gates", dense(4).activation(Activation.Kind.SIGMOID))
                .add("scale", new Layer.Scale(), "conv", "gates")
                .add("fc", dense(3))
                .build();
    }

    private static TrainerConfig config(Precision precision, float rate) {
        return new TrainerConfig(BATCH, precision, Optimizer.adam(), new Schedule.Constant(rate), 100, 7);
    }

    private static float[] images(Network network, long seed) {
        Random random = new Random(seed);
        float[] x = new float[(int) network.input().withN(BATCH).count()];
        for (int i = 0; i < x.length; i++) {
            x[i] = (float) random.nextGaussian();
        }
        return x;
    }

    private static final int[] LABELS = {0, 2, 1, 0};

    @ParameterizedTest
    @MethodSource("enginesAndPrecisions")
    void overfits_four_images(String name, Precision precision) {
        Network network = small();
        float[] x = images(network, 1);
        try (Engine engine = Engines.open(name);
                Trainer trainer = new Trainer(network, engine, config(precision, 0.01f))) {
            trainer.forwardBackward(x, LABELS);
            float before = trainer.loss();
            for (int i = 0; i < 60; i++) {
                trainer.forwardBackward(x, LABELS);
                trainer.update(1);
            }
            trainer.forwardBackward(x, LABELS);
            float after = trainer.loss();
            assertTrue(before > 0.5 && after < 0.02, name + " " + precision + ": loss " + before + " -> " + after);
            float[] logits = trainer.infer(x);
            for (int i = 0; i < BATCH; i++) {
                assertEquals(LABELS[i], argmax(logits, i * 3, 3), "image " + i);
            }
        }
    }

    private static int argmax(float[] values, int from, int count) {
        int best = 0;
        for (int i = 1; i < count; i++) {
            best = values[from + i] > values[from + best] ? i : best;
        }
        return best;
    }

    @ParameterizedTest
    @MethodSource("enginesAndPrecisions")
    void predicted_memory_is_what_the_ledger_counts(String name, Precision precision) {
        Network network = small();
        TrainerConfig config = config(precision, 0.01f);
        try (Engine engine = Engines.open(name)) {
            long predicted = Trainer.predict(network, engine, config).predictedBytes();
            assertEquals(0, engine.ledger().peakBytes(), "predicting must not allocate");
            try (Trainer trainer = new Trainer(network, engine, config)) {
                for (int i = 0; i < 10; i++) {
                    trainer.forwardBackward(images(network, i), LABELS);
                    trainer.update(1);
                }
                trainer.infer(images(network, 1));
                trainer.state();
                assertEquals(predicted, engine.ledger().liveBytes());
                assertEquals(predicted, engine.ledger().peakBytes());
                assertEquals(1, engine.ledger().allocations());
            }
            assertEquals(0, engine.ledger().liveBytes());
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void poisoning_dead_tensors_changes_no_bit(String name) {
        for (Network network : new Network[] {everything(), gated()}) {
            assertArrayEquals(weightsAfterSteps(name, network, false), weightsAfterSteps(name, network, true));
        }
    }

    private static float[] weightsAfterSteps(String name, Network network, boolean poison) {
        try (Engine engine = Engines.open(name);
                Trainer trainer = new Trainer(network, engine, config(Precision.FP32, 0.01f))) {
            if (poison) {
                trainer.poisonDeadTensors();
            }
            for (int i = 0; i < 3; i++) {
                trainer.forwardBackward(images(network, i), LABELS);
                trainer.update(1);
            }
            return flat(trainer.parameters());
        }
    }

    /** The flat region of gradients. */
    static float[] read(Engine engine, Trainer trainer) {
        float[] values = new float[(int) (trainer.gradients().bytes() / Float.BYTES)];
        try (io.github.jcuconv.memory.HostLink link =
                new io.github.jcuconv.memory.HostLink(trainer.stream(), trainer.gradients(), 1)) {
            link.read(trainer.gradients(), values);
        }
        return values;
    }

    private static float[] flat(Map<String, float[]> tensors) {
        int total = tensors.values().stream().mapToInt(t -> t.length).sum();
        float[] all = new float[total];
        int at = 0;
        for (float[] t : tensors.values()) {
            System.arraycopy(t, 0, all, at, t.length);
            at += t.length;
        }
        for (float v : all) {
            assertTrue(Float.isFinite(v));
        }
        return all;
    }

    @ParameterizedTest
    @MethodSource("enginesAndPrecisions")
    void resuming_gives_the_same_bits(String name, Precision precision) {
        Network network = small();
        TrainerConfig config = config(precision, 0.01f);
        try (Engine engine = Engines.open(name);
                Trainer whole = new Trainer(network, engine, config);
                Trainer resumed = new Trainer(network, engine, config)) {
            TrainingState half = null;
            for (int i = 0; i < 6; i++) {
                if (i == 3) {
                    half = whole.state();
                }
                whole.forwardBackward(images(network, i), LABELS);
                whole.update(1);
            }
            resumed.restore(java.util.Objects.requireNonNull(half));
            for (int i = 3; i < 6; i++) {
                resumed.forwardBackward(images(network, i), LABELS);
                resumed.update(1);
            }
            assertArrayEquals(
                    flat(whole.state().tensors()), flat(resumed.state().tensors()));
        }
    }

    /** Moves each tensor alone along its gradient, both ways: the loss must change by twice the step times the squared gradient. */
    @ParameterizedTest
    @MethodSource("engines")
    void gradients_follow_central_differences(String name) {
        gradientsFollowCentralDifferences(name, everything());
        gradientsFollowCentralDifferences(name, gated());
    }

    private static void gradientsFollowCentralDifferences(String name, Network network) {
        float[] x = images(network, 3);
        TrainerConfig config =
                new TrainerConfig(BATCH, Precision.FP32, Optimizer.sgd(0), new Schedule.Constant(1), 100, 7);
        try (Engine engine = Engines.open(name);
                Trainer trainer = new Trainer(network, engine, config)) {
            Map<String, float[]> start = trainer.parameters();
            trainer.forwardBackward(x, LABELS);
            trainer.update(1);
            Map<String, float[]> moved = trainer.parameters();
            for (Parameter p : network.parameters()) {
                if (!p.trainable()) {
                    continue;
                }
                float[] a = start.get(p.name());
                float[] b = moved.get(p.name());
                double square = 0;
                for (int i = 0; i < a.length; i++) {
                    square += (double) (a[i] - b[i]) * (a[i] - b[i]);
                }
                if (square < 1e-8) {
                    continue;
                }
                double step = Math.min(0.25, 4e-4 / square);
                double up = lossAt(trainer, x, start, p.name(), b, step);
                double down = lossAt(trainer, x, start, p.name(), b, -step);
                assertEquals(2 * step * square, up - down, 0.03 * 2 * step * square + 1e-6, name + " " + p.name());
            }
        }
    }

    /** The loss with one tensor at start + step * gradient, where moved = start - gradient. */
    private static double lossAt(
            Trainer trainer, float[] x, Map<String, float[]> start, String name, float[] moved, double step) {
        Map<String, float[]> tensors = new HashMap<>(start);
        float[] shifted = start.get(name).clone();
        for (int i = 0; i < shifted.length; i++) {
            shifted[i] = (float) (shifted[i] + step * (shifted[i] - moved[i]));
        }
        tensors.put(name, shifted);
        trainer.restore(new TrainingState(tensors, 0, 0, 1, 0));
        trainer.forwardBackward(x, LABELS);
        return trainer.loss();
    }

    @Test
    void errors_name_the_layer_and_the_rule() {
        Network.Builder builder = Network.input("bad", 1, 4, 4).add("conv1", conv(2, 3));
        IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class, () -> builder.add("conv2", conv(2, 5)));
        assertTrue(e.getMessage().contains("conv2") && e.getMessage().contains("larger"), e.getMessage());
        assertThrows(IllegalArgumentException.class, () -> builder.add("conv1", conv(1, 1)));
        assertThrows(IllegalArgumentException.class, () -> builder.add("x", conv(1, 1), "nowhere"));
        assertThrows(IllegalArgumentException.class, () -> config(Precision.parse("fp8"), 1));
    }

    @Test
    void overflow_in_fp16_skips_the_step_and_halves_the_scale() {
        Network network = small();
        String name = engines().findFirst().orElseThrow();
        try (Engine engine = Engines.open(name);
                Trainer trainer = new Trainer(network, engine, config(Precision.FP16, 0.01f))) {
            float[] huge = images(network, 1);
            huge[0] = Float.POSITIVE_INFINITY;
            float[] before = flat(trainer.parameters());
            float scale = trainer.lossScale();
            trainer.forwardBackward(huge, LABELS);
            trainer.update(1);
            assertFalse(trainer.lastStepApplied());
            assertEquals(scale / 2, trainer.lossScale());
            assertArrayEquals(before, flat(trainer.parameters()));
        }
    }
}
