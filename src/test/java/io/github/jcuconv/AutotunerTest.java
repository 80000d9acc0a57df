package io.github.jcuconv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.jcuconv.cuda.EmulatedProvider;
import io.github.jcuconv.internal.MeasuredCache;
import io.github.jcuconv.models.Models;
import io.github.jcuconv.nn.Optimizer;
import io.github.jcuconv.nn.Precision;
import io.github.jcuconv.nn.Schedule;
import io.github.jcuconv.nn.Trainer;
import io.github.jcuconv.nn.TrainerConfig;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.Conv2d;
import io.github.jcuconv.op.ConvTranspose2d;
import io.github.jcuconv.op.Dense;
import io.github.jcuconv.op.Epilogue;
import io.github.jcuconv.op.MaxPool2d;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Padding;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.Phase;
import io.github.jcuconv.op.PlanRequest;
import io.github.jcuconv.op.Types;
import io.github.jcuconv.op.Window;
import io.github.jcuconv.spi.EngineSpi;
import io.github.jcuconv.spi.PlanSpi;
import io.github.jcuconv.testing.ForwardingEngine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Trial runs on the emulated device, with planted times: no test looks at a clock. */
class AutotunerTest {
    private static final String DEVICE = "a device, version 1";
    private static final double OWN = 1.0;

    @TempDir
    Path folder;

    private EngineSpi spi;
    private Engine scratch;
    private final List<String> heard = new ArrayList<>();
    /** Seconds of a choice; 0 is the engine's own. */
    private final Map<Integer, Double> times = new HashMap<>();

    private final Set<Integer> timed = new TreeSet<>();

    @BeforeEach
    void open() {
        Optional<String> reason = new EmulatedProvider().unavailable();
        Assumptions.assumeTrue(reason.isEmpty(), () -> "engine emulated: " + reason.orElse(""));
        spi = new EmulatedProvider().open();
        scratch = Engine.of("emulated", spi);
    }

    @AfterEach
    void close() {
        if (scratch != null) {
            assertEquals(0, scratch.ledger().liveBytes(), "trial runs keep memory");
            scratch.close();
        }
    }

    /** Runs what it is to time, and gives the planted time; what has none is slow. */
    private double planted(Stream stream, Plan plan, Runnable executions) {
        executions.run();
        stream.synchronize();
        timed.add(plan.request().choice());
        return times.getOrDefault(plan.request().choice(), plan.request().choice() == 0 ? OWN : 2 * OWN);
    }

    private Autotuner tuner() {
        return tuner(DEVICE);
    }

    private Autotuner tuner(String device) {
        MeasuredCache cache = new MeasuredCache(folder, device, heard::add);
        return new Autotuner(scratch, cache, this::planted, heard::add);
    }

    /** Finds what was found before, or fails. */
    private Autotuner reader() {
        MeasuredCache cache = new MeasuredCache(folder, DEVICE, heard::add);
        return new Autotuner(
                scratch,
                cache,
                (stream, plan, executions) -> {
                    throw new AssertionError("timed again");
                },
                heard::add);
    }

    private static Conv2d conv() {
        Window window = Window.of(3, 3).pad(Padding.of(1));
        return Conv2d.of(new Dims(2, 8, 20, 22), 16, window);
    }

    private PlanRequest request(OpDescriptor op, Pass pass) {
        return PlanRequest.of(op, pass).layouts(scratch.propose(op, pass, Map.of()));
    }

    private PlanRequest wgrad() {
        return request(conv(), Pass.WGRAD);
    }

    /** A choice that is not the engine's own. */
    private int another(PlanRequest request) {
        try (Plan own = scratch.plan(request)) {
            for (int choice = own.choices(); choice >= 1; choice--) {
                try (Plan plan = scratch.plan(request.choice(choice))) {
                    if (!plan.algorithm().equals(own.algorithm())) {
                        return choice;
                    }
                }
            }
        }
        throw new AssertionError("nothing to choose");
    }

    private Path file() throws IOException {
        try (var files = Files.list(folder)) {
            List<Path> all = files.toList();
            assertEquals(1, all.size(), all.toString());
            return all.get(0);
        }
    }

