package io.github.jcuconv.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.jcuconv.Arguments;
import io.github.jcuconv.Dims;
import io.github.jcuconv.Engine;
import io.github.jcuconv.Memory;
import io.github.jcuconv.Plan;
import io.github.jcuconv.Stream;
import io.github.jcuconv.testing.Engines;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Plans, streams and memory on every engine: threads, closing, and arguments that do not fit. */
class LifeCycleTest {
    private static final Conv2d OP =
            Conv2d.of(new Dims(2, 8, 12, 12), 16, Window.of(3, 3)).epilogue(Epilogue.BIAS);
    private static final int THREADS = 8;
    private static final int RUNS = 5;

    static java.util.stream.Stream<String> engines() {
        return Engines.availableAndLate().stream();
    }

    /** All that one execution needs, with the same inputs each time. */
    private static final class Bench implements AutoCloseable {
        final Plan plan;
        final Stream stream;
        final Arguments args = new Arguments();
        final @Nullable Memory workspace;
        private final boolean ownsPlan;

        Bench(Engine engine) {
            this(
                    engine,
                    engine.plan(PlanRequest.of(OP, Pass.FPROP).layouts(engine.propose(OP, Pass.FPROP, Map.of()))),
                    true);
        }

        Bench(Engine engine, Plan plan, boolean ownsPlan) {
            this.plan = plan;
            this.ownsPlan = ownsPlan;
            this.stream = engine.newStream();
            for (ArgSpec spec : OP.arguments(Pass.FPROP)) {
                Memory memory = engine.allocate(plan.request().bytes(spec));
                ByteBuffer numbers =
                        ByteBuffer.allocateDirect((int) memory.bytes()).order(ByteOrder.nativeOrder());
                for (int i = 0; i < memory.bytes() / 4; i++) {
                    numbers.putFloat(i * 4, (i * 31 + spec.arg().ordinal()) % 17 - 8);
                }
                stream.upload(numbers, memory);
                stream.synchronize();
                args.set(spec.arg(), memory);
            }
            this.workspace = plan.workspaceBytes() == 0 ? null : engine.allocate(plan.workspaceBytes());
        }

        byte[] run() {
            plan.execute(args, workspace, stream);
            ByteBuffer y = ByteBuffer.allocateDirect((int) args.get(Arg.Y).bytes());
            stream.download(args.get(Arg.Y), y);
            stream.synchronize();
            byte[] result = new byte[y.capacity()];
            y.get(result);
            return result;
        }

