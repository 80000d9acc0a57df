package io.github.jcuconv.rules;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * The launcher in a checkout of its own, with a Java and a Maven that only record how they were called: no compiler runs, nothing is
 * downloaded. The folder's name holds spaces, so every test is also a test of the quoting.
 */
@EnabledOnOs(OS.LINUX)
class LauncherTest {
    private static final String NL = System.lineSeparator();

    /** Plays `mvn compile jar:jar`: counts its runs, and leaves a jar whose manifest names one library in a folder with a space. */
    private static final String MAVEN =
            """
            #!/usr/bin/env bash
            set -e
            echo run >>mvn-runs
            if [[ -e fail ]]; then cat fail; exit 1; fi
            mkdir -p .jcuconv/build/META-INF
            printf 'Manifest-Version: 1.0\\r\\nClass-Path: %s/a li\\r\\n b.jar\\r\\n\\r\\n' "$PWD" >.jcuconv/build/META-INF/MANIFEST.MF
            : >"a lib.jar"
            : >.jcuconv/build/jcuconv-1.jar
            """;

    private static final String JAVA =
            """
            #!/usr/bin/env bash
            echo "threads=$OMP_NUM_THREADS wait=$OMP_WAIT_POLICY in=$PWD"
            printf '<%s>' "$@"
            exit 7
            """;

    /** Plays native/build.sh: counts its runs with their arguments, and lays out the glue and each library it is asked for. */
    private static final String NATIVE =
            """
            #!/usr/bin/env bash
            set -e
            cd -- "$(dirname -- "$0")/.."
            printf '<%s>' "$@" >>native-runs
            echo >>native-runs
            if [[ -e fail-native ]]; then cat fail-native | tee "$1.log"; exit 1; fi
            folder=$2/io/github/jcuconv/native/linux-x86_64
            rm -rf -- "$2"
            mkdir -p -- "$folder"
            for engine in "${@:5}"; do
                if [[ $engine == cuda && ! -e nvcc ]]; then echo 'Native libraries: not built (no nvcc)'; exit 0; fi
                : >"$folder/libjcuconv_$engine.so"
            done
            """;

    @TempDir
    private Path temp;

    private Path checkout;
    private Path jdk;
    private final Map<String, String> environment = new HashMap<>();

    private record Result(int status, String out) {}

    @BeforeEach
    void makeCheckout() throws IOException {
        checkout = Files.createDirectories(temp.resolve("a check out"));
        Files.copy(Path.of("jcuconv"), checkout.resolve("jcuconv"));
        assertTrue(checkout.resolve("jcuconv").toFile().setExecutable(true));
        Files.createDirectories(checkout.resolve("src/main/java"));
        Files.writeString(checkout.resolve("pom.xml"), "<project/>");
        Files.writeString(checkout.resolve("src/main/java/A.java"), "class A {}");
        Files.createDirectories(checkout.resolve("src/main/java/io/github/jcuconv/cuda"));
        Files.writeString(checkout.resolve("CMakeLists.txt"), "");
        script(checkout.resolve("native/build.sh"), NATIVE);
        Files.writeString(checkout.resolve("native/kernel.cu"), "");

        jdk = temp.resolve("jdk");
        script(jdk.resolve("bin/java"), JAVA);
        script(jdk.resolve("bin/javac"), "");
        // The manifest already lies where `jar xf` would put it.
        script(jdk.resolve("bin/jar"), "#!/bin/sh" + NL);
        version("17.0.1");
        script(temp.resolve("bin/mvn"), MAVEN);
        environment.put("JAVA_HOME", jdk.toString());
        environment.put("PATH", temp.resolve("bin") + ":" + System.getenv("PATH"));
    }

    @Test
    void first_start_builds_and_says_what_it_downloads() throws Exception {
        Result result = start("summary", "two words", "--threads", "3");
        assertEquals(7, result.status, result.out);
        assertTrue(result.out.matches("(?s).*first start: building; Maven downloads .* at most \\d+ MB.*"), result.out);
        assertTrue(result.out.contains("threads=3 wait=passive in=" + temp.toRealPath()), result.out);
        String classPath = checkout.toRealPath() + "/.jcuconv/jcuconv.jar:" + checkout.toRealPath() + "/a lib.jar";
        assertTrue(
                result.out.contains(
                        "<-cp><" + classPath + "><io.github.jcuconv.cli.Main><summary><two words><--threads><3>"),
                result.out);
    }

