package io.github.jcuconv.nn;

import static io.github.jcuconv.nn.Layer.conv;
import static io.github.jcuconv.nn.Layer.dense;
import static io.github.jcuconv.nn.Layer.maxPool;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.jcuconv.Engine;
import io.github.jcuconv.testing.Engines;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Outputs that only training has. Since gradients add up, networks with one output each are the oracle. */
class AuxiliaryTest {
    private static final int BATCH = 4;
    private static final int[] LABELS = {0, 2, 1, 0};
    /** Their products with a weight are exact. */
    private static final float FIRST = 0.5f;

    private static final float SECOND = 0.25f;

    static Stream<Arguments> enginesAndPrecisions() {
        return FrozenTest.enginesAndPrecisions();
    }

    private static Network.Builder trunk() {
        return Network.input("heads", 2, 8, 8).add("conv1", conv(4, 3).same().relu());
    }

    private static Network.Builder deeper(Network.Builder net) {
        return net.add("pool", maxPool(2, 2), "conv1")
                .add("conv2", conv(6, 3).same().relu());
    }

    private static Network main() {
        return deeper(trunk()).add("fc", dense(3)).build();
    }

    private static Network first() {
        return trunk().add("aux1", dense(3)).build();
    }

    private static Network second() {
        return deeper(trunk()).add("aux2", dense(3)).build();
    }

    private static Network all(float firstWeight) {
        return deeper(trunk().add("aux1", dense(3)).auxiliary(firstWeight))
                .add("aux2", dense(3))
                .auxiliary(SECOND)
                .add("fc", dense(3), "conv2")
                .build();
    }

    private static TrainerConfig config(Precision precision) {
        return new TrainerConfig(BATCH, precision, Optimizer.adam(), new Schedule.Constant(0.01f), 100, 7);
    }

    private static float[] images() {
        Random random = new Random(3);
        float[] x = new float[BATCH * 2 * 8 * 8];
        for (int i = 0; i < x.length; i++) {
            x[i] = (float) random.nextGaussian();
        }
        return x;
    }

    /** The loss, and the gradients divided by the scale of the loss. */
    private record Outcome(double loss, Map<String, float[]> gradients) {
        static Outcome of(Engine engine, Network network, TrainerConfig config, Map<String, float[]> parameters) {
            try (Trainer trainer = new Trainer(network, engine, config)) {
                Map<String, float[]> own = new HashMap<>(parameters);
                own.keySet().retainAll(trainer.parameters().keySet());
                trainer.setParameters(own);
                trainer.forwardBackward(images(), LABELS);
                Map<String, float[]> gradients = trainer.plainGradients();
                float scale = trainer.lossScale() * config.microBatches();
                for (float[] g : gradients.values()) {
                    for (int i = 0; i < g.length; i++) {
                        g[i] /= scale;
                    }
                }
                return new Outcome(trainer.loss(), gradients);
            }
        }
    }

    /** What the whole network should give: the sum of what networks with one output give. */
    private static Outcome expected(Engine engine, Precision precision, Map<String, float[]> parameters) {
        List<Network> parts = List.of(main(), first(), second());
        float[] weights = {1, FIRST, SECOND};
        double loss = 0;
        Map<String, float[]> gradients = new HashMap<>();
        for (int i = 0; i < weights.length; i++) {
            Outcome part = Outcome.of(engine, parts.get(i), config(precision), parameters);
            loss += weights[i] * part.loss;
            float weight = weights[i];
            part.gradients.forEach((name, g) -> {
                float[] sum = gradients.computeIfAbsent(name, n -> new float[g.length]);
                for (int j = 0; j < g.length; j++) {
                    sum[j] += weight * g[j];
                }
            });
        }
        return new Outcome(loss, gradients);
    }

    /** The largest difference of a parameter's gradient, as a part of its largest element. */
    private static double deviation(Outcome expected, Outcome found) {
        assertEquals(expected.gradients.keySet(), found.gradients.keySet());
        double worst = Math.abs(expected.loss - found.loss) / expected.loss;
        for (Map.Entry<String, float[]> e : expected.gradients.entrySet()) {
            float[] actual = Objects.requireNonNull(found.gradients.get(e.getKey()));
            double largest = 0;
            double difference = 0;
            for (int i = 0; i < actual.length; i++) {
                assertTrue(Float.isFinite(actual[i]), e.getKey());
                largest = Math.max(largest, Math.abs(e.getValue()[i]));
                difference = Math.max(difference, Math.abs(e.getValue()[i] - actual[i]));
            }
            assertTrue(largest > 0, e.getKey());
            worst = Math.max(worst, difference / largest);
        }
        return worst;
    }

    /** The same products in fp32; in 16 bits a sum of two rounded gradients is rounded once more. */
    private static double bound(Precision precision) {
        return precision == Precision.FP32 ? 1e-5 : precision == Precision.FP16 ? 2e-3 : 1.6e-2;
    }

    private static Map<String, float[]> parameters(Engine engine) {
        try (Trainer trainer = new Trainer(all(FIRST), engine, config(Precision.FP32))) {
            return trainer.parameters();
        }
    }

