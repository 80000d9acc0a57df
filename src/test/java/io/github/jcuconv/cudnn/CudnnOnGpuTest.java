package io.github.jcuconv.cudnn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Engine;
import io.github.jcuconv.testing.GpuTests;
import io.github.jcuconv.testing.ShapeLists;
import io.github.jcuconv.verify.VerifyRun;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The true cuDNN on a GPU, within the bounds that our kernels are held to. */
@Tag(GpuTests.TAG)
class CudnnOnGpuTest {
    @ParameterizedTest
    @EnumSource(
            value = DataType.class,
            names = {"FP32", "FP16", "BF16"})
    void convolutions_are_within_their_bounds(DataType type) {
        Optional<String> reason = new CudnnProvider().unavailable();
        assumeTrue(reason.isEmpty(), () -> reason.orElse(""));
        try (Engine engine = Engine.open("cudnn")) {
            VerifyRun.Report report = VerifyRun.run(
                    engine,
                    VerifyRun.cases("conv2d", ShapeLists.read("conv_basic"), List.of(), type, VerifyRun.Tier.SMOKE, 2),
                    null,
                    result -> {});
            assertEquals(List.of(), report.failures());
            assertTrue(report.passed() > 0);
        }
    }
}