    @Test
    void every_choice_of_every_pass_gives_the_same_integers() {
        List<OpDescriptor> ops = List.of(
                conv(),
                conv().epilogue(Epilogue.BIAS.then(Epilogue.Step.RELU)),
                conv().groups(2),
                conv().types(Types.of(DataType.FP16)),
                conv().types(Types.of(DataType.BF16)),
                Conv2d.of(new Dims(2, 8, 6, 5), 12, Window.of(1, 1)),
                ConvTranspose2d.of(new Dims(2, 8, 5, 4), 12, Window.of(3, 3).stride(2, 2)),
                Dense.of(new Dims(5, 24, 1, 1), 12));
        int compared = 0;
        for (OpDescriptor op : ops) {
            for (Pass pass : List.of(Pass.FPROP, Pass.DGRAD, Pass.WGRAD)) {
                for (boolean accumulate : pass == Pass.FPROP ? List.of(false) : List.of(false, true)) {
                    PlanRequest request = request(op, pass).accumulate(accumulate);
                    compared += compareAll(request);
                }
            }
        }
        assertTrue(compared > 150, compared + " choices");
    }

    private int compareAll(PlanRequest request) {
        try (Plan own = scratch.plan(request);
                TrialRuns runs = new TrialRuns(scratch, request)) {
            runs.allocate(1 << 20);
            runs.fill(TrialRuns.Data.INTEGERS);
            List<HostBuffer> expected = runs.result(own);
            for (int choice = 1; choice <= own.choices(); choice++) {
                try (Plan plan = scratch.plan(request.choice(choice))) {
                    assertTrue(runs.gives(expected, plan), request + ": " + plan.algorithm());
                }
            }
            assertFalse(isBlank(expected.get(0)), request + ": nothing but zeros");
            expected.forEach(HostBuffer::close);
            return own.choices();
        }
    }

    private static boolean isBlank(HostBuffer buffer) {
        for (int i = 0; i < buffer.buffer().capacity(); i++) {
            if (buffer.buffer().get(i) != 0) {
                return false;
            }
        }
        return true;
    }

    @Test
    void the_fastest_choice_is_taken_and_kept_for_later_processes() throws IOException {
        PlanRequest request = wgrad();
        int fast = another(request);
        times.put(fast, 0.5 * OWN);
        assertEquals(fast, tuner().choose(request));
        assertTrue(timed.size() > 5 && timed.contains(0), timed + " were timed");
        assertEquals(1, heard.size(), heard.toString());
        assertTrue(heard.get(0).contains("500000.0 µs instead of"), heard.get(0));
        List<String> lines = Files.readAllLines(file());
        assertEquals("measured on " + DEVICE, lines.get(0));
        assertEquals(2, lines.size());
        assertTrue(
                lines.get(1).contains("WGRAD workspace 9223372036854775807 alignment 16\t" + fast + " "), lines.get(1));
        assertEquals(fast, reader().choose(request));
        assertEquals(fast, reader().choose(request(conv().phase(Phase.TRAINING), Pass.WGRAD)));
        // Another problem is added; what is there stays.
        assertEquals(0, tuner().choose(wgrad().workspaceLimit(0)));
        assertEquals(3, Files.readAllLines(file()).size());
        assertEquals(fast, reader().choose(request));
        assertEquals(0, reader().choose(wgrad().workspaceLimit(0)));
    }

    @Test
    void what_is_hardly_faster_leaves_the_engines_own_choice() {
        PlanRequest request = wgrad();
        times.put(another(request), 0.981 * OWN);
        assertEquals(0, tuner().choose(request));
        assertTrue(heard.get(0).contains(" stays, "), heard.get(0));
        assertEquals(0, reader().choose(request));
        times.put(another(request), 0.979 * OWN);
        assertEquals(another(request), tuner("another device").choose(request));
    }

    @Test
    void what_leaves_nothing_to_choose_is_not_timed() {
        MaxPool2d pool = MaxPool2d.of(new Dims(2, 4, 8, 8), Window.of(2, 2).stride(2, 2));
        assertEquals(0, reader().choose(request(pool, Pass.FWD)));
        assertEquals(0, reader().choose(request(conv(), Pass.DBIAS)));
    }

