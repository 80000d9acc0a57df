package io.github.jcuconv.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.jcuconv.testing.SelectedTests;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Other tests once more, of the engine {@code emulated} and under -Xcheck:jni: the JVM finds nothing to say about the glue. */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
@Timeout(300)
class CheckedJniTest {
    /** Between them they call every native: straight, and through plans, memory, streams, events and graphs. */
    private static final List<String> TESTS = List.of(
            "cuda.NativesTest", "op.LifeCycleTest", "op.StreamTest", "op.StepControlTest", "op.FeatureMatrixTest");

    /** Calls JNI while an exception is pending, which is forbidden. */
    private static final String FORBIDDEN =
            """
            #include <jni.h>
            extern "C" JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM* vm, void*) {
                JNIEnv* env = nullptr;
                vm->GetEnv(reinterpret_cast<void**>(&env), JNI_VERSION_10);
                env->FindClass("no/such/Class");
                env->NewStringUTF("called with an exception pending");
                env->ExceptionClear();
                return JNI_VERSION_10;
            }
            """;

    @TempDir
    private Path temp;

    @Test
    void the_glue_breaks_no_rule_of_jni() throws Exception {
        Emulated.require();
        String out = run(SelectedTests.class, TESTS);
        assertTrue(out.matches("(?s).*tests run: [1-9]\\d+, aborted: \\d+, failed: 0\\R.*"), out);
        assertEquals(List.of(), warnings(out));
    }

    /** Else the test above would pass without -Xcheck:jni. */
    @Test
    void a_broken_rule_would_be_noticed() throws Exception {
        Path source = Files.writeString(temp.resolve("forbidden.cpp"), FORBIDDEN);
        Path include = Path.of(System.getProperty("java.home"), "include");
        assumeTrue(Files.exists(include.resolve("jni.h")), "not run: this Java has no jni.h");
        Path library = temp.resolve("libforbidden.so");
        List<String> compile = List.of(
                "g++",
                "-shared",
                "-fPIC",
                "-I" + include,
                "-I" + include.resolve("linux"),
                source.toString(),
                "-o",
                library.toString());
        try {
            assertEquals(0, new ProcessBuilder(compile).inheritIO().start().waitFor());
        } catch (IOException e) {
            assumeTrue(false, "not run: no g++ to build a library for the test");
        }
        String out = run(Load.class, List.of(library.toString()));
        assertEquals(List.of("WARNING in native method: JNI call made with exception pending"), warnings(out));
    }

    private static List<String> warnings(String out) {
        return out.lines()
                .filter(line -> line.startsWith("WARNING") || line.startsWith("FATAL") || line.startsWith("Warning:"))
                .toList();
    }

    private static String run(Class<?> main, List<String> arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                LoaderSandbox.ownJava().toString(),
                "-Xcheck:jni",
                "-XX:TieredStopAtLevel=1",
                "-Xmx512m",
                "-Djcuconv.engines=emulated"));
        if (Runtime.version().feature() >= 23) {
            command.add("--enable-native-access=ALL-UNNAMED");
            command.add("--sun-misc-unsafe-memory-access=allow");
        }
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
        command.addAll(arguments);
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), out);
        return out;
    }

    /** Loads a library. */
    static final class Load {
        private Load() {}

        public static void main(String[] args) {
            System.load(args[0]);
        }
    }
}
