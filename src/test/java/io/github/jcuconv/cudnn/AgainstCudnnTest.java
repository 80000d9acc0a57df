package io.github.jcuconv.cudnn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Our kernels beside cuDNN: who deviates is named, and what one of them lacks costs no other row. */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
@Timeout(120)
class AgainstCudnnTest {
    private static final List<String> VERIFY = List.of(
            "verify",
            "--engine",
            "emulated",
            "--against",
            "cudnn",
            "--op",
            "conv2d",
            "--pass",
            "fprop",
            "--shapes",
            "n2c4h6w6k6r3s3u2v3g2");

    @TempDir
    private Path temp;

    @Test
    void verify_names_the_engine_that_deviates() throws Exception {
        StandIn.Result well = new StandIn(temp).cli(VERIFY);
        assertEquals(0, well.status(), well.out());
        assertTrue(well.out().contains("emulated: 0 of 2 cases deviate from the oracle"), well.out());
        assertTrue(well.out().contains("cudnn: 0 of 2 cases deviate from the oracle"), well.out());
        StandIn.Result one =
                new StandIn(temp).with("CUDNN_STAND_IN_BUG", "swaps_strides").cli(VERIFY);
        assertEquals(1, one.status(), one.out());
        assertTrue(one.out().contains("emulated: 0 of 2 cases deviate from the oracle"), one.out());
        assertTrue(one.out().contains("cudnn: 2 of 2 cases deviate from the oracle"), one.out());
    }

    @Test
    void verify_takes_several_others() throws Exception {
        List<String> three = new ArrayList<>(VERIFY);
        three.set(three.indexOf("cudnn"), "cudnn,reference");
        StandIn.Result result =
                new StandIn(temp).with("CUDNN_STAND_IN_BUG", "swaps_strides").cli(three);
        assertEquals(1, result.status(), result.out());
        assertTrue(result.out().contains("emulated: 0 of 2 cases deviate from the oracle"), result.out());
        assertTrue(result.out().contains("cudnn: 2 of 2 cases deviate from the oracle"), result.out());
        assertTrue(result.out().contains("reference: 0 of 2 cases deviate from the oracle"), result.out());
    }

    @Test
    void bench_shows_the_ratio() throws Exception {
        StandIn.Result result = new StandIn(temp)
                .cli(List.of(
                        "bench",
                        "--engine",
                        "emulated",
                        "--against",
                        "cudnn",
                        "--precision",
                        "fp16",
                        "--op",
                        "dense",
                        "--shapes",
                        "n2c8k4"));
        assertEquals(0, result.status(), result.out());
        assertTrue(result.out().matches("(?s).*fprop +cudnn +cudnn gemm_ex mma .*\\d\\.\\d\\d\\R.*"), result.out());
        assertTrue(
                result.out().matches("(?s).*dbias +cudnn +cudnn backward_bias, gradients as stored .*"), result.out());
    }

    @Test
    void bench_does_not_time_what_is_wrong() throws Exception {
        StandIn.Result result = new StandIn(temp)
                .with("CUDNN_STAND_IN_BUG", "swaps_strides")
                .cli(List.of("bench", "--engine", "cudnn", "--op", "conv2d", "--shapes", "n2c4h6w6k6r3s3u2v3g2"));
        assertEquals(1, result.status(), result.out());
        assertTrue(result.out().matches("(?s).*fprop +cudnn +wrong: .*"), result.out());
    }

    @Test
    void bench_says_what_does_not_run() throws Exception {
        StandIn.Result result = new StandIn(temp)
                .cli(List.of("bench", "--engine", "cudnn", "--op", "max-pool2d", "--shapes", "n1c2h8w8r2s2d2e2"));
        assertEquals(0, result.status(), result.out());
        assertTrue(result.out().contains("not run: cuDNN's pooling has no dilation"), result.out());
    }

    /** For timing cuDNN may take what verify has no bound for. */
    @Test
    void transforms_are_timed_when_asked_for_and_not_verified() throws Exception {
        StandIn standIn = new StandIn(temp).flag("-Djcuconv.cudnn.transforms=true");
        StandIn.Result bench =
                standIn.cli(List.of("bench", "--engine", "cudnn", "--op", "conv2d", "--shapes", "n1c2h4w4k2r3s3"));
        assertTrue(bench.out().matches("(?s).*fprop +cudnn +cudnn winograd, not verified .*"), bench.out());
        StandIn.Result verify = standIn.verify("--op", "conv2d", "--shapes", "n1c2h4w4k2r3s3", "--pass", "fprop");
        assertEquals(3, verify.status(), verify.out());
        assertTrue(verify.out().contains("cudnn winograd has no bound"), verify.out());
    }
}