    @Test
    void another_device_or_version_is_measured_anew() {
        PlanRequest request = wgrad();
        times.put(another(request), 0.5 * OWN);
        tuner().choose(request);
        for (String other : List.of("a device, version 2", "b device, version 1", "a device; version 1")) {
            timed.clear();
            assertEquals(another(request), tuner(other).choose(request));
            assertFalse(timed.isEmpty(), other);
        }
        // The last one's file has the same name: it replaced a foreign file, which is heard of.
        assertEquals(1, heard.stream().filter(line -> line.contains("damaged")).count(), heard.toString());
    }

    @Test
    void a_damaged_cache_is_heard_of_once_and_replaced() throws IOException {
        PlanRequest request = wgrad();
        int fast = another(request);
        times.put(fast, 0.5 * OWN);
        tuner().choose(request);
        String whole = Files.readString(file());
        List<String> damages = List.of(
                "",
                "\0\uFFFD",
                whole.substring(0, whole.length() / 2).replace("\t", ""),
                whole + "nonsense\n",
                whole + whole.substring(whole.indexOf('\n') + 1),
                whole.replace("measured", "Measured"));
        for (String damage : damages) {
            Files.writeString(file(), damage);
            heard.clear();
            assertEquals(fast, tuner().choose(request));
            assertEquals(2, heard.size(), heard.toString());
            assertTrue(heard.get(0).contains("damaged or of something else"), heard.get(0));
            assertEquals(whole, Files.readString(file()));
        }
        Files.write(file(), new byte[] {(byte) 0xC3, (byte) 0x28});
        assertEquals(fast, tuner().choose(request));
        assertEquals(whole, Files.readString(file()));
    }

    @Test
    void a_choice_that_is_not_what_it_was_is_measured_again() throws IOException {
        PlanRequest request = wgrad();
        int fast = another(request);
        times.put(fast, 0.5 * OWN);
        tuner().choose(request);
        String whole = Files.readString(file());
        for (String other : List.of("\t" + fast + " another kernel", "\t999 conv2d", "\tx", "\t99999 conv2d")) {
            Files.writeString(file(), whole.replaceAll("\t.*", other));
            timed.clear();
            assertEquals(fast, tuner().choose(request));
            assertFalse(timed.isEmpty(), other);
            assertEquals(whole, Files.readString(file()));
        }
    }

    @Test
    void a_folder_that_cannot_be_written_is_heard_of_once() throws IOException {
        Path inTheWay = folder.resolve("file");
        Files.writeString(inTheWay, "");
        MeasuredCache cache = new MeasuredCache(inTheWay.resolve("below"), DEVICE, heard::add);
        Autotuner tuner = new Autotuner(scratch, cache, this::planted, line -> {});
        tuner.choose(wgrad());
        tuner.choose(wgrad().workspaceLimit(0));
        assertEquals(
                1,
                heard.stream()
                        .filter(line -> line.contains("lost with this process"))
                        .count(),
                heard.toString());
    }

    @Test
    void a_wrong_kernel_never_wins() {
        PlanRequest request = wgrad();
        int wrong = another(request);
        times.put(wrong, 0.1 * OWN);
        scratch.close();
        scratch = Engine.of("emulated", new WrongChoice(spi, wrong));
        assertEquals(0, tuner().choose(request));
        assertFalse(timed.contains(wrong), "timed although it is wrong");
        assertEquals(
                1,
                heard.stream()
                        .filter(line -> line.contains("gives other numbers than"))
                        .count());
    }

    /** One choice forgets the last element of DW. */
    private static final class WrongChoice extends ForwardingEngine {
        private final int wrong;

        WrongChoice(EngineSpi inner, int wrong) {
            super(inner);
            this.wrong = wrong;
        }

