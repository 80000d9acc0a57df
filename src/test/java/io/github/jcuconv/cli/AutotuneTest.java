package io.github.jcuconv.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.jcuconv.cuda.EmulatedProvider;
import io.github.jcuconv.io.Json;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code --autotune}, in processes of their own with a cache of their own. What is fastest on the emulated device means nothing; that it is kept does. */
class AutotuneTest {
    private static final String SHAPE = "n1c4h6w6k8r3s3pt1pb1pl1pr1 small";

    @TempDir
    Path folder;

    private Cli emulated(String... args) throws Exception {
        Optional<String> reason = new EmulatedProvider().unavailable();
        Assumptions.assumeTrue(reason.isEmpty(), () -> "engine emulated: " + reason.orElse(""));
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-XX:TieredStopAtLevel=1", "-cp", System.getProperty("java.class.path")));
        command.add(Main.class.getName());
        command.addAll(List.of(args));
        command.addAll(List.of(
                "--engine",
                "emulated",
                "--autotune",
                "--json",
                folder.resolve("r.json").toString()));
        ProcessBuilder java = new ProcessBuilder(command);
        java.environment().put("XDG_CACHE_HOME", folder.resolve("cache").toString());
        Path out = folder.resolve("out"), err = folder.resolve("err");
        Process process =
                java.redirectOutput(out.toFile()).redirectError(err.toFile()).start();
        assertTrue(process.waitFor(300, TimeUnit.SECONDS), "hangs: " + command);
        return new Cli(process.exitValue(), Files.readString(out), Files.readString(err));
    }

    private static long tried(Cli run) {
        return run.err()
                .lines()
                .filter(line -> line.startsWith("jcuconv: autotune: "))
                .count();
    }

    private Path cache() throws Exception {
        try (var files = Files.list(folder.resolve("cache/jcuconv/tuning"))) {
            List<Path> all = files.toList();
            assertEquals(1, all.size(), all.toString());
            return all.get(0);
        }
    }

    @Test
    void an_operation_is_shown_as_it_was_and_as_tuned() throws Exception {
        Cli first = emulated("bench", "--op", "conv2d", "--shapes", SHAPE).succeeded();
        assertEquals(3, tried(first), first.err());
        List<?> rows = (List<?>) Json.read(folder.resolve("r.json")).get("rows");
        List<Object> engines = rows.stream().map(row -> ((Map<?, ?>) row).get("engine")).toList().stream()
                .map(Object.class::cast)
                .toList();
        assertEquals(8, engines.size());
        assertEquals(4, engines.stream().filter("emulated tuned"::equals).count());
        assertEquals(4, engines.stream().filter("emulated"::equals).count());
        assertEquals(4, Files.readAllLines(cache()).size());
        Cli second = emulated("bench", "--op", "conv2d", "--shapes", SHAPE).succeeded();
        assertEquals(0, tried(second), second.err());
        Files.writeString(cache(), "nonsense");
        Cli third = emulated("bench", "--op", "conv2d", "--shapes", SHAPE).succeeded();
        assertEquals(3, tried(third), third.err());
        assertEquals(
                1, third.err().lines().filter(line -> line.contains("damaged")).count(), third.err());
    }

    @Test
    void a_training_is_tuned_once_and_has_the_same_bits_again() throws Exception {
        String data = "fashion-mnist:" + Cli.idx(folder.resolve("data"), 16, 8);
        String[] train = {"train", "--model", "lenet5", "--data", data, "--batch", "8", "--epochs", "1"};
        Cli first = emulated(train).succeeded();
        assertTrue(tried(first) > 5, first.err());
        Map<?, ?> run = run();
        Map<?, ?> memory = (Map<?, ?>) run.get("memory");
        assertEquals(memory.get("predictedBytes"), memory.get("measuredBytes"));
        Cli second = emulated(train).succeeded();
        assertEquals(0, tried(second), second.err());
        assertEquals(run.get("weightsSha256"), run().get("weightsSha256"));
    }

    private Map<?, ?> run() {
        return (Map<?, ?>) ((List<?>) Json.read(folder.resolve("r.json")).get("runs")).get(0);
    }

    @Test
    void engines_without_choices_refuse_it() {
        String data = "fashion-mnist:" + Cli.idx(folder.resolve("data"), 16, 8);
        String out = folder.resolve("model").toString();
        List<String[]> commands = List.of(
                new String[] {"bench", "--op", "conv2d", "--shapes", SHAPE},
                new String[] {"bench", "--model", "lenet5"},
                new String[] {"train", "--model", "lenet5", "--data", data},
                new String[] {"mnist", "--data", "digits", "--out", out});
        for (String[] command : commands) {
            List<String> args = new ArrayList<>(List.of(command));
            args.addAll(List.of("--engine", "reference", "--autotune"));
            Cli refused = Cli.run(args.toArray(new String[0]));
            refused.failed(Command.USAGE, "autotune: the engine reference leaves nothing to choose");
            assertFalse(refused.out().contains("training"), refused.out());
        }
        assertTrue(Cli.run("bench", "--help").succeeded().out().contains("--engine cuda --autotune"));
        assertTrue(Cli.run("train", "--help").succeeded().out().contains("--engine cuda --autotune"));
    }
}