        @Override
        public void close() {
            if (ownsPlan) {
                plan.close();
            }
            stream.close();
            for (ArgSpec spec : OP.arguments(Pass.FPROP)) {
                args.get(spec.arg()).close();
            }
            if (workspace != null) {
                workspace.close();
            }
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void onePlanRunsFromEightThreadsWithTheSameBits(String name) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(THREADS);
        try (Engine engine = Engines.open(name);
                Bench single = new Bench(engine)) {
            byte[] expected = single.run();
            CyclicBarrier together = new CyclicBarrier(THREADS);
            List<Future<List<byte[]>>> results = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                Callable<List<byte[]>> task = () -> {
                    List<byte[]> runs = new ArrayList<>();
                    try (Bench own = new Bench(engine, single.plan, false)) {
                        together.await();
                        for (int run = 0; run < RUNS; run++) {
                            runs.add(own.run());
                        }
                    }
                    return runs;
                };
                results.add(pool.submit(task));
            }
            for (Future<List<byte[]>> result : results) {
                for (byte[] run : result.get()) {
                    assertArrayEquals(expected, run);
                }
            }
        } finally {
            pool.shutdown();
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void closingWhileInUseWaitsAndLaterUseThrows(String name) throws Exception {
        ExecutorService pool = Executors.newSingleThreadExecutor();
        try (Engine engine = Engines.open(name);
                Bench owner = new Bench(engine);
                Bench user = new Bench(engine, owner.plan, false)) {
            CyclicBarrier together = new CyclicBarrier(2);
            Future<Integer> completed = pool.submit(() -> {
                int runs = 0;
                together.await();
                try {
                    while (true) {
                        user.run();
                        runs++;
                    }
                } catch (IllegalStateException e) {
                    assertTrue(String.valueOf(e.getMessage()).contains("is closed"), e.getMessage());
                }
                return runs;
            });
            together.await();
            owner.plan.close();
            assertTrue(completed.get() >= 0);
        } finally {
            pool.shutdown();
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void closeTwiceIsHarmlessAndUseAfterCloseThrows(String name) {
        Engine engine = Engines.open(name);
        Bench bench = new Bench(engine);
        bench.run();
        bench.plan.close();
        bench.plan.close();
        closed(bench::run);
        Bench second = new Bench(engine);
        second.args.get(Arg.X).close();
        second.args.get(Arg.X).close();
        closed(second::run);
        closed(() -> second.args.get(Arg.X).buffer());
        closed(() -> second.stream.fill(second.args.get(Arg.X), (byte) 0));
        Bench third = new Bench(engine);
        third.stream.close();
        third.stream.close();
        closed(third::run);
        Bench fourth = new Bench(engine);
        engine.close();
        engine.close();
        closed(fourth::run);
        closed(() -> engine.allocate(1));
        closed(engine::newStream);
        closed(() -> engine.plan(PlanRequest.of(OP, Pass.FPROP)));
        assertEquals(0, engine.ledger().liveBytes());
    }

    private static void closed(Executable executable) {
        String message = assertThrows(IllegalStateException.class, executable).getMessage();
        assertTrue(String.valueOf(message).contains("is closed"), message);
    }

    @ParameterizedTest
    @MethodSource("engines")
    void argumentsThatDoNotFitAreNamed(String name) {
        try (Engine engine = Engines.open(name);
                Engine other = Engines.open(name);
                Bench bench = new Bench(engine);
                Bench foreign = new Bench(other)) {
            for (ArgSpec spec : OP.arguments(Pass.FPROP)) {
                String arg = spec.arg().toString();
                Memory good = bench.args.get(spec.arg());
                rejected(bench, spec.arg(), good.slice(0, good.bytes() - 4), arg + " of conv2d FPROP", "B needed");
                rejected(bench, spec.arg(), foreign.args.get(spec.arg()), arg + " of conv2d FPROP", "another engine");
                try (Memory larger = engine.allocate(good.bytes() + 16)) {
                    rejected(bench, spec.arg(), larger.slice(2, good.bytes()), arg, "multiple of 4");
                }
            }
            Memory y = bench.args.get(Arg.Y);
            rejected(bench, Arg.Y, bench.args.get(Arg.X), "Y of conv2d FPROP", null);
            try (Memory shared = engine.allocate(y.bytes() * 2)) {
                bench.args.set(Arg.X, shared.slice(4, bench.args.get(Arg.X).bytes()));
                rejected(bench, Arg.Y, shared.slice(0, y.bytes()), "Y of conv2d FPROP", "overlaps X");
            }
        }
    }

    private static void rejected(Bench bench, Arg arg, Memory wrong, String where, @Nullable String rule) {
        Memory good = bench.args.get(arg);
        bench.args.set(arg, wrong);
        String message = String.valueOf(
                assertThrows(IllegalArgumentException.class, bench::run).getMessage());
        bench.args.set(arg, good);
        assertTrue(message.contains(where), message);
        assertTrue(rule == null || message.contains(rule), message);
    }

    @ParameterizedTest
    @MethodSource("engines")
    void missingArgumentsAndForeignStreamsAreNamed(String name) {
        try (Engine engine = Engines.open(name);
                Engine other = Engines.open(name);
                Bench bench = new Bench(engine);
                Stream foreign = other.newStream()) {
            String missing = String.valueOf(assertThrows(
                            IllegalArgumentException.class,
                            () -> bench.plan.execute(new Arguments(), bench.workspace, bench.stream))
                    .getMessage());
            assertTrue(missing.contains("argument X is missing"), missing);
            String stream = String.valueOf(assertThrows(
                            IllegalArgumentException.class,
                            () -> bench.plan.execute(bench.args, bench.workspace, foreign))
                    .getMessage());
            assertTrue(stream.contains("stream"), stream);
            if (bench.workspace != null) {
                String workspace = String.valueOf(assertThrows(
                                IllegalArgumentException.class,
                                () -> bench.plan.execute(bench.args, null, bench.stream))
                        .getMessage());
                assertTrue(workspace.contains("workspace"), workspace);
            }
            bench.run();
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void allocationsAreAlignedCountedAndDoNotOverlap(String name) {
        try (Engine engine = Engines.open(name)) {
            Memory a = engine.allocate(1);
            Memory b = engine.allocate(1000);
            assertEquals(0, a.address() % 256);
            assertEquals(0, b.address() % 256);
            assertTrue(a.address() + 1 <= b.address() || b.address() + 1000 <= a.address());
            assertEquals(
                    engine.allocationBytes(1) + engine.allocationBytes(1000),
                    engine.ledger().liveBytes());
            b.close();
            assertEquals(engine.allocationBytes(1), engine.ledger().liveBytes());
            assertThrows(IllegalArgumentException.class, () -> engine.allocate(0));
            assertThrows(IllegalArgumentException.class, () -> a.slice(0, 2));
            assertThrows(IllegalArgumentException.class, () -> a.slice(-1, 1));
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void callersBuffersAreUsedInPlaceAndOthersRefused(String name) {
        try (Engine engine = Engines.open(name)) {
            ByteBuffer direct = ByteBuffer.allocateDirect(1024).order(ByteOrder.nativeOrder());
            if (!hostSees(engine)) {
                String message = String.valueOf(assertThrows(IllegalArgumentException.class, () -> engine.wrap(direct))
                        .getMessage());
                assertTrue(message.contains("cannot use host memory"), message);
                return;
            }
            Memory wrapped = engine.wrap(direct);
            wrapped.buffer().putInt(8, 77);
            assertEquals(77, direct.getInt(8));
            assertEquals(0, engine.ledger().liveBytes());
            assertThrows(IllegalArgumentException.class, () -> engine.wrap(ByteBuffer.allocate(16)));
            assertThrows(IllegalArgumentException.class, () -> engine.wrap(direct.asReadOnlyBuffer()));
        }
    }

    private static boolean hostSees(Engine engine) {
        try (Memory memory = engine.allocate(1)) {
            memory.buffer();
            return true;
        } catch (UnsupportedOperationException e) {
            return false;
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void equalRequestsShareOnePlanAndClosingOneLeavesTheOther(String name) {
        try (Engine engine = Engines.open(name);
                Bench first = new Bench(engine);
                Bench second = new Bench(engine)) {
            byte[] expected = first.run();
            first.plan.close();
            assertArrayEquals(expected, second.run());
        }
    }

    @Test
    void anUnknownEngineListsTheKnownOnes() {
        String message = String.valueOf(assertThrows(IllegalArgumentException.class, () -> Engine.open("abacus"))
                .getMessage());
        assertTrue(message.contains("engine abacus: unknown") && message.contains("reference"), message);
    }

    @Test
    void accumulateIsOnlyForGradients() {
        assertThrows(IllegalArgumentException.class, () -> PlanRequest.of(OP, Pass.FPROP)
                .accumulate(true));
        assertThrows(IllegalArgumentException.class, () -> PlanRequest.of(OP, Pass.FWD));
        assertThrows(IllegalArgumentException.class, () -> PlanRequest.of(OP, Pass.FPROP)
                .workspaceLimit(-1));
        assertFalse(PlanRequest.of(OP, Pass.DGRAD).accumulate());
    }
}
