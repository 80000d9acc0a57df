package io.github.jcuconv.cudnn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.jcuconv.Dims;
import io.github.jcuconv.Engine;
import io.github.jcuconv.Plan;
import io.github.jcuconv.UnsupportedException;
import io.github.jcuconv.op.Conv2d;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.PlanRequest;
import io.github.jcuconv.op.Window;
import io.github.jcuconv.testing.SelectedTests;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The engine {@code cudnn} through JCuda's own classes and natives, with a stand-in where cuDNN would be, against the oracle. */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
@Timeout(300)
class CudnnSuiteTest {
    private static final String SHAPE = "n2c4h9w7k6r3s2u2v1pt1pb1g2";

    @TempDir
    private Path temp;

    @Test
    void every_list_passes_and_every_descriptor_is_destroyed() throws Exception {
        passes("[6-9]\\d", List.of("op.EngineSuiteTest", "op.FeatureMatrixTest", "op.LifeCycleTest", "op.StreamTest"));
    }

    @Tag("full")
    @Test
    void random_shapes_pass() throws Exception {
        passes("5", List.of("op.RandomSuiteTest"));
    }

    private void passes(String count, List<String> tests) throws Exception {
        StandIn.Result result = new StandIn(temp).run(SelectedTests.class.getName(), tests);
        String wanted = "(?s).*\ntests run: " + count + ", aborted: \\d+, failed: 0\n.*";
        assertTrue(result.out().matches(wanted), result.out());
        result.calls().forEach((name, calls) -> {
            String opposite = name.replace("create ", "destroy ").replace("cudnnCreate", "cudnnDestroy");
            assertEquals(calls, result.calls().get(opposite), opposite);
        });
        assertTrue(
                result.calls().getOrDefault("create Convolution", 0) > 100,
                result.calls().toString());
    }

    @Test
    void the_choice_is_measured_once_for_all_processes() throws Exception {
        StandIn standIn = new StandIn(temp);
        StandIn.Result first = standIn.verify("--op", "conv2d", "--shapes", SHAPE, "--pass", "fprop");
        assertEquals(0, first.status(), first.out());
        assertEquals(1, first.calls().get("find forward"));
        StandIn.Result second = standIn.verify("--op", "conv2d", "--shapes", SHAPE, "--pass", "fprop");
        assertEquals(0, second.status(), second.out());
        assertFalse(second.calls().containsKey("find forward"), second.calls().toString());
        assertTrue(second.out().contains("cudnn implicit_precomp_gemm"), second.out());
        // A line that a killed process did not finish, and one of something else, are passed over.
        Path cache;
        try (var files = Files.walk(temp.resolve("cache"))) {
            cache = files.filter(Files::isRegularFile).findFirst().orElseThrow();
        }
        String line = Files.readString(cache);
        Files.writeString(cache, line.substring(0, line.length() / 2) + "\nnonsense\n");
        StandIn.Result third = standIn.verify("--op", "conv2d", "--shapes", SHAPE, "--pass", "fprop");
        assertEquals(0, third.status(), third.out());
        assertEquals(1, third.calls().get("find forward"));
    }

    @Test
    void the_limit_of_the_workspace_chooses_the_algorithm() throws Exception {
        StandIn.Result result = new StandIn(temp).run(Limits.class.getName(), List.of());
        assertEquals(0, result.status(), result.out());
        assertEquals(
                List.of(
                        "FPROP 9223372036854775807: cudnn implicit_precomp_gemm, 512 B",
                        "FPROP 512: cudnn implicit_precomp_gemm, 512 B",
                        "FPROP 511: cudnn implicit_gemm, 0 B",
                        "FPROP 0: cudnn implicit_gemm, 0 B",
                        "DGRAD 256: cudnn algo_1, 256 B",
                        "DGRAD 255: no deterministic algorithm of cuDNN does this in NCHW within 255 B of workspace;"
                                + " it has [algo_0 (0 B), winograd (768 B), algo_1 (192 B)]"),
                result.out().lines().toList());
        assertEquals(2, result.calls().get("find forward") + result.calls().get("find backward data"));
    }

    /** A program that plans one convolution under several limits. */
    static final class Limits {
        private Limits() {}

        public static void main(String[] args) {
            try (Engine engine = Engine.open("cudnn")) {
                Conv2d conv = Conv2d.of(new Dims(1, 2, 6, 6), 3, Window.of(3, 3));
                for (long limit : new long[] {Long.MAX_VALUE, 512, 511, 0}) {
                    show(engine, PlanRequest.of(conv, Pass.FPROP).workspaceLimit(limit));
                }
                show(engine, PlanRequest.of(conv, Pass.DGRAD).workspaceLimit(256));
                show(engine, PlanRequest.of(conv, Pass.DGRAD).workspaceLimit(255));
            }
        }

        private static void show(Engine engine, PlanRequest request) {
            String head = request.pass() + " " + request.workspaceLimit() + ": ";
            try (Plan plan = engine.plan(request)) {
                System.out.println(head + plan.algorithm() + ", " + plan.workspaceBytes() + " B");
            } catch (UnsupportedException e) {
                System.out.println(head + e.rule());
            }
        }
    }

    /** Mistakes in the stand-in are as good as mistakes in what the engine tells it; the shapes keep the size of the output. */
    @ParameterizedTest
    @CsvSource({
        "swaps_strides, conv2d, n2c4h6w6k6r3s3u2v3g2",
        "swaps_padding, conv2d, n2c4h8w8k6r3s3u4v4pt1pb1",
        "ignores_dilation, conv2d, n2c4h8w8k6r2s2u4v4d2e2",
        "ignores_groups, conv2d, n2c4h9w7k6r3s2u2v1pt1pb1g2",
        "reads_output, conv2d, n2c4h9w7k6r3s2u2v1pt1pb1g2",
        "overruns_workspace, conv2d, n2c4h9w7k6r3s2u2v1pt1pb1g2",
        "divides_alpha_twice, lrn, n1c12h4w4size5alpha10000",
        "ignores_compute_type, dense, n8c84k10",
        "leaves_variance_biased, batch-norm, n4c3h5w5",
    })
    void a_planted_bug_is_seen(String bug, String op, String shape) throws Exception {
        StandIn.Result result =
                new StandIn(temp).with("CUDNN_STAND_IN_BUG", bug).verify("--op", op, "--shapes", shape);
        assertEquals(1, result.status(), result.out());
        assertTrue(result.out().contains("failed  cudnn"), result.out());
    }

    @Test
    void a_status_becomes_an_exception_with_the_librarys_own_text() throws Exception {
        String[] arguments = {"--op", "conv2d", "--shapes", SHAPE, "--pass", "fprop"};
        StandIn.Result failed =
                new StandIn(temp).with("CUDNN_STAND_IN_BUG", "fails").verify(arguments);
        assertEquals(1, failed.status(), failed.out());
        assertTrue(
                failed.out()
                        .contains(
                                "DeviceException: engine cudnn failed: convolution forward: STAND_IN_EXECUTION_FAILED"),
                failed.out());
        StandIn.Result refused =
                new StandIn(temp).with("CUDNN_STAND_IN_BUG", "refuses").verify(arguments);
        assertEquals(3, refused.status(), refused.out());
        assertTrue(refused.out().contains("STAND_IN_NOT_SUPPORTED"), refused.out());
    }
}
