package io.github.jcuconv.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Disabled;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.platform.launcher.core.LauncherConfig;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** The last line of `mvn verify` counts what happened. */
@EnabledOnOs(OS.LINUX)
class GpuTestsTest {
    @TempDir
    private Path temp;

    @Test
    void no_test_needs_a_gpu() throws Exception {
        assertEquals("GPU tests: 0 not run; last real run " + last(), line());
    }

    @Test
    void aborted_tests_and_classes_count_each_of_their_tests() throws Exception {
        run(OneAborts.class, AllAbort.class, Untagged.class);
        assertEquals("GPU tests: 3 not run (no device); last real run " + last(), line());
    }

    @Test
    void tests_that_ran_are_told_from_those_that_did_not() throws Exception {
        run(OneAborts.class, OneRuns.class);
        String line = line();
        assertTrue(
                line.matches(
                        "GPU tests: 1 run, 2 not run \\(no device\\); this run, for .*: 20\\d\\d-\\d\\d-\\d\\d, .*"),
                line);
    }

    private Path file() {
        return temp.resolve("gpu-tests.txt");
    }

    private void run(Class<?>... classes) {
        LauncherDiscoveryRequestBuilder request = LauncherDiscoveryRequestBuilder.request();
        for (Class<?> type : classes) {
            request.selectors(selectClass(type));
        }
        LauncherConfig config = LauncherConfig.builder()
                .enableTestExecutionListenerAutoRegistration(false)
                .build();
        LauncherFactory.create(config).execute(request.build(), new GpuTests(file()));
    }

    private String line() throws Exception {
        Process process = new ProcessBuilder("bash", "native/gpu_tests.sh", file().toString())
                .redirectErrorStream(true)
                .start();
        process.getOutputStream().close();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), out);
        assertTrue(Files.notExists(file()), "the next run must not count these again");
        return out.strip();
    }

    private static String last() throws IOException {
        Path record = Path.of("benchmarks/results/last-gpu-run.txt");
        return Files.exists(record) ? Files.readAllLines(record).get(0) : "never";
    }

    @Tag(GpuTests.TAG)
    static final class OneAborts {
        @Test
        void needs_a_gpu() {
            assumeTrue(false, "no device");
        }

        @Test
        @Disabled("no device")
        void is_switched_off() {}
    }

    @Tag(GpuTests.TAG)
    static final class AllAbort {
        @BeforeAll
        static void look() {
            assumeTrue(false, "no device");
        }

        @Test
        void is_never_reached() {}
    }

    @Tag(GpuTests.TAG)
    static final class OneRuns {
        @Test
        void finds_a_gpu() {}
    }

    static final class Untagged {
        @Test
        void needs_none() {
            assumeTrue(false, "another reason");
        }
    }
}
