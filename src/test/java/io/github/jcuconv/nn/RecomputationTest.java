package io.github.jcuconv.nn;

import static io.github.jcuconv.nn.Layer.batchNorm;
import static io.github.jcuconv.nn.Layer.conv;
import static io.github.jcuconv.nn.Layer.dense;
import static io.github.jcuconv.nn.Layer.maxPool;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.jcuconv.Engine;
import io.github.jcuconv.memory.MemoryPlan;
import io.github.jcuconv.memory.Part;
import io.github.jcuconv.models.Models;
import io.github.jcuconv.op.Activation;
import io.github.jcuconv.testing.Engines;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Activations computed again and batches in parts: the same bits, or the same sums. */
class RecomputationTest {
    private static final int BATCH = 4;
    private static final int STEPS = 5;

    static Stream<Arguments> enginesAndPrecisions() {
        return TrainerTest.engines()
                .flatMap(e -> Arrays.stream(Precision.values()).map(p -> Arguments.of(e, p)));
    }

    /** Cuts are everywhere; every kind of layer that keeps something besides its output. */
    static Network chain() {
        return Network.input("chain", 2, 12, 12)
                .add("conv1", conv(4, 3).same().noBias())
                .add("bn1", batchNorm())
                .add("relu1", new Layer.Activate(Activation.Kind.RELU))
                .add("pool1", maxPool(2, 2))
                .add("lrn", new Layer.LocalResponseNorm(3, 0.5f, 0.75f, 2f, io.github.jcuconv.op.Lrn.Convention.ALPHA))
                .add("conv2", conv(6, 3).same().relu())
                .add("drop1", new Layer.Drop(0.25f, 0))
                .add("conv3", conv(6, 3).same())
                .add("bn3", batchNorm())
                .add("pool3", maxPool(2, 2))
                .add("drop3", new Layer.Drop(0.5f, 1))
                .add("fc1", dense(12).relu())
                .add("fc2", dense(3))
                .build();
    }

    /** Cuts lie between the blocks alone. */
    static Network residual() {
        Network.Builder b =
                Network.input("residual", 2, 8, 8).add("stem", conv(4, 3).same().relu());
        String x = "stem";
        for (int i = 0; i < 4; i++) {
            b.add(i + "a", conv(4, 3).same().noBias(), x)
                    .add(i + "a bn", batchNorm())
                    .add(i + "a relu", new Layer.Activate(Activation.Kind.RELU))
                    .add(i + "b", conv(4, 3).same().noBias())
                    .add(i + "b bn", batchNorm())
                    .add(i + " sum", new Layer.Sum(), i + "b bn", x)
                    .add(i + " out", new Layer.Activate(Activation.Kind.RELU));
            x = i + " out";
        }
        return b.add("gap", new Layer.GlobalAvgPool()).add("fc", dense(3)).build();
    }

    private static TrainerConfig config(int batch, Precision precision) {
        return new TrainerConfig(batch, precision, Optimizer.adam(), new Schedule.Constant(0.01f), 100, 7);
    }

    private static float[] images(Network network, int batch, long seed) {
        Random random = new Random(seed);
        float[] x = new float[(int) network.input().withN(batch).count()];
        for (int i = 0; i < x.length; i++) {
            x[i] = (float) random.nextGaussian();
        }
        return x;
    }

    private static int[] labels(int batch, int seed) {
        int[] labels = new int[batch];
        Arrays.setAll(labels, i -> (i * 7 + seed) % 3);
        return labels;
    }

    private static Map<String, float[]> train(Network network, Engine engine, TrainerConfig config, boolean poison) {
        try (Trainer trainer = new Trainer(network, engine, config)) {
            if (poison) {
                trainer.poisonDeadTensors();
            }
            for (int i = 0; i < STEPS; i++) {
                trainer.step(images(network, BATCH, i), labels(BATCH, i));
            }
            Map<String, float[]> state = trainer.state().tensors();
            state.put("loss", new float[] {trainer.loss()});
            state.values().forEach(values -> {
                for (float v : values) {
                    assertTrue(Float.isFinite(v));
                }
            });
            return state;
        }
    }

