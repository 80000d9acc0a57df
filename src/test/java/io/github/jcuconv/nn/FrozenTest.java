package io.github.jcuconv.nn;

import static io.github.jcuconv.nn.Layer.batchNorm;
import static io.github.jcuconv.nn.Layer.conv;
import static io.github.jcuconv.nn.Layer.dense;
import static io.github.jcuconv.nn.Layer.maxPool;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.jcuconv.Engine;
import io.github.jcuconv.memory.MemoryPlan;
import io.github.jcuconv.memory.Part;
import io.github.jcuconv.op.Activation;
import io.github.jcuconv.testing.Engines;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Layers that training leaves as they are. */
class FrozenTest {
    private static final int BATCH = 4;
    private static final String LAST = "join";
    private static final int[] LABELS = {0, 2, 1, 0};

    static Stream<Arguments> enginesAndPrecisions() {
        return TrainerTest.engines()
                .flatMap(e -> Arrays.stream(Precision.values()).map(p -> Arguments.of(e, p)));
    }

    /** Batch norm and dropout, which differ between training and inference, and a branch; nothing is trained here. */
    private static Network.Builder body() {
        return Network.input("whole", 2, 8, 8)
                .add("conv1", conv(4, 3).same().noBias())
                .add("bn1", batchNorm())
                .add("relu1", new Layer.Activate(Activation.Kind.RELU))
                .add("drop1", new Layer.Drop(0.5f, 0))
                .add("a", conv(3, 1).relu(), "drop1")
                .add("b", conv(5, 3).same().relu(), "drop1")
                .add(LAST, new Layer.Join(), "a", "b");
    }

    private static Network.Builder head(Network.Builder net) {
        return net.add("pool", maxPool(2, 2))
                .add("conv2", conv(6, 3).same().relu())
                .add("fc", dense(3));
    }

    private static Network whole() {
        return head(body()).build();
    }

    private static TrainerConfig config(Precision precision) {
        return new TrainerConfig(BATCH, precision, Optimizer.adam(), new Schedule.Constant(0.01f), 100, 7);
    }

    private static float[] images(int seed) {
        Random random = new Random(seed);
        float[] x = new float[BATCH * 2 * 8 * 8];
        for (int i = 0; i < x.length; i++) {
            x[i] = (float) random.nextGaussian();
        }
        return x;
    }

    /** Statistics and factors that are no zeros and ones. */
    private static Map<String, float[]> trainedElsewhere(Trainer trainer) {
        Map<String, float[]> all = trainer.parameters();
        Random random = new Random(5);
        for (Map.Entry<String, float[]> e : all.entrySet()) {
            if (e.getKey().startsWith("bn1")) {
                float[] values = e.getValue();
                for (int i = 0; i < values.length; i++) {
                    values[i] = 0.5f + random.nextFloat();
                }
            }
        }
        return all;
    }

    @ParameterizedTest
    @MethodSource("enginesAndPrecisions")
    void what_is_frozen_stays_and_the_rest_learns(String name, Precision precision) {
        Network frozen = whole().frozenThrough(LAST);
        try (Engine engine = Engines.open(name);
                Trainer trainer = new Trainer(frozen, engine, config(precision))) {
            trainer.setParameters(trainedElsewhere(trainer));
            Map<String, float[]> before = trainer.parameters();
            for (int i = 0; i < 3; i++) {
                trainer.step(images(i), LABELS);
                assertTrue(trainer.lastStepApplied());
            }
            Map<String, float[]> after = trainer.parameters();
            for (Parameter p : frozen.parameters()) {
                boolean same = Arrays.equals(before.get(p.name()), after.get(p.name()));
                assertEquals(p.frozen(), same, name + " " + precision + " " + p.name());
            }
            assertFalse(trainer.plainGradients().keySet().stream().anyMatch(g -> g.startsWith("conv1")));
            assertTrue(trainer.algorithms().containsKey("dx fc"));
            // The pool before it has nothing to learn either.
            assertFalse(trainer.algorithms().containsKey("dx conv2"));
        }
    }

