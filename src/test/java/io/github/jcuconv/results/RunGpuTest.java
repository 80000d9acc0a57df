package io.github.jcuconv.results;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.jcuconv.Engine;
import io.github.jcuconv.spi.EngineProvider;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * benchmarks/run-gpu on a distribution of its own: its frame with a Java that does what the test says, and its stages with the emulated device
 * in the GPU's place. The folder's name holds a space.
 */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
@Timeout(180)
class RunGpuTest {
    /** Fails at smoke tests, sleeps at the suite, and counts what it is asked for. */
    private static final String JAVA =
            """
            #!/usr/bin/env bash
            [[ $1 != -version ]] || { echo 'openjdk version "17.0.1"' >&2; exit; }
            echo "$*" >>"$CALLS"
            case "$*" in
                *'Main doctor'*) [[ -e $CALLS.none ]] || printf 'engine %s; self-test passed\\n' 'cuda  a GPU' 'cudnn  9' 'onednn  a CPU' ;;
                *SelectedTests*) sleep 60 ;;
                *'verify --engine cuda --op conv2d --dtype'*) [[ -e $CALLS.well ]] || { echo 'one of 2 cases failed'; exit 1; } ;;
                *SeededVerify*) [[ -e $CALLS.lost ]] || { touch "$CALLS.lost"; exit 10; } ;;
            esac
            echo done
            """;

    private static final String LAYERS =
            """
            id,op,name,n,h,w,c,k,r,s,stride,pad_top,pad_bottom,pad_left,pad_right,dilation,groups,p,q
            1,gconv,tiny conv,1,6,6,4,4,3,3,1,1,1,1,1,1,2,6,6
            2,maxpool,tiny pool 3x3/2,1,6,6,2,2,3,3,2,0,0,0,0,1,1,3,3
            """;

    @TempDir
    private Path temp;

    private Path dist;
    private final Map<String, String> environment = new HashMap<>();

    private record Result(int status, String out) {
        /** The table's line of a stage, its seconds left out. */
        String line(String stage) {
            return out.lines()
                    .filter(line -> line.matches(stage + " +(passed|FAILED|too slow|not run) .*"))
                    .map(line -> line.replaceAll("  +\\d+  ", " ").replaceAll(" +", " "))
                    .findFirst()
                    .orElse("none of " + stage + " in " + out);
        }
    }

    @BeforeEach
    void makeDistribution() throws IOException {
        dist = Files.createDirectories(temp.resolve("a dist"));
        Files.createDirectories(dist.resolve("lib"));
        script(dist.resolve("run-gpu"), Files.readString(Path.of("benchmarks/run-gpu")));
        script(dist.resolve("train.py"), Files.readString(Path.of("benchmarks/peers/pytorch/train.py")));
        Files.writeString(dist.resolve("commit"), "abc1234\n");
        Files.writeString(dist.resolve("layers.csv"), LAYERS);
        environment.put("CALLS", temp.resolve("calls").toString());
        environment.put("JAVA_HOME", temp.resolve("jdk").toString());
        script(temp.resolve("jdk/bin/java"), JAVA);
    }

    @Test
    void a_stage_that_fails_or_hangs_stops_no_other_and_what_passed_is_not_run_again() throws Exception {
        Result first = run("--limit", "suite=1", "smoke", "suite", "verify", "conformance");
        assertEquals(1, first.status, first.out);
        assertEquals("doctor passed done", first.line("doctor"));
        assertEquals("smoke FAILED one of 2 cases failed", first.line("smoke"));
        assertTrue(first.line("suite").startsWith("suite too slow"), first.out);
        assertEquals("conformance not run no jcuconv_conformance_cuda in " + dist + "/bin", first.line("conformance"));
        // The first process lost its device.
        assertEquals("verify passed done", first.line("verify"));
        assertEquals(2, calls("SeededVerify cuda,cudnn,onednn 50000 "));
        assertTrue(first.out.contains("commit abc1234, run 20"), first.out);
        assertEquals(
                first.out.substring(first.out.indexOf("run-gpu: ")),
                Files.readString(results("abc1234", "summary.txt")));

        Files.createFile(temp.resolve("calls.well"));
        Result second = run("--limit", "suite=1", "smoke", "verify");
        assertEquals(0, second.status, second.out);
        assertEquals("smoke passed done", second.line("smoke"));
        assertEquals(2, calls("SeededVerify"));
        assertFalse(second.out.contains("== verify"), second.out);

        // Another commit is another run.
        Files.writeString(dist.resolve("commit"), "def5678\n");
        assertTrue(run("verify").out.contains("== verify"));
        assertEquals(3, calls("SeededVerify"));
    }