    @ParameterizedTest
    @MethodSource("enginesAndPrecisions")
    void five_steps_give_the_same_bits_as_without_recomputation(String name, Precision precision) {
        try (Engine engine = Engines.open(name)) {
            for (Network network : List.of(chain(), residual(), TrainerTest.everything())) {
                TrainerConfig plain = config(BATCH, precision);
                Map<String, float[]> wanted = train(network, engine, plain, false);
                assertNotEquals(0, wanted.get(network.name().equals("chain") ? "bn1.running_mean" : "loss")[0]);
                for (int segments : new int[] {2, 3, 8}) {
                    Map<String, float[]> found = train(network, engine, plain.segments(segments), segments == 3);
                    wanted.forEach((key, values) -> assertArrayEquals(
                            values, found.get(key), name + " " + network.name() + " " + segments + ": " + key));
                }
            }
        }
    }

    /** A forward pass that runs again as it ran first moves statistics twice: the comparison above must see that. */
    @Test
    void statistics_that_move_twice_are_seen() {
        Network network = chain();
        try (Engine engine = Engine.open("reference");
                Trainer once = new Trainer(network, engine, config(BATCH, Precision.FP32));
                Trainer twice = new Trainer(network, engine, config(BATCH, Precision.FP32))) {
            once.step(images(network, BATCH, 0), labels(BATCH, 0));
            twice.forwardBackward(images(network, BATCH, 0), labels(BATCH, 0));
            twice.step(images(network, BATCH, 0), labels(BATCH, 0));
            assertArrayEquals(
                    once.parameters().get("conv1.weight"), twice.parameters().get("conv1.weight"));
            assertFalse(Arrays.equals(
                    once.parameters().get("bn1.running_mean"),
                    twice.parameters().get("bn1.running_mean")));
        }
    }

    /** A part of a batch is a batch of its own, dropout and step counters apart: sums of gradients on the host are the oracle. */
    @ParameterizedTest
    @MethodSource("enginesAndPrecisions")
    void gradients_of_micro_batches_are_the_sums_of_theirs(String name, Precision precision) {
        int parts = 2;
        Network network = residual();
        float[] x = images(network, BATCH, 3);
        int[] y = labels(BATCH, 1);
        try (Engine engine = Engines.open(name);
                Trainer whole =
                        new Trainer(network, engine, config(BATCH, precision).microBatches(parts));
                Trainer part = new Trainer(network, engine, config(BATCH / parts, precision))) {
            float[] sum = new float[(int) (part.gradients().bytes() / Float.BYTES)];
            float[] magnitude = new float[sum.length];
            float loss = 0;
            for (int i = 0; i < parts; i++) {
                int pixels = x.length / parts;
                part.forwardBackward(
                        Arrays.copyOfRange(x, i * pixels, (i + 1) * pixels),
                        Arrays.copyOfRange(y, i * BATCH / parts, (i + 1) * BATCH / parts));
                float[] one = TrainerTest.read(engine, part);
                for (int k = 0; k < sum.length; k++) {
                    sum[k] += one[k];
                    magnitude[k] += Math.abs(one[k]);
                }
                loss += part.loss();
            }
            whole.forwardBackward(x, y);
            float[] found = TrainerTest.read(engine, whole);
            for (int k = 0; k < sum.length; k++) { // An engine may add before it rounds, or after.
                assertEquals(sum[k], found[k], 2 * Math.ulp(magnitude[k]), name + " " + precision + " at " + k);
            }
            assertEquals(loss / parts, whole.loss());
            assertArrayEquals(
                    part.parameters().get("0a bn.running_var"),
                    whole.parameters().get("0a bn.running_var"));
        }
    }