    /** The head by itself, fed with what the body gives in inference, has the same gradients. */
    @ParameterizedTest
    @MethodSource("enginesAndPrecisions")
    void frozen_layers_run_as_in_inference(String name, Precision precision) {
        float[] x = images(9);
        Network body = body().build();
        Network alone = head(Network.input("head", 8, 8, 8)).build();
        try (Engine engine = Engines.open(name);
                Trainer trainer = new Trainer(whole().frozenThrough(LAST), engine, config(precision))) {
            trainer.setParameters(trainedElsewhere(trainer));
            trainer.forwardBackward(x, LABELS);
            Map<String, float[]> parameters = trainer.parameters();
            float[] features;
            try (Predictor predictor = new Predictor(body, engine, BATCH, precision, parameters)) {
                features = predictor.infer(x);
            }
            Map<String, float[]> ofHead = new HashMap<>(parameters);
            ofHead.keySet()
                    .retainAll(alone.parameters().stream().map(Parameter::name).toList());
            try (Trainer separate = new Trainer(alone, engine, config(precision))) {
                separate.setParameters(ofHead);
                separate.forwardBackward(features, LABELS);
                assertEquals(separate.loss(), trainer.loss(), 1e-5 * separate.loss(), name + " " + precision);
                Map<String, float[]> expected = separate.plainGradients();
                Map<String, float[]> found = trainer.plainGradients();
                assertEquals(expected.keySet(), found.keySet());
                expected.forEach((parameter, gradient) -> {
                    double largest = 0;
                    for (float v : gradient) {
                        largest = Math.max(largest, Math.abs(v));
                    }
                    // The same numbers in the same types, but sums in the order of another layout.
                    double bound = precision == Precision.FP32 ? 1e-5 : 1e-2;
                    float[] actual = Objects.requireNonNull(found.get(parameter));
                    assertTrue(largest > 0, parameter);
                    assertArrayEquals(gradient, actual, (float) (bound * largest), name + " " + parameter);
                });
            }
        }
    }

    @ParameterizedTest
    @MethodSource("enginesAndPrecisions")
    void memory_is_predicted_and_less(String name, Precision precision) {
        Network frozen = whole().frozenThrough(LAST);
        long learning = frozen.trainableParameters();
        try (Engine engine = Engines.open(name)) {
            MemoryPlan all = Trainer.predict(whole(), engine, config(precision));
            MemoryPlan some = Trainer.predict(frozen, engine, config(precision));
            assertTrue(some.predictedBytes() < all.predictedBytes());
            long gradients = some.partsAtPeak().get(Part.GRADIENTS);
            assertTrue(gradients < all.partsAtPeak().get(Part.GRADIENTS), "gradients " + gradients);
            assertTrue(gradients >= learning * Float.BYTES, "gradients " + gradients + " of " + learning);
            try (Trainer trainer = new Trainer(frozen, engine, config(precision))) {
                trainer.step(images(1), LABELS);
                trainer.infer(images(1));
                trainer.state();
                assertEquals(some.predictedBytes(), engine.ledger().peakBytes());
            }
        }
    }

    @ParameterizedTest
    @MethodSource("enginesAndPrecisions")
    void recomputation_and_poison_change_no_bit(String name, Precision precision) {
        Map<String, float[]> plain = trained(name, config(precision), false);
        for (int segments = 2; segments <= 4; segments++) {
            Map<String, float[]> other = trained(name, config(precision).segments(segments), true);
            plain.forEach((parameter, values) -> assertArrayEquals(values, other.get(parameter), parameter));
        }
    }

    private static Map<String, float[]> trained(String name, TrainerConfig config, boolean poison) {
        try (Engine engine = Engines.open(name);
                Trainer trainer = new Trainer(whole().frozenThrough("conv1"), engine, config)) {
            if (poison) {
                trainer.poisonDeadTensors();
            }
            for (int i = 0; i < 3; i++) {
                trainer.step(images(i), LABELS);
            }
            return trainer.state().tensors();
        }
    }

    @Test
    void what_cannot_be_frozen_is_named() {
        Network network = whole();
        String unknown = assertThrows(IllegalArgumentException.class, () -> network.frozenThrough("conv9"))
                .getMessage();
        assertTrue(unknown.contains("conv9") && unknown.contains("bn1"), unknown);
        String all = assertThrows(IllegalArgumentException.class, () -> network.frozenThrough("fc"))
                .getMessage();
        assertTrue(all.contains("fc: nothing behind it could learn"), all);
        assertEquals(
                4 * 18 + 8 + 3 * 5 + 5 * 37,
                network.trainableParameters() - network.frozenThrough(LAST).trainableParameters());
        assertEquals(network.totalParameters(), network.frozenThrough(LAST).totalParameters());
    }

    @Test
    void wrong_parameters_are_named() {
        try (Engine engine = Engines.open("onednn");
                Trainer trainer = new Trainer(whole(), engine, config(Precision.FP32))) {
            assertThrows(
                    IllegalArgumentException.class, () -> trainer.setParameters(Map.of("fc.weight", new float[3])));
            assertThrows(
                    IllegalArgumentException.class, () -> trainer.setParameters(Map.of("fc9.weight", new float[3])));
        }
    }
}
