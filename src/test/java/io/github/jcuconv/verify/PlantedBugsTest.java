package io.github.jcuconv.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Engine;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.testing.BuggyControl;
import io.github.jcuconv.testing.BuggyEngine;
import io.github.jcuconv.testing.ShapeLists;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A verifier that lets a planted bug pass is no verifier. */
class PlantedBugsTest {
    private static final String SHAPE = "n2c3h6w6k4r3s3u2v1pt1pb2pl0pr0bias1";

    private static VerifyResult verify(BuggyEngine.Bug bug, VerifyCase.Data data, String shape) {
        ShapeLine line = ShapeFile.parse("test", List.of(shape)).get(0);
        OpDescriptor op = Descriptors.of("conv2d", line, DataType.FP32);
        try (Engine engine = BuggyEngine.open(bug)) {
            return new Verifier(engine).verify(VerifyCase.of(line, op, DataType.FP32, Pass.FPROP, data, 5));
        }
    }

    @Test
    void acceptsTheSameEngineWithoutABug() {
        for (VerifyCase.Data data : VerifyCase.Data.values()) {
            VerifyResult result = verify(BuggyEngine.Bug.NONE, data, SHAPE);
            assertEquals(VerifyResult.Verdict.PASSED, result.verdict(), result.toString());
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void catchesEachBugOnIntegerData(BuggyEngine.Bug bug) {
        VerifyResult result = verify(bug, VerifyCase.Data.EXACT, shapeFor(bug));
        assertEquals(VerifyResult.Verdict.FAILED, result.verdict(), bug.toString());
        assertTrue(result.text().contains(wordFor(bug)), result.text());
        assertTrue(
                result.toString().contains("./jcuconv verify --engine buggy --op conv2d --pass fprop"),
                result.toString());
    }

    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"NONE", "ONE_ULP"})
    void catchesEachBugOnRealData(BuggyEngine.Bug bug) {
        VerifyResult result = verify(bug, VerifyCase.Data.REAL, shapeFor(bug));
        assertEquals(VerifyResult.Verdict.FAILED, result.verdict(), bug.toString());
        assertTrue(result.text().contains(wordFor(bug)), result.text());
    }

    /** The lists of the suite, with its seed and the next one, must show every bug in the numbers of a step. */
    @ParameterizedTest
    @EnumSource(BuggyControl.Bug.class)
    void catchesEachBugInTheNumbersOfAStep(BuggyControl.Bug bug) {
        List<VerifyCase> cases = new ArrayList<>();
        for (String op : List.of("step-control", "sgd", "adam")) {
            for (String list : ShapeLists.BY_OPERATION.get(op)) {
                cases.addAll(
                        VerifyRun.cases(op, ShapeLists.read(list), List.of(), DataType.FP16, VerifyRun.Tier.SMOKE, 2));
            }
        }
        try (Engine engine = BuggyControl.open(bug)) {
            VerifyRun.Report report = VerifyRun.run(engine, cases, null, result -> {});
            assertEquals(bug == BuggyControl.Bug.NONE, report.failures().isEmpty(), bug + " " + report.failures());
        }
    }

    private static String shapeFor(BuggyEngine.Bug bug) {
        // The bug must not change the output's size: 3 pixels to slide over take 2 windows at stride 2 and at stride 3.
        return bug == BuggyEngine.Bug.SWAPPED_STRIDE ? "n2c3h6w6k4r3s3u2v3" : SHAPE;
    }

    private static String wordFor(BuggyEngine.Bug bug) {
        return switch (bug) {
            case WRITES_PAST_END, WRITES_BEFORE_START -> "wrote beside Y";
            case OVERRUNS_WORKSPACE -> "wrote beside the workspace";
            case MODIFIES_INPUT -> "changed its input X";
            case NOT_DETERMINISTIC, DIRTY_WORKSPACE -> "two runs give different bits of Y";
            case THROWS -> "planted";
            default -> "elements wrong";
        };
    }
}
