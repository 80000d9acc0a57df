package io.github.jcuconv.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.jcuconv.Engine;
import io.github.jcuconv.models.Models;
import io.github.jcuconv.nn.ExactNetwork.Bounded;
import io.github.jcuconv.testing.Engines;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Whole training steps of real networks. Engine against engine: both start every step from the same state, and loss, gradients, momentum and
 * weights of each must lie within the bound around fp64 (so that they also agree with each other within twice the bound). Replayed graph
 * against single steps: the same bits, over skipped steps and after a resume.
 */
class WholeStepTest {
    private static final int BATCH = 8;
    private static final float RATE = 0.01f;
    private static final float MOMENTUM = 0.9f;
    private static final double U = 0x1p-24;
    /** Half of the bounds are smaller than this beside what they bound: 2e-5 where no ReLU or maximum may go either way. */
    private static final double SHARP = 0.02;

    private static float[] images(Network network, int step) {
        Random random = new Random(step);
        float[] x = new float[(int) network.input().withN(BATCH).count()];
        for (int i = 0; i < x.length; i++) {
            x[i] = random.nextInt(4) == 0 ? random.nextFloat() : 0;
        }
        return x;
    }

    private static int[] labels(int step) {
        return new Random(step).ints(BATCH, 0, 10).toArray();
    }

    private static TrainerConfig config(Precision precision, Optimizer optimizer, float rate) {
        return new TrainerConfig(BATCH, precision, optimizer, new Schedule.Constant(rate), 100, 3);
    }

    /** What is out of bounds, by kind. */
    private static final class Findings {
        final Set<String> kinds = new TreeSet<>();
        final List<String> texts = new ArrayList<>();

        void compare(String kind, String where, double actual, double value, double error) {
            if (!(Math.abs(actual - value) <= error)) {
                kinds.add(kind);
                texts.add(kind + " " + where + " is " + actual + ", expected " + value + " +- " + error);
            }
        }

        void compare(String kind, String where, float[] actual, Bounded expected) {
            for (int i = 0; i < actual.length; i++) {
                // Half an ulp of the result, and numbers that may be flushed.
                double error = expected.error(i) + U * Math.abs(expected.value()[i]) + Float.MIN_NORMAL;
                compare(kind, where + "[" + i + "]", actual[i], expected.value()[i], error);
            }
        }
    }

    /** Trains on both engines, the second one at its own rate. */
    private static Findings train(String model, int steps, float otherRate) {
        assumeTrue(
                Engines.available().containsAll(List.of("emulated", "onednn")), "not run: needs emulated and onednn");
        Network network = Models.get(model);
        Findings findings = new Findings();
        List<Double> sharpness = new ArrayList<>();
        try (Engine emulated = Engine.open("emulated");
                Engine onednn = Engine.open("onednn");
                Trainer one = new Trainer(network, emulated, config(Precision.FP32, Optimizer.sgd(MOMENTUM), RATE));
                Trainer other =
                        new Trainer(network, onednn, config(Precision.FP32, Optimizer.sgd(MOMENTUM), otherRate))) {
            for (int step = 0; step < steps; step++) {
                TrainingState start = one.state();
                ExactNetwork exact = new ExactNetwork(network, start.tensors(), images(network, step), labels(step));
                exact.gradients.values().forEach(gradient -> sharpness.add(gradient.relative()));
                other.restore(start);
                for (Trainer trainer : List.of(one, other)) {
                    trainer.forwardBackward(images(network, step), labels(step));
                    findings.compare("loss", "of step " + step, new float[] {trainer.loss()}, exact.loss);
                    Map<String, float[]> gradients = trainer.plainGradients();
                    assertEquals(exact.gradients.keySet(), gradients.keySet());
                    gradients.forEach((name, gradient) ->
                            findings.compare("gradient", name, gradient, exact.gradients.get(name)));
                    trainer.update(1);
                    compareUpdate(
                            findings, start.tensors(), exact, trainer.state().tensors());
                }
            }
        }
        double median = sharpness.stream().sorted().toList().get(sharpness.size() / 2);
        assertTrue(median < SHARP, "blunt bounds: " + median);
        return findings;
    }