    @Test
    void where_nothing_can_run_the_status_is_3() throws Exception {
        Result result = run("ptx");
        assertEquals("ptx not run no natives-ptx in " + dist, result.line("ptx"));
        environment.put("JAVA_HOME", System.getProperty("java.home"));
        fill();
        result = run("--against", "emulated", "conformance", "smoke", "verify");
        assumeTrue(result.line("doctor").startsWith("doctor not run"), "this machine has a GPU");
        assertEquals(3, result.status, result.out);
        assertTrue(result.line("smoke").startsWith("smoke not run engine cuda not available: "), result.out);
        assertTrue(result.line("verify").startsWith("verify not run engine cuda not available: "), result.out);
    }

    @Test
    void wrong_use_is_told_in_one_line() throws Exception {
        assertEquals(new Result(2, "run-gpu: --out needs a value\n"), run("--out"));
        assertTrue(run("--limit", "suit=3").out.startsWith("run-gpu: --limit suit=3: give a stage and seconds"));
        assertTrue(run("everything").out.startsWith("run-gpu: everything is unknown; usage: "));
        Files.writeString(dist.resolve("commit"), "abc1234-dirty\n");
        Result dirty = run("doctor");
        assertEquals(2, dirty.status);
        assertTrue(dirty.out.contains("changes that are not committed"), dirty.out);
        Files.delete(dist.resolve("commit"));
        assertTrue(run("doctor").out.startsWith("run-gpu: there is no distribution in " + dist));
    }

    @Test
    void every_stage_runs_on_the_emulated_device() throws Exception {
        EngineProvider emulated = Engine.providers().stream()
                .filter(provider -> provider.name().equals("emulated"))
                .findFirst()
                .orElseThrow();
        assumeTrue(emulated.unavailable().isEmpty(), () -> "engine emulated: " + emulated.unavailable());
        fill();
        Result result = run("--engine", "emulated", "--against", "onednn", "--quick");
        assertEquals(0, result.status, result.out + logs());
        assertEquals("conformance passed all agree", result.line("conformance"));
        assertEquals("smoke passed 11 cases, 0 failed, 0 skipped", result.line("smoke"));
        assertEquals("ptx passed passed with code for compute 75", result.line("ptx"));
        assertEquals("sanitizer passed nothing found by memcheck in 1 shapes", result.line("sanitizer"));
        assertTrue(
                result.line("suite").matches("suite passed tests run: [1-9]\\d*, aborted: \\d+, failed: 0"),
                result.out);
        assertTrue(
                result.line("verify")
                        .matches("verify passed 5 shapes: \\d+ cases on emulated and onednn, 0 deviate, .*"),
                result.line("verify"));
        assertTrue(result.line("torch").startsWith("torch not run "), result.out);

        Path rows = Csv.files(results("abc1234-emulated-quick", "rows/emulated"))
                .get(0)
                .getParent();
        Csv.Run shapes = Csv.newest(rows, "-shapes.csv").orElseThrow();
        assertEquals("abc1234", shapes.commit());
        List<Comparison> compared = Comparison.of(shapes, "onednn");
        assertEquals(
                List.of("tiny conv, fprop", "tiny conv, dgrad", "tiny conv, wgrad", "tiny conv, dbias"),
                compared.stream().map(Comparison::label).limit(4).toList());
        assertTrue(compared.stream().allMatch(Comparison::isCompared), compared.toString());
        assertEquals("grouped", compared.get(0).kind());
        List<Map<String, String>> trained =
                Csv.newest(rows, "-mnist.csv").orElseThrow().rows();
        assertEquals(
                List.of("fp32", "fp16", "bf16"),
                trained.stream().map(row -> row.get("precision")).toList());
        trained.forEach(row -> assertEquals(row.get("predicted_bytes"), row.get("measured_bytes")));
    }

