package io.github.jcuconv.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.jcuconv.Engine;
import io.github.jcuconv.Memory;
import io.github.jcuconv.OutOfMemoryException;
import io.github.jcuconv.memory.MemoryPlan;
import io.github.jcuconv.models.Models;
import io.github.jcuconv.testing.Engines;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Running out of memory is an answer: what was asked, what there was, what takes most, what would fit; and the process goes on. */
class OutOfMemoryTest {
    private static TrainerConfig config(int batch) {
        return new TrainerConfig(batch, Precision.FP32, Optimizer.adam(), new Schedule.Constant(1e-3f), 100, 7);
    }

    private static long directBufferBytes() {
        return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .filter(pool -> pool.getName().equals("direct"))
                .mapToLong(BufferPoolMXBean::getTotalCapacity)
                .sum();
    }

    private static void step(Trainer trainer, Network network, int batch) {
        trainer.step(new float[(int) network.input().withN(batch).count()], new int[batch]);
        assertTrue(Float.isFinite(trainer.loss()));
    }

    @ParameterizedTest
    @MethodSource("io.github.jcuconv.nn.TrainerTest#engines")
    void a_limit_is_kept_explained_and_survived(String name) {
        Network network = Models.get("lenet5");
        try (Engine engine = Engines.open(name)) {
            MemoryPlan plan = Trainer.predict(network, engine, config(64));
            long small = Trainer.predict(network, engine, config(16)).predictedBytes();
            long limit = plan.predictedBytes() - 1;
            engine.limitMemory(limit);
            long before = directBufferBytes();

            OutOfMemoryException e =
                    assertThrows(OutOfMemoryException.class, () -> new Trainer(network, engine, config(64)));
            assertEquals(plan.predictedBytes(), e.requestedBytes());
            assertEquals(limit, e.availableBytes());
            MemoryPlan.Slice largest = plan.slices().stream()
                    .filter(s -> s.request().first() <= plan.peakStep()
                            && s.request().last() >= plan.peakStep())
                    .max(Comparator.comparingLong(MemoryPlan.Slice::reserved))
                    .orElseThrow();
            assertEquals(
                    new OutOfMemoryException.Consumer(largest.request().name(), largest.reserved()),
                    e.largestConsumers().get(0));
            assertTrue(e.advice().contains("--micro-batches"), e.advice());
            assertTrue(e.getMessage().contains(largest.request().name()), e.getMessage());
            assertEquals(0, engine.ledger().liveBytes(), "all is released");
            assertEquals(before, directBufferBytes(), "all is released");

            try (Trainer trainer = new Trainer(network, engine, config(16))) {
                step(trainer, network, 16);
                assertEquals(small, engine.ledger().liveBytes());
                OutOfMemoryException second =
                        assertThrows(OutOfMemoryException.class, () -> new Trainer(network, engine, config(64)));
                assertEquals(limit - small, second.availableBytes(), "what is held counts");
                step(trainer, network, 16);
            }
            engine.limitMemory(plan.predictedBytes());
            try (Trainer trainer = new Trainer(network, engine, config(64))) {
                step(trainer, network, 64);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("io.github.jcuconv.nn.TrainerTest#engines")
    void inference_keeps_the_limit_too(String name) {
        Network network = Models.get("lenet5");
        try (Engine engine = Engines.open(name);
                Trainer trainer = new Trainer(network, engine, config(1))) {
            long held = engine.ledger().liveBytes();
            long needed = Predictor.predict(network, engine, 64, Precision.FP32).predictedBytes();
            engine.limitMemory(held + needed - 1);
            Map<String, float[]> weights = trainer.parameters();
            OutOfMemoryException e = assertThrows(
                    OutOfMemoryException.class, () -> new Predictor(network, engine, 64, Precision.FP32, weights));
            assertEquals(needed, e.requestedBytes());
            assertEquals(needed - 1, e.availableBytes());
            assertFalse(e.largestConsumers().isEmpty());
            assertEquals(held, engine.ledger().liveBytes());
            new Predictor(network, engine, 32, Precision.FP32, weights).close();
        }
    }

    @Test
    void an_allocation_beyond_the_limit_names_what_is_held() {
        try (Engine engine = Engine.open("reference")) {
            long taken = engine.allocationBytes(1000);
            engine.limitMemory(taken + engine.allocationBytes(500));
            Memory held = engine.allocate(1000);
            OutOfMemoryException e = assertThrows(OutOfMemoryException.class, () -> engine.allocate(501));
            assertEquals(taken, e.largestConsumers().get(0).bytes());
            engine.allocate(500).close();
            held.close();
            engine.allocate(501).close();
            assertThrows(IllegalArgumentException.class, () -> engine.limitMemory(0));
        }
    }

    @ParameterizedTest
    @MethodSource("io.github.jcuconv.nn.TrainerTest#engines")
    void what_fits_by_itself_fits_and_costs_no_accuracy(String name) {
        for (Network network : new Network[] {Models.get("lenet5"), RecomputationTest.residual()}) {
            try (Engine engine = Engines.open(name)) {
                Remedies remedies = new Remedies(network, engine, config(8));
                long plain = Trainer.predict(network, engine, config(8)).predictedBytes();
                assertEquals("", remedies.fit(plain).change());
                Remedies.Fit fit = remedies.fit(plain - 1);
                assertFalse(fit.change().isEmpty());
                boolean normalizes = network.name().equals("residual");
                assertEquals(normalizes ? 1 : 2, fit.config().microBatches(), "batch norm must see whole batches");
                assertEquals(8, fit.config().batch());
                engine.limitMemory(plain - 1);
                try (Trainer trainer = new Trainer(network, engine, fit.config())) {
                    step(trainer, network, 8);
                }
                OutOfMemoryException e = assertThrows(OutOfMemoryException.class, () -> remedies.fit(1000));
                assertEquals(1000, e.availableBytes());
                assertEquals(plain, e.requestedBytes());
            }
        }
    }

    @ParameterizedTest
    @MethodSource("io.github.jcuconv.nn.TrainerTest#engines")
    void remedies_save_what_they_say(String name) {
        Network network = Models.get("mnist-cnn");
        try (Engine engine = Engines.open(name)) {
            long plain = Trainer.predict(network, engine, config(32)).predictedBytes();
            Remedies remedies = new Remedies(network, engine, config(32));
            for (Remedies.Remedy r : remedies.all(plain / 4 * 3)) {
                assertEquals(plain, r.peakBytes() + r.savedBytes(), r.change());
                assertTrue(r.savedBytes() > 0 && !r.cost().isEmpty(), r.change());
            }
            for (String wanted : new String[] {
                "--micro-batches", "--batch", "--precision fp16", "2 devices", "stride 2 in ", "without "
            }) {
                assertTrue(
                        remedies.all(plain / 4 * 3).stream()
                                .anyMatch(r -> r.change().startsWith(wanted)),
                        wanted);
            }
            int largest = remedies.largestBatch(plain);
            assertTrue(Trainer.predict(network, engine, config(largest)).predictedBytes() <= plain);
            assertTrue(Trainer.predict(network, engine, config(largest + 1)).predictedBytes() > plain);
            assertEquals(0, remedies.largestBatch(1000));
        }
    }

    /** A JVM with little heap or little direct memory meets a batch, or a layer, that is too large, and then trains another. */
    static final class TightJvm {
        public static void main(String[] args) {
            Network network = args[0].equals("wide") ? wide() : Models.get(args[0]);
            try (Engine engine = Engine.open("reference")) {
                for (int batch : new int[] {Integer.parseInt(args[1]), 1}) {
                    Network trained = batch == 1 ? Models.get("lenet5") : network;
                    try (Trainer trainer = new Trainer(trained, engine, config(batch))) {
                        step(trainer, trained, batch);
                        System.out.println("trained " + batch);
                    } catch (OutOfMemoryException e) {
                        System.out.println((e.availableBytes() >= 0) + " "
                                + engine.ledger().liveBytes() + " " + e.getMessage());
                    }
                }
            }
        }
    }

    /** Its weights are 80 MB. */
    private static Network wide() {
        return Network.input("wide", 1, 1, 5000).add("fc", Layer.dense(4000)).build();
    }

    /** What the JVM's program says, without the warnings of newer JVMs. */
    private static String run(String heap, String direct, String... args) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx" + heap,
                "-XX:MaxDirectMemorySize=" + direct,
                "-cp",
                System.getProperty("java.class.path"),
                TightJvm.class.getName());
        builder.command().addAll(java.util.List.of(args));
        Process process = builder.redirectErrorStream(true).start();
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                .lines()
                .filter(line -> !line.startsWith("WARNING: "))
                .collect(Collectors.joining("\n"));
    }

    @Test
    void a_jvm_without_direct_memory_answers_and_goes_on() throws IOException {
        String said = run("256m", "8m", "lenet5", "256");
        assertTrue(said.startsWith("true 0 out of memory: "), said);
        assertTrue(said.contains("-XX:MaxDirectMemorySize"), said);
        assertTrue(said.contains("trained 1"), said);
    }

    @Test
    void a_jvm_without_heap_answers_and_goes_on() throws IOException {
        // Initial weights pass through an array of 80 MB.
        String said = run("48m", "500m", "wide", "2");
        assertTrue(said.startsWith("true 0 out of memory: 80000000 B requested"), said);
        assertTrue(said.contains("-Xmx"), said);
        assertTrue(said.contains("trained 1"), said);
    }
}
