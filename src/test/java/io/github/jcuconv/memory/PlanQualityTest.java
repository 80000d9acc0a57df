package io.github.jcuconv.memory;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.jcuconv.Engine;
import io.github.jcuconv.models.Models;
import io.github.jcuconv.nn.Network;
import io.github.jcuconv.nn.Optimizer;
import io.github.jcuconv.nn.Precision;
import io.github.jcuconv.nn.Predictor;
import io.github.jcuconv.nn.Recomputation;
import io.github.jcuconv.nn.Schedule;
import io.github.jcuconv.nn.Trainer;
import io.github.jcuconv.nn.TrainerConfig;
import io.github.jcuconv.testing.Engines;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Arenas are hardly larger than what must be alive at once, and planning one takes no time that anybody notices. */
class PlanQualityTest {
    private static final double MOST = 1.05;
    private static final long PLANNING_MILLIS = 50;

    static Stream<Arguments> enginesAndModels() {
        return Engines.available().stream().flatMap(e -> Models.names().stream().map(m -> Arguments.of(e, m)));
    }

    private static TrainerConfig config(int batch, Precision precision) {
        return new TrainerConfig(batch, precision, Optimizer.adam(), new Schedule.Constant(1e-3f), 100, 7);
    }

    /** Counted from the requests alone: the largest sum, over all steps, of the rounded sizes alive at that step. */
    private static long lowerBound(MemoryPlan plan) {
        long most = 0;
        List<MemoryPlan.Request> requests =
                plan.slices().stream().map(MemoryPlan.Slice::request).toList();
        int last = requests.stream().mapToInt(MemoryPlan.Request::last).max().orElse(0);
        for (int step = 0; step <= last; step++) {
            long live = 0;
            for (MemoryPlan.Request r : requests) {
                live += r.first() <= step && step <= r.last() ? (r.bytes() + 255) / 256 * 256 : 0;
            }
            most = Math.max(most, live);
        }
        return most;
    }

    private static void requireTight(String what, MemoryPlan plan) {
        double ratio = (double) plan.arenaBytes() / lowerBound(plan);
        assertTrue(
                ratio >= 1 && ratio <= MOST,
                String.format(Locale.ROOT, "%s: arena is %.4f x the lower bound", what, ratio));
    }

    @ParameterizedTest
    @MethodSource("enginesAndModels")
    void arena_is_within_five_percent_of_the_lower_bound(String engineName, String model) {
        // Its kernels are compiled for each shape: one batch here, all of them in the full run.
        requireTight(engineName, model, engineName.equals("onednn") ? List.of(8) : List.of(1, 8, 64));
    }

    @Tag("full")
    @ParameterizedTest
    @MethodSource("enginesAndModels")
    void arena_is_within_five_percent_of_the_lower_bound_for_every_batch(String engineName, String model) {
        requireTight(engineName, model, List.of(1, 8, 64));
    }

    private static void requireTight(String engineName, String model, List<Integer> batches) {
        Network network = Models.get(model);
        try (Engine engine = Engines.open(engineName)) {
            for (Precision precision : Precision.values()) {
                for (int batch : batches) {
                    String what = model + " on " + engineName + " " + precision + " batch " + batch;
                    TrainerConfig config = config(batch, precision);
                    TrainerConfig again = config.segments(Recomputation.segments(network));
                    requireTight(what + " training", Trainer.predict(network, engine, config));
                    requireTight(what + " recomputation", Trainer.predict(network, engine, again));
                    requireTight(what + " inference", Predictor.predict(network, engine, batch, precision));
                }
            }
        }
    }

    @Test
    void planning_resnet152_takes_less_than_50_milliseconds() {
        try (Engine engine = Engine.open(Engines.available().get(0))) {
            MemoryPlan plan = Trainer.predict(Models.get("resnet152"), engine, config(8, Precision.FP16));
            requireTight("resnet152", plan);
            List<MemoryPlan.Request> requests = new ArrayList<>(
                    plan.slices().stream().map(MemoryPlan.Slice::request).toList());
            long best = Long.MAX_VALUE;
            for (int round = 0; round < 20; round++) {
                long begin = System.nanoTime();
                MemoryPlan.of(requests, b -> b);
                best = Math.min(best, System.nanoTime() - begin);
            }
            System.out.printf(Locale.ROOT, "%d tensors planned in %.1f ms%n", requests.size(), best / 1e6);
            assertTrue(best < PLANNING_MILLIS * 1_000_000, best / 1e6 + " ms for " + requests.size() + " tensors");
        }
    }
}