    /** The mean over parts is the mean over the batch; only rounding differs. */
    @ParameterizedTest
    @MethodSource("io.github.jcuconv.nn.TrainerTest#engines")
    void a_step_in_parts_is_a_step_but_for_rounding(String name) {
        Network network = TrainerTest.small();
        TrainerConfig plain =
                new TrainerConfig(BATCH, Precision.FP32, Optimizer.sgd(0.9f), new Schedule.Constant(0.1f), 100, 7);
        try (Engine engine = Engines.open(name);
                Trainer whole = new Trainer(network, engine, plain);
                Trainer parts =
                        new Trainer(network, engine, plain.microBatches(4).segments(3))) {
            for (int i = 0; i < STEPS; i++) {
                whole.step(images(network, BATCH, i), labels(BATCH, i));
                parts.step(images(network, BATCH, i), labels(BATCH, i));
                assertEquals(whole.loss(), parts.loss(), 1e-5);
            }
            assertEquals(STEPS, parts.stepsDone());
            assertArrayEquals(whole.infer(images(network, BATCH, 9)), parts.infer(images(network, BATCH, 9)), 1e-4f);
        }
    }

    @Test
    void parts_of_a_batch_draw_different_dropout_masks() {
        Network network = Network.input("dropped", 1, 1, 64)
                .add("drop", new Layer.Drop(0.5f, 0))
                .add("fc", dense(3))
                .build();
        float[] ones = new float[2 * 64];
        Arrays.fill(ones, 1);
        try (Engine engine = Engine.open("reference");
                Trainer one = new Trainer(network, engine, config(1, Precision.FP32));
                Trainer two =
                        new Trainer(network, engine, config(2, Precision.FP32).microBatches(2))) {
            one.forwardBackward(Arrays.copyOf(ones, 64), new int[] {1});
            two.forwardBackward(ones, new int[] {1, 1});
            float[] single = TrainerTest.read(engine, one);
            float[] both = TrainerTest.read(engine, two);
            boolean doubled = true;
            for (int i = 0; i < single.length; i++) {
                doubled &= both[i] == 2 * single[i];
            }
            assertFalse(doubled, "both parts dropped the same pixels");
        }
    }

    /** The most bytes of activations and masks that are alive at one step. */
    private static long activations(MemoryPlan plan) {
        long most = 0;
        int last =
                plan.slices().stream().mapToInt(s -> s.request().last()).max().orElse(0);
        for (int step = 0; step <= last; step++) {
            long live = 0;
            for (MemoryPlan.Slice s : plan.slices()) {
                MemoryPlan.Request r = s.request();
                boolean counts = r.part() == Part.ACTIVATIONS || r.part() == Part.MASKS;
                live += counts && r.first() <= step && step <= r.last() ? r.bytes() : 0;
            }
            most = Math.max(most, live);
        }
        return most;
    }

    @Test
    void resnet50_needs_sixty_percent_less_for_a_third_more_work() {
        Network network = Models.get("resnet50");
        TrainerConfig plain = config(8, Precision.FP32);
        int segments = Recomputation.segments(network);
        try (Engine engine = Engine.open(Engines.available().get(0));
                Program before = Program.training(network, engine, plain);
                Program after = Program.training(network, engine, plain.segments(segments))) {
            double saved = 1 - (double) activations(after.memoryPlan) / activations(before.memoryPlan);
            // Forward, gradient of the input, gradient of the weights: three passes of as many multiply-adds.
            double work = (double) after.recomputedMultiplyAdds / (3 * 8 * network.multiplyAdds());
            System.out.printf(
                    Locale.ROOT,
                    "%d segments: activations %.1f MiB -> %.1f MiB (-%.1f %%), peak %.1f MiB -> %.1f MiB, work +%.1f %%%n",
                    segments,
                    activations(before.memoryPlan) / 1048576.0,
                    activations(after.memoryPlan) / 1048576.0,
                    100 * saved,
                    before.memoryPlan.predictedBytes() / 1048576.0,
                    after.memoryPlan.predictedBytes() / 1048576.0,
                    100 * work);
            assertTrue(saved >= 0.60, "saved " + saved);
            assertTrue(work > 0 && work <= 0.35, "work " + work);
            assertEquals(0, before.recomputedMultiplyAdds);
        }
    }
}
