package io.github.jcuconv.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.TestExecutionResult.Status;
import org.junit.platform.engine.TestTag;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;

/** Writes down what became of each test with the tag {@code gpu}, for native/gpu_tests.sh, which ends `mvn verify` with their count. */
public final class GpuTests implements TestExecutionListener {
    /** The tag of tests that need a GPU; without one they must abort with the reason, never pass. */
    public static final String TAG = "gpu";

    private final @Nullable Path file;
    private @Nullable TestPlan plan;

    /** As the test run makes it: writes where Maven says, or nothing. */
    public GpuTests() {
        this(System.getProperty("jcuconv.gpuTests") == null ? null : Path.of(System.getProperty("jcuconv.gpuTests")));
    }

    GpuTests(@Nullable Path file) {
        this.file = file;
    }

    @Override
    public void testPlanExecutionStarted(TestPlan started) {
        plan = started;
    }

    @Override
    public void executionSkipped(TestIdentifier test, String reason) {
        write(test, "not run", reason);
    }

    @Override
    public void executionFinished(TestIdentifier test, TestExecutionResult result) {
        if (result.getStatus() == Status.ABORTED) {
            String reason = result.getThrowable().map(Throwable::getMessage).orElse("no reason given");
            write(test, "not run", reason.replace("Assumption failed: ", ""));
        } else if (test.isTest()) {
            write(test, "run", "");
        }
    }

    /** A class that was skipped or aborted stands for its tests, which are not reported then. */
    private void write(TestIdentifier what, String state, String reason) {
        if (file == null) {
            return;
        }
        Stream<TestIdentifier> tests = what.isTest()
                ? Stream.of(what)
                : Objects.requireNonNull(plan).getDescendants(what).stream().filter(TestIdentifier::isTest);
        StringBuilder lines = new StringBuilder();
        tests.filter(test -> test.getTags().contains(TestTag.create(TAG))).forEach(test -> lines.append(state)
                .append('\t')
                .append(reason.replaceAll("\\s+", " "))
                .append('\t')
                .append(test.getUniqueId())
                .append('\n'));
        try {
            Files.writeString(file, lines, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