        @Override
        public PlanSpi plan(PlanRequest request) {
            PlanSpi right = inner.plan(request);
            return request.choice() != wrong
                    ? right
                    : new PlanSpi() {
                        @Override
                        public long workspaceBytes() {
                            return right.workspaceBytes();
                        }

                        @Override
                        public String algorithm() {
                            return right.algorithm();
                        }

                        @Override
                        public int choices() {
                            return right.choices();
                        }

                        @Override
                        public void execute(Arguments args, @Nullable Memory workspace, long stream) {
                            right.execute(args, workspace, stream);
                            Memory dw = args.get(Arg.DW);
                            Block last = inner.slice(dw.block(), dw.bytes() - 4, 4);
                            inner.fill(last, 4, (byte) 1, stream);
                        }

                        @Override
                        public void close() {
                            right.close();
                        }
                    };
        }
    }

    @Test
    void an_engine_plans_what_was_found_and_counts_no_trial() {
        PlanRequest request = wgrad();
        int fast = another(request);
        times.put(fast, 0.5 * OWN);
        try (Engine engine = Engine.of("emulated", spi)) {
            assertFalse(engine.autotunes());
            engine.autotune(tuner());
            assertTrue(engine.autotunes());
            try (Plan plan = engine.plan(request);
                    Plan asked = scratch.plan(request.choice(fast));
                    Plan own = engine.plan(request.choice(another(request)))) {
                assertEquals(fast, plan.request().choice());
                assertEquals(asked.algorithm(), plan.algorithm());
                assertEquals(asked.workspaceBytes(), plan.workspaceBytes());
                assertEquals(another(request), own.request().choice());
            }
            assertEquals(0, engine.ledger().peakBytes());
        }
    }

    @Test
    void memory_is_predicted_to_the_byte_with_choices_that_take_more_or_less_workspace() {
        for (boolean largest : new boolean[] {false, true}) {
            try (Engine engine = Engine.of("emulated", spi)) {
                MeasuredCache cache = new MeasuredCache(folder.resolve("" + largest), DEVICE, heard::add);
                Autotuner.Timer byWorkspace = (stream, plan, executions) -> Math.max(
                        0.01,
                        1
                                + (largest ? -1e-9 : 1e-9) * plan.workspaceBytes()
                                - plan.request().choice() * 1e-3
                                - (plan.request().choice() > 0 ? 0.5 : 0));
                engine.autotune(new Autotuner(scratch, cache, byWorkspace, heard::add));
                TrainerConfig config = new TrainerConfig(
                        16,
                        Precision.FP32,
                        new Optimizer.SgdOptimizer(0.9f, 0),
                        new Schedule.Constant(0.1f),
                        10,
                        1,
                        1,
                        1);
                var network = Models.get("lenet5");
                long predicted = Trainer.predict(network, engine, config).predictedBytes();
                assertEquals(0, engine.ledger().peakBytes());
                try (Trainer trainer = new Trainer(network, engine, config)) {
                    trainer.step(new float[(int) network.input().withN(16).count()], new int[16]);
                    assertTrue(Float.isFinite(trainer.loss()));
                    assertEquals(predicted, engine.ledger().peakBytes());
                }
            }
        }
        assertTrue(heard.stream().filter(line -> line.contains(" instead of ")).count() > 10, heard.toString());
    }

    @Test
    void numbers_without_a_choice_are_refused_in_one_line() {
        PlanRequest request = wgrad();
        IllegalArgumentException beyond =
                assertThrows(IllegalArgumentException.class, () -> scratch.plan(request.choice(1000)));
        assertTrue(String.valueOf(beyond.getMessage()).contains("choice = 1000: there are 1 to "), beyond.getMessage());
        assertThrows(IllegalArgumentException.class, () -> request.choice(-1));
        MaxPool2d pool = MaxPool2d.of(new Dims(2, 4, 8, 8), Window.of(2, 2).stride(2, 2));
        assertThrows(
                IllegalArgumentException.class,
                () -> scratch.plan(request(pool, Pass.FWD).choice(1)));
        try (Engine reference = Engine.open("reference")) {
            IllegalArgumentException e = assertThrows(
                    IllegalArgumentException.class,
                    () -> reference.plan(PlanRequest.of(conv(), Pass.FPROP).choice(1)));
            assertEquals("choice 1 of conv2d: the engine reference leaves nothing to choose there", e.getMessage());
            assertThrows(IllegalArgumentException.class, () -> reference.autotune(heard::add));
        }
    }
}