    @ParameterizedTest
    @MethodSource("enginesAndPrecisions")
    void losses_and_gradients_add_up(String name, Precision precision) {
        double bound = bound(precision);
        try (Engine engine = Engines.open(name)) {
            Map<String, float[]> parameters = parameters(engine);
            Outcome expected = expected(engine, precision, parameters);
            Outcome found = Outcome.of(engine, all(FIRST), config(precision), parameters);
            double deviation = deviation(expected, found);
            assertTrue(deviation <= bound, name + " " + precision + ": " + deviation);
            Outcome wrong = Outcome.of(engine, all(FIRST * (1 + 16 * (float) bound)), config(precision), parameters);
            assertTrue(deviation(expected, wrong) > bound, name + " " + precision + ": another weight passes");
        }
    }

    @ParameterizedTest
    @MethodSource("enginesAndPrecisions")
    void parts_of_a_batch_give_the_same(String name, Precision precision) {
        double bound = bound(precision);
        try (Engine engine = Engines.open(name)) {
            Map<String, float[]> parameters = parameters(engine);
            Outcome whole = Outcome.of(engine, all(FIRST), config(precision), parameters);
            Outcome parts = Outcome.of(engine, all(FIRST), config(precision).microBatches(2), parameters);
            double deviation = deviation(whole, parts);
            assertTrue(deviation <= bound, name + " " + precision + ": " + deviation);
        }
    }

    @ParameterizedTest
    @MethodSource("enginesAndPrecisions")
    void inference_leaves_them_out(String name, Precision precision) {
        try (Engine engine = Engines.open(name)) {
            Map<String, float[]> parameters;
            float[] trained;
            try (Trainer trainer = new Trainer(all(FIRST), engine, config(precision))) {
                trainer.step(images(), LABELS);
                trained = trainer.infer(images());
                parameters = trainer.parameters();
                assertEquals(trainer.memory().predictedBytes(), engine.ledger().peakBytes());
            }
            parameters.keySet().removeIf(n -> n.startsWith("aux"));
            try (Predictor predictor = new Predictor(all(FIRST), engine, BATCH, precision, parameters)) {
                assertArrayEquals(trained, predictor.infer(images()));
            }
            assertEquals(
                    Predictor.predict(main(), engine, BATCH, precision).predictedBytes(),
                    Predictor.predict(all(FIRST), engine, BATCH, precision).predictedBytes());
        }
    }

    @ParameterizedTest
    @MethodSource("enginesAndPrecisions")
    void steps_with_poison_and_from_a_state_give_the_same_bits(String name, Precision precision) {
        try (Engine engine = Engines.open(name);
                Trainer plain = new Trainer(all(FIRST), engine, config(precision));
                Trainer poisoned = new Trainer(all(FIRST), engine, config(precision));
                Trainer resumed = new Trainer(all(FIRST), engine, config(precision))) {
            poisoned.poisonDeadTensors();
            for (int i = 0; i < 3; i++) {
                plain.step(images(), LABELS);
                poisoned.step(images(), LABELS);
            }
            resumed.restore(plain.state());
            plain.step(images(), LABELS);
            poisoned.step(images(), LABELS);
            resumed.step(images(), LABELS);
            plain.parameters().forEach((parameter, values) -> {
                assertArrayEquals(values, poisoned.parameters().get(parameter), parameter);
                assertArrayEquals(values, resumed.parameters().get(parameter), parameter);
            });
        }
    }

    @Test
    void frozen_ones_have_no_loss() {
        try (Engine engine = Engines.open("onednn")) {
            Map<String, float[]> parameters = parameters(engine);
            Outcome some = Outcome.of(engine, all(FIRST).frozenThrough("aux2"), config(Precision.FP32), parameters);
            Outcome main = Outcome.of(engine, main(), config(Precision.FP32), parameters);
            assertEquals(main.loss, some.loss, 1e-6);
            assertEquals(Set.of("fc.weight", "fc.bias"), some.gradients.keySet());
        }
    }

    @Test
    void what_cannot_be_one_is_named() {
        Network.Builder empty = Network.input("n", 1, 4, 4);
        assertTrue(message(() -> empty.auxiliary(1)).contains("needs a layer"));
        for (float weight : new float[] {0, -1, Float.NaN, Float.POSITIVE_INFINITY}) {
            assertTrue(message(() -> trunk().auxiliary(weight)).contains("greater than 0, not " + weight));
        }
        Network.Builder other = trunk().add("aux1", dense(4)).auxiliary(1).add("fc", dense(3), "conv1");
        assertTrue(message(other::build).contains("auxiliary output aux1"));
        Network.Builder last = trunk().add("fc", dense(3)).auxiliary(1);
        assertTrue(message(last::build).contains("before the network's output"));
        assertEquals(main().parameters(), all(FIRST).inference().parameters());
        assertEquals(main().multiplyAdds(), all(FIRST).multiplyAdds());
    }

    private static String message(org.junit.jupiter.api.function.Executable call) {
        return String.valueOf(assertThrows(IllegalArgumentException.class, call).getMessage());
    }
}
