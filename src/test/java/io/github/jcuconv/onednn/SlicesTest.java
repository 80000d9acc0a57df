package io.github.jcuconv.onednn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Engine;
import io.github.jcuconv.op.PlanRequest;
import io.github.jcuconv.verify.ShapeLine;
import io.github.jcuconv.verify.VerifyCase;
import io.github.jcuconv.verify.VerifyRun;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Batches whose fp32 copies are too large for the cache are cut, and the results stay right. */
class SlicesTest {
    private static List<VerifyCase> cases(String op, String shape) {
        List<ShapeLine> lines = ShapeLine.parse("SlicesTest", 1, shape).stream().toList();
        return VerifyRun.cases(op, lines, List.of(), DataType.FP16, VerifyRun.Tier.ALL, 2);
    }

    @ParameterizedTest
    @CsvSource({
        "conv2d,n6c24h96w96k16r1s1",
        "conv2d,n4c3h128w128k24r3s3u2v2pt1pb1pl1pr1",
        "max-pool2d,n4c32h96w96r2s2u2v2",
        "avg-pool2d,n4c32h96w96r2s2u2v2"
    })
    void cut_batches_agree_with_the_oracle(String op, String shape) {
        assumeTrue(new OnednnProvider().unavailable().isEmpty(), "not run: oneDNN is not available here");
        List<VerifyCase> cases = cases(op, shape);
        try (OnednnEngine spi = (OnednnEngine) new OnednnProvider().open();
                Engine engine = Engine.of("onednn", spi)) {
            long cut = cases.stream()
                    .filter(c -> Slices.count(spi, PlanRequest.of(c.op(), c.pass())) > 1)
                    .count();
            assertTrue(cut > 0, "no case of " + shape + " is cut");
            VerifyRun.Report report = VerifyRun.run(engine, cases, null, result -> {});
            assertEquals(List.of(), report.failures());
            assertEquals(cases.size(), report.passed());
        }
    }

    @Test
    void batches_that_are_not_copied_stay_whole() {
        assumeTrue(new OnednnProvider().unavailable().isEmpty(), "not run: oneDNN is not available here");
        Optional<ShapeLine> line = ShapeLine.parse("SlicesTest", 1, "n6c24h96w96k16r1s1");
        try (OnednnEngine spi = (OnednnEngine) new OnednnProvider().open()) {
            for (VerifyCase c : VerifyRun.cases(
                    "conv2d", line.stream().toList(), List.of(), DataType.FP32, VerifyRun.Tier.ALL, 2)) {
                assertEquals(1, Slices.count(spi, PlanRequest.of(c.op(), c.pass())));
            }
        }
    }
}
