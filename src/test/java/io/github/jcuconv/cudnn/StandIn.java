package io.github.jcuconv.cudnn;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.jcuconv.Engine;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** JVMs of their own in which JCuda finds the stand-in for cuDNN (native/test/cudnn), over memory of the engine {@code emulated}. */
final class StandIn {
    static final Path FOLDER = Path.of(System.getProperty("jcuconv.cudnnStandIn", "target/native/native/test/cudnn"));

    private final Path temp;
    private final Path report;
    private final Map<String, String> environment = new HashMap<>();
    private final List<String> flags = new ArrayList<>();
    private String classPath = System.getProperty("java.class.path");
    private Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    private boolean modules;

    /** Aborts the test where the stand-in or the engine was not built. */
    StandIn(Path temp) {
        boolean emulated = Engine.providers().stream()
                .anyMatch(p -> p.name().equals("emulated") && p.unavailable().isEmpty());
        assumeTrue(
                emulated && Files.exists(FOLDER.resolve("libcudnn.so.9")),
                "not run: the native libraries for tests were not built");
        this.temp = temp;
        this.report = temp.resolve("report");
        environment.put("LD_LIBRARY_PATH", FOLDER.toString());
        environment.put("JCUCONV_EMULATED_ORDER", "eager"); // the stand-in computes at once
        environment.put("XDG_CACHE_HOME", temp.resolve("cache").toString());
        environment.put("CUDNN_STAND_IN_REPORT", report.toString());
        flags.add("-Djcuconv.cudnn.device=emulated");
        flags.add("-Djcuconv.engines=cudnn");
    }

    StandIn with(String variable, String value) {
        environment.put(variable, value);
        return this;
    }

    StandIn flag(String flag) {
        flags.add(flag);
        return this;
    }

    /** Takes an entry off the class path. */
    StandIn without(String jar) {
        List<String> entries = new ArrayList<>(List.of(classPath.split(":")));
        assertTrue(entries.removeIf(entry -> entry.contains(jar)), jar + " is not on the class path");
        classPath = String.join(":", entries);
        return this;
    }

    /** Puts a folder or jar on the class path, before all others. */
    StandIn before(Path entry) {
        classPath = entry + ":" + classPath;
        return this;
    }

    /** Runs another Java, and what is a module of it. */
    StandIn onModulePath(Path otherJava) {
        java = otherJava;
        modules = true;
        return this;
    }

    /** What a process left: its status, what it wrote, and the calls that the stand-in counted. */
    record Result(int status, String out, Map<String, Integer> calls) {}

    Result verify(String... arguments) throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(List.of("verify", "--engine", "cudnn"));
        all.addAll(List.of(arguments));
        return cli(all);
    }

    Result cli(List<String> arguments) throws IOException, InterruptedException {
        return run("io.github.jcuconv.cli.Main", arguments);
    }

    Result run(String main, List<String> arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(java.toString());
        command.addAll(List.of("-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
        if (Runtime.version().feature() >= 23 && !modules) {
            command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow"));
        }
        command.addAll(flags);
        if (modules) {
            String tests = Path.of("test-classes").toString();
            List<String> entries = Stream.of(classPath.split(":"))
                    .filter(entry -> !entry.endsWith(tests))
                    .toList();
            String natives = entries.stream()
                    .filter(e -> e.endsWith("natives"))
                    .findFirst()
                    .orElseThrow();
            String rest = String.join(
                    ":", entries.stream().filter(e -> !e.equals(natives)).toList());
            command.addAll(List.of("-p", rest, "-cp", natives, "--add-modules", "ALL-MODULE-PATH"));
            command.addAll(List.of("-m", "io.github.jcuconv/" + main));
        } else {
            command.addAll(List.of("-cp", classPath, main));
        }
        command.addAll(arguments);
        Files.deleteIfExists(report);
        Path out = temp.resolve("out");
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(out.toFile());
        builder.environment().keySet().removeAll(List.of("JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS"));
        builder.environment().putAll(environment);
        Process process = builder.start();
        assertTrue(process.waitFor(180, TimeUnit.SECONDS), "hangs: " + command);
        Map<String, Integer> calls = new HashMap<>();
        if (Files.exists(report)) {
            for (String line : Files.readAllLines(report)) {
                int space = line.lastIndexOf(' ');
                calls.put(line.substring(0, space), Integer.parseInt(line.substring(space + 1)));
            }
        }
        return new Result(process.exitValue(), Files.readString(out, StandardCharsets.UTF_8), calls);
    }
}
