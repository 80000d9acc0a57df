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

    /** Exactly one line, which names the log where Maven ran. */
    private void fails(int status, String text, String... arguments) throws Exception {
        Result result = start(arguments);
        List<String> lines =
                result.out.lines().filter(line -> !line.contains(": building")).toList();
        assertEquals(status, result.status, result.out);
        assertEquals(1, lines.size(), result.out);
        assertTrue(lines.get(0).startsWith("jcuconv: ") && lines.get(0).contains(text), result.out);
        if (result.out.contains(": building")) {
            assertTrue(lines.get(0).endsWith(checkout.toRealPath() + "/.jcuconv/build.log"), result.out);
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

    private void version(String version) throws IOException {
        Files.writeString(jdk.resolve("release"), "JAVA_VERSION=\"" + version + "\"" + NL);
    }

    private static void script(Path file, String text) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
        assertTrue(file.toFile().setExecutable(true));
    }
}