    /** m = momentum * m + gradient, w = w - rate * m: three roundings and two. */
    private static void compareUpdate(
            Findings findings, Map<String, float[]> before, ExactNetwork exact, Map<String, float[]> after) {
        exact.gradients.forEach((name, gradient) -> {
            float[] w = before.get(name);
            float[] m = before.get(name + ".m");
            Bounded newM = new Bounded(w.length);
            Bounded newW = new Bounded(w.length);
            for (int i = 0; i < w.length; i++) {
                double kept = (double) MOMENTUM * m[i];
                double size = Math.abs(kept) + Math.abs(gradient.value()[i]);
                newM.value()[i] = kept + gradient.value()[i];
                newM.variance()[i] = gradient.variance()[i] + square(3 * U * size);
                newW.value()[i] = w[i] - (double) RATE * newM.value()[i];
                newW.variance()[i] = square(RATE) * newM.variance()[i] + square(2 * U * (Math.abs(w[i]) + RATE * size));
            }
            findings.compare("momentum", name, after.get(name + ".m"), newM);
            findings.compare("weight", name, after.get(name), newW);
        });
    }

    private static double square(double v) {
        return v * v;
    }

    @ParameterizedTest
    @CsvSource({"lenet5, 3", "peer-cnn, 1"})
    void engines_agree(String model, int steps) {
        assertEquals(List.of(), train(model, steps, RATE).texts);
    }

    @Tag("full")
    @ParameterizedTest
    @ValueSource(strings = {"lenet5", "peer-cnn"})
    void engines_agree_over_20_steps(String model) {
        assertEquals(List.of(), train(model, 20, RATE).texts);
    }

    /** Only weights can show it: momentum has not met the rate yet. */
    @Test
    void a_learning_rate_that_is_off_by_a_hundredth_is_seen() {
        assertEquals(Set.of("weight"), train("lenet5", 1, RATE * 1.01f).kinds);
    }

    /** Engines that capture graphs. */
    static Stream<String> engines() {
        return Engines.availableAndLate().stream().filter(name -> {
            try (Engine engine = Engines.open(name)) {
                return engine.capturesGraphs();
            }
        });
    }

    /** Bit for bit after each of {@code steps}, of which two overflow in fp16, and at the end of a training that was resumed half way. */
    private static void replayEqualsSingleSteps(String name, String model, int steps) {
        Network network = Models.get(model);
        TrainerConfig config = config(Precision.FP16, Optimizer.adam(), 0.001f);
        Set<Integer> overflowing = Set.of(steps / 3, 2 * steps / 3);
        int half = steps / 2;
        List<TrainingState> kept = new ArrayList<>();
        try (Engine engine = Engines.open(name);
                Trainer single = new Trainer(network, engine, config);
                Trainer replayed = new Trainer(network, engine, config);
                Trainer resumed = new Trainer(network, engine, config)) {
            single.runEagerly();
            for (int step = 0; step < steps; step++) {
                float[] x = input(network, step, overflowing);
                single.forwardBackward(x, labels(step));
                single.update(1);
                replayed.step(x, labels(step));
                assertEquals(single.loss(), replayed.loss());
                assertEquals(!overflowing.contains(step), replayed.lastStepApplied(), "step " + step);
                TrainingState state = replayed.state();
                assertEqualBits(single.state(), state, name + " after step " + step);
                if (step == half - 1 || step == steps - 1) {
                    kept.add(state);
                }
            }
            resumed.restore(kept.get(0));
            for (int step = half; step < steps; step++) {
                resumed.step(input(network, step, overflowing), labels(step));
            }
            assertEqualBits(resumed.state(), kept.get(1), name + " resumed");
        }
    }

    /** 1e6 is infinite in fp16. */
    private static float[] input(Network network, int step, Set<Integer> overflowing) {
        float[] x = images(network, step);
        x[0] = overflowing.contains(step) ? 1e6f : x[0];
        return x;
    }

    private static void assertEqualBits(TrainingState one, TrainingState other, String where) {
        assertEquals(one.tensors().keySet(), other.tensors().keySet());
        one.tensors()
                .forEach((name, values) ->
                        assertArrayEquals(values, other.tensors().get(name), where + ": " + name));
        Map<String, float[]> none = Map.of();
        assertEquals(
                new TrainingState(none, one.step(), one.updates(), one.lossScale(), one.goodSteps()),
                new TrainingState(none, other.step(), other.updates(), other.lossScale(), other.goodSteps()),
                where);
    }

    @ParameterizedTest
    @MethodSource("engines")
    void replayed_steps_give_the_bits_of_single_ones(String engine) {
        replayEqualsSingleSteps(engine, "lenet5", 9);
    }

    @Tag("full")
    @ParameterizedTest
    @ValueSource(strings = {"lenet5", "peer-cnn"})
    void fifty_replayed_steps_give_the_bits_of_single_ones(String model) {
        engines().forEach(engine -> replayEqualsSingleSteps(engine, model, 50));
    }
}