    @Test
    void second_start_builds_nothing() throws Exception {
        start("doctor");
        Result second = start("doctor");
        assertEquals(1, mavenRuns());
        assertFalse(second.out.contains("building"), second.out);
    }

    @Test
    void changed_added_and_removed_sources_and_lost_libraries_build_again() throws Exception {
        start("doctor");
        Files.writeString(checkout.resolve("src/main/java/A.java"), "class B {}");
        start("doctor");
        assertEquals(2, mavenRuns());
        Files.writeString(checkout.resolve("src/main/java/C.java"), "");
        start("doctor");
        assertEquals(3, mavenRuns());
        Files.delete(checkout.resolve("src/main/java/C.java"));
        start("doctor");
        assertEquals(4, mavenRuns());
        Files.delete(checkout.resolve("a lib.jar"));
        start("doctor");
        assertEquals(5, mavenRuns());
    }

    @Test
    void two_starts_at_once_build_once() throws Exception {
        Process first = process(checkout.resolve("jcuconv"), "one");
        Process second = process(checkout.resolve("jcuconv"), "two");
        assertEquals(7, finish(first).status);
        assertEquals(7, finish(second).status);
        assertEquals(1, mavenRuns());
    }

    @Test
    void a_link_from_elsewhere_works() throws Exception {
        Path link = Files.createSymbolicLink(temp.resolve("jc"), checkout.resolve("jcuconv"));
        assertEquals(7, finish(process(link, "doctor")).status);
    }

    @Test
    void native_access_is_granted_where_java_asks_for_it() throws Exception {
        assertFalse(start("doctor").out.contains("--enable-native-access"));
        version("25.0.1");
        assertTrue(start("doctor").out.contains("<--enable-native-access=ALL-UNNAMED>"));
    }

    @Test
    void missing_tools_are_named_with_their_packages() throws Exception {
        Files.delete(jdk.resolve("bin/javac"));
        fails(1, "apt install openjdk-17-jdk-headless");
        version("11.0.2");
        fails(1, "is Java 11, 17 or newer is needed: apt install");
        environment.put("JAVA_HOME", temp.resolve("nowhere").toString());
        fails(1, "JAVA_HOME is " + temp.resolve("nowhere"));
    }

    @Test
    void threads_must_be_a_number() throws Exception {
        fails(2, "'many'", "train", "--threads", "many");
        fails(2, "'0'", "train", "--threads=0");
        fails(2, "wants a number", "train", "--threads");
        assertEquals(0, mavenRuns());
    }

    @Test
    void failed_builds_name_the_cause_and_the_log_and_leave_nothing() throws Exception {
        Files.writeString(checkout.resolve("fail"), "Could not transfer artifact a:b:jar:1");
        fails(1, "could not download");
        Files.writeString(checkout.resolve("fail"), "COMPILATION ERROR");
        fails(1, "the sources do not compile");
        Files.writeString(checkout.resolve("fail"), "java.io.IOException: No space left on device");
        fails(1, "the disk is full");
        assertFalse(Files.exists(checkout.resolve(".jcuconv/stamp")));
        Files.delete(checkout.resolve("fail"));
        assertEquals(7, start("doctor").status);
    }

    @Test
    void native_part_is_built_for_the_engines_that_need_it_only() throws Exception {
        assertFalse(start("mnist", "--engine", "onednn").out.contains("native"));
        start("mnist");
        start("mnist", "--", "--engine", "emulated");
        assertEquals(List.of(), nativeRuns());

        Result first = start("verify", "--op", "conv2d", "--engine", "emulated");
        assertEquals(7, first.status, first.out);
        String state = checkout.toRealPath() + "/.jcuconv";
        assertEquals(
                List.of("<" + state + "/native><" + state + "/natives><" + state + "/build/jni><" + jdk
                        + "><emulated><-DBUILD_TESTING=OFF>"),
                nativeRuns());
        assertTrue(first.out.contains("building the native part (emulated)"), first.out);
        assertTrue(first.out.contains("built the native part in "), first.out);
        assertTrue(first.out.contains(":" + state + "/natives>"), first.out);

        Result second = start("bench", "--against=emulated");
        assertEquals(1, nativeRuns().size());
        assertTrue(second.out.contains(":" + state + "/natives>"), second.out);
        assertFalse(start("mnist", "--engine", "onednn").out.contains("/natives>"));
    }

