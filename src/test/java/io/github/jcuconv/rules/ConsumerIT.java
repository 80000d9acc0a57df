package io.github.jcuconv.rules;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.jcuconv.testing.Jdks;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * src/it/consumer, a Maven project with only our jar and oneDNN: built offline in one reactor with the library, then run on the class path and on
 * the module path of each JDK that is installed here.
 */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
class ConsumerIT {
    /**
     * Ones everywhere: the corner of y is 3 channels x 2 x 2; of dx, 16 filters x (12 + 18 + 18 + 27); of dw, 8 images x (900 x 27 + 60 x 18 + 12).
     */
    private static final String EXPECTED = ": y 12 dx 1200 dw 203136";

    private static final Path BUILD = SourceTree.mainClasses().resolveSibling("it");

    private static List<String> jars;

    private record Result(int status, String out) {}

    @BeforeAll
    static void buildConsumer() throws Exception {
        Result maven = run(List.of(
                "mvn",
                "-B",
                "-o",
                "-q",
                "-f",
                "src/it/pom.xml",
                "-P",
                "launcher,!checks",
                "-Dmaven.test.skip=true",
                "-Djcuconv.build=" + BUILD.resolve("jcuconv"),
                "-Dconsumer.build=" + BUILD.resolve("consumer"),
                "package"));
        assertEquals(0, maven.status, maven.out);
        Stream<String> built = Stream.of("jcuconv/jcuconv-0.1.0-SNAPSHOT.jar", "consumer/consumer-1.jar")
                .map(jar -> BUILD.resolve(jar).toString());
        Stream<String> onednn = Arrays.stream(
                        System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry -> entry.contains("bytedeco"));
        jars = Stream.concat(built, onednn).toList();
        assertTrue(jars.size() >= 8, () -> "oneDNN's six jars are missing from the test's class path: " + jars);
    }

    @ParameterizedTest(name = "JDK {0}, {1} path")
    @CsvSource({"17, class", "17, module", "25, class", "25, module"})
    void runs_outside_our_build(int jdk, String path) throws Exception {
        Result result = run(command(jdk, path, jars));
        assertEquals(0, result.status(), result.out());
        // `auto` says first why it passed over the engine cuda, whose natives this program does not have.
        List<String> lines = result.out().lines().toList();
        assertEquals("onednn" + EXPECTED, lines.get(lines.size() - 1), result.out());
        assertTrue(lines.size() == 1 || result.out().contains("engine cuda passed over"), result.out());
    }

    @ParameterizedTest(name = "JDK {0}, {1} path")
    @CsvSource({"17, class", "17, module", "25, class", "25, module"})
    void runs_our_kernels_from_the_jar_with_the_classifier(int jdk, String path) throws Exception {
        Path natives = SourceTree.mainClasses().resolveSibling("jcuconv-0.1.0-SNAPSHOT-linux-x86_64.jar");
        assumeTrue(Files.exists(natives), "not run: the native libraries were not built");
        List<String> all =
                Stream.concat(jars.stream(), Stream.of(natives.toString())).toList();
        List<String> command = new ArrayList<>(command(jdk, path, all));
        command.add("emulated");
        assertEquals(new Result(0, "emulated" + EXPECTED), run(command));
    }

    private static List<String> command(int jdk, String path, List<String> jars) throws IOException {
        Optional<Path> java = Jdks.java(jdk);
        assumeTrue(java.isPresent(), "no JDK " + jdk + " is installed");
        boolean modules = path.equals("module");
        List<String> command = new ArrayList<>(List.of(java.get().toString()));
        if (jdk >= 23) {
            command.add("--enable-native-access="
                    + (modules
                            ? "io.github.jcuconv,org.bytedeco.javacpp,org.bytedeco.dnnl,org.bytedeco.opencl"
                            : "ALL-UNNAMED"));
            // HostMemory frees direct buffers at once.
            command.add("--sun-misc-unsafe-memory-access=allow");
        }
        String joined = String.join(File.pathSeparator, jars);
        command.addAll(
                modules
                        ? List.of("-p", joined, "--add-modules", "ALL-MODULE-PATH", "-m", "consumer/consumer.Consumer")
                        : List.of("-cp", joined, "consumer.Consumer"));
        return command;
    }

    private static Result run(List<String> command) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        Process process = builder.start();
        process.getOutputStream().close();
        String out;
        try (Stream<String> lines = process.inputReader(StandardCharsets.UTF_8).lines()) {
            out = lines.collect(Collectors.joining("\n"));
        }
        return new Result(process.waitFor(), out);
    }
}
