package io.github.jcuconv.memory;

import static io.github.jcuconv.nn.Layer.batchNorm;
import static io.github.jcuconv.nn.Layer.conv;
import static io.github.jcuconv.nn.Layer.dense;
import static io.github.jcuconv.nn.Layer.maxPool;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.jcuconv.Engine;
import io.github.jcuconv.models.Models;
import io.github.jcuconv.nn.Layer;
import io.github.jcuconv.nn.Network;
import io.github.jcuconv.nn.Optimizer;
import io.github.jcuconv.nn.Precision;
import io.github.jcuconv.nn.Predictor;
import io.github.jcuconv.nn.Schedule;
import io.github.jcuconv.nn.Trainer;
import io.github.jcuconv.nn.TrainerConfig;
import io.github.jcuconv.op.Activation;
import io.github.jcuconv.testing.Engines;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Arenas are hardly larger than what must be alive at once, and planning one takes no time that anybody notices. */
public class PlanQualityTest {
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
        Network network = Models.get(model);
        try (Engine engine = Engines.open(engineName)) {
            for (Precision precision : Precision.values()) {
                for (int batch : new int[] {1, 8, 64}) {
                    String what = model + " on " + engineName + " " + precision + " batch " + batch;
                    requireTight(what + " training", Trainer.predict(network, engine, config(batch, precision)));
                    requireTight(what + " inference", Predictor.predict(network, engine, batch, precision));
                }
            }
        }
    }

    /** The layers of ResNet-152, in the order that He et al. give. */
    public static Network bottlenecks(int... blocks) {
        Network.Builder b = Network.input("bottlenecks", 3, 224, 224);
        String from = unit(b, "stem", conv(64, 7).stride(2).pad(3).noBias(), true);
        b.add("pool", maxPool(3, 2).pad(1), from);
        from = "pool";
        for (int stage = 0; stage < blocks.length; stage++) {
            int width = 64 << stage;
            for (int block = 0; block < blocks[stage]; block++) {
                String name = "s" + stage + "b" + block;
                int stride = stage > 0 && block == 0 ? 2 : 1;
                String shortcut = block > 0
                        ? from
                        : unit(b, name + "s", conv(4 * width, 1).stride(stride).noBias(), false, from);
                unit(b, name + "x", conv(width, 1).noBias(), true, from);
                unit(b, name + "y", conv(width, 3).stride(stride).pad(1).noBias(), true);
                String last = unit(b, name + "z", conv(4 * width, 1).noBias(), false);
                b.add(name + " sum", new Layer.Sum(), last, shortcut);
                from = name;
                b.add(name, new Layer.Activate(Activation.Kind.RELU));
            }
        }
        return b.add("gap", new Layer.GlobalAvgPool()).add("fc", dense(1000)).build();
    }

    private static String unit(Network.Builder b, String name, Layer conv, boolean relu, String... from) {
        b.add(name, conv, from).add(name + " bn", batchNorm());
        if (relu) {
            b.add(name + " relu", new Layer.Activate(Activation.Kind.RELU));
        }
        return name + (relu ? " relu" : " bn");
    }

    @Test
    void planning_a_network_of_152_layers_takes_less_than_50_milliseconds() {
        try (Engine engine = Engine.open(Engines.available().get(0))) {
            MemoryPlan plan = Trainer.predict(bottlenecks(3, 8, 36, 3), engine, config(8, Precision.FP16));
            requireTight("152 layers", plan);
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