    @Test
    void native_part_is_built_again_when_its_sources_or_its_java_side_change() throws Exception {
        start("doctor", "--engine", "emulated");
        Files.writeString(checkout.resolve("src/main/java/A.java"), "class B {}");
        start("doctor", "--engine", "emulated");
        assertEquals(1, nativeRuns().size());
        Files.writeString(checkout.resolve("native/kernel.cu"), "changed");
        start("doctor", "--engine=emulated");
        assertEquals(2, nativeRuns().size());
        Files.writeString(checkout.resolve("src/main/java/io/github/jcuconv/cuda/Natives.java"), "");
        start("doctor", "--engine=emulated");
        assertEquals(3, nativeRuns().size());
    }

    @Test
    void cuda_needs_nvcc_and_is_taken_by_auto_once_it_is_built() throws Exception {
        start("doctor");
        String reason = "not run: engine cuda cannot run here: native libraries: not built (no nvcc)";
        fails(3, reason, "train", "--engine", "cuda");
        fails(3, reason, "verify", "--engine", "cudnn"); // It computes in memory of cuda.
        Files.createFile(checkout.resolve("nvcc"));
        start("doctor", "--engine", "emulated");
        assertFalse(start("doctor").out.contains("/natives>"));
        Result both = start("doctor", "--engine", "cuda");
        assertTrue(both.out.contains("building the native part (cuda emulated)"), both.out);
        assertTrue(start("doctor").out.contains("/natives>"));
        assertTrue(start("doctor", "--engine=auto").out.contains("/natives>"));
        Files.writeString(checkout.resolve("native/kernel.cu"), "changed");
        Result stale = start("doctor");
        assertFalse(stale.out.contains("/natives>"), stale.out);
    }

    @Test
    void failed_native_builds_name_the_log_and_are_tried_again() throws Exception {
        start("doctor");
        Files.writeString(checkout.resolve("fail-native"), "kernel.cu:1: error: expected ';'");
        fails(1, "the native sources do not build; the output: ", "doctor", "--engine", "emulated");
        Files.delete(checkout.resolve("fail-native"));
        assertEquals(7, start("doctor", "--engine", "emulated").status);
        assertEquals(2, nativeRuns().size());
    }

    @Test
    void two_starts_at_once_build_the_native_part_once() throws Exception {
        Process first = process(checkout.resolve("jcuconv"), "one", "--engine", "emulated");
        Process second = process(checkout.resolve("jcuconv"), "two", "--engine", "emulated");
        assertEquals(7, finish(first).status);
        assertEquals(7, finish(second).status);
        assertEquals(1, nativeRuns().size());
    }

    /** Exactly one line, which names the log where Maven ran. */
    private void fails(int status, String text, String... arguments) throws Exception {
        Result result = start(arguments);
        List<String> lines =
                result.out.lines().filter(line -> !line.contains(": building")).toList();
        assertEquals(status, result.status, result.out);
        assertEquals(1, lines.size(), result.out);
        assertTrue(lines.get(0).startsWith("jcuconv: ") && lines.get(0).contains(text), result.out);
        if (result.out.contains(": building") && status == 1) {
            String log = result.out.contains("native") ? "native.log" : "build.log";
            assertTrue(lines.get(0).endsWith(checkout.toRealPath() + "/.jcuconv/" + log), result.out);
        }
    }

    private Result start(String... arguments) throws Exception {
        return finish(process(checkout.resolve("jcuconv"), arguments));
    }

    private Process process(Path launcher, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(launcher.toString()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder =
                new ProcessBuilder(command).directory(temp.toFile()).redirectErrorStream(true);
        builder.environment().remove("OMP_NUM_THREADS");
        builder.environment().putAll(environment);
        return builder.start();
    }

    private static Result finish(Process process) throws Exception {
        process.getOutputStream().close();
        String out = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        assertTrue(process.waitFor(60, TimeUnit.SECONDS), out);
        return new Result(process.exitValue(), out);
    }

    private int mavenRuns() throws IOException {
        Path runs = checkout.resolve("mvn-runs");
        return Files.exists(runs) ? Files.readAllLines(runs).size() : 0;
    }

    /** One entry per run, with its arguments. */
    private List<String> nativeRuns() throws IOException {
        Path runs = checkout.resolve("native-runs");
        return Files.exists(runs) ? Files.readAllLines(runs) : List.of();
    }

    private void version(String version) throws IOException {
        Files.writeString(jdk.resolve("release"), "JAVA_VERSION=\"" + version + "\"" + NL);
    }

    private static void script(Path file, String text) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
        assertTrue(file.toFile().setExecutable(true));
    }
}