    /** Puts what is under test where -Pdist puts it; the conformance programs and compute-sanitizer are stand-ins. */
    private void fill() throws IOException {
        environment.put("JAVA_HOME", System.getProperty("java.home"));
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            Path path = Path.of(entry);
            if (Files.isRegularFile(path)) {
                Files.createSymbolicLink(dist.resolve("lib").resolve(path.getFileName()), path);
            } else if (Files.isDirectory(path.resolve("io/github/jcuconv/native"))) {
                Files.createSymbolicLink(dist.resolve("natives"), path.toAbsolutePath());
                Files.createDirectories(dist.resolve("natives-ptx"));
                Files.createSymbolicLink(dist.resolve("natives-ptx/75"), path.toAbsolutePath());
            } else if (Files.isDirectory(path.resolve("io/github/jcuconv/results"))) {
                Files.createSymbolicLink(dist.resolve("tests"), path.toAbsolutePath());
            } else if (Files.isDirectory(path.resolve("io/github/jcuconv/spi"))) {
                pack(path, dist.resolve("lib/jcuconv.jar"));
            }
        }
        script(dist.resolve("bin/jcuconv_conformance"), "#!/bin/sh\nmkdir -p \"$1\"\necho '1 dumps of a stand-in'\n");
        script(
                dist.resolve("bin/jcuconv_conformance_compare"),
                "#!/bin/sh\n[ -d \"$1/emulated\" ] && echo 'all agree'\n");
        script(
                temp.resolve("tools/compute-sanitizer"),
                "#!/usr/bin/env bash\n[[ $1 == --tool ]] || exit 9\nwhile [[ $1 != *java ]]; do shift; done\nexec \"$@\"\n");
        environment.put("PATH", temp.resolve("tools") + ":" + System.getenv("PATH"));
    }

    /** The folder is deleted with all that it holds, and these lead out of it. */
    @AfterEach
    void unlink() throws IOException {
        try (Stream<Path> all = Files.walk(dist)) {
            for (Path link : all.filter(Files::isSymbolicLink).toList()) {
                Files.delete(link);
            }
        }
    }

    private static void pack(Path classes, Path jar) throws IOException {
        try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(jar));
                Stream<Path> files = Files.walk(classes)) {
            out.setLevel(0);
            for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
                out.putNextEntry(new ZipEntry(classes.relativize(file).toString()));
                Files.copy(file, (OutputStream) out);
            }
        }
    }

    private Path results(String run, String name) {
        return dist.resolve("results").resolve(run).resolve(name);
    }

    private String logs() throws IOException {
        StringBuilder text = new StringBuilder();
        for (Path file : Csv.files(results("abc1234-emulated-quick", ""))) {
            if (file.toString().endsWith(".log")) {
                text.append("\n== ").append(file.getFileName()).append('\n').append(Files.readString(file));
            }
        }
        return text.toString();
    }

    private long calls(String part) throws IOException {
        try (Stream<String> lines = Files.lines(temp.resolve("calls"))) {
            return lines.filter(line -> line.contains(part)).count();
        }
    }

    private Result run(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(dist.resolve("run-gpu").toString()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().putAll(environment);
        Process process = builder.start();
        process.getOutputStream().close();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Result(process.waitFor(), out);
    }

    private static void script(Path file, String text) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
        assertTrue(file.toFile().setExecutable(true));
    }
}
