package io.github.jcuconv.op;

import static org.junit.jupiter.api.Assertions.fail;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Engine;
import io.github.jcuconv.Layout;
import io.github.jcuconv.testing.Engines;
import io.github.jcuconv.testing.RandomShapes;
import io.github.jcuconv.testing.ShapeLists;
import io.github.jcuconv.verify.ShapeLine;
import io.github.jcuconv.verify.VerifyCase;
import io.github.jcuconv.verify.VerifyResult;
import io.github.jcuconv.verify.VerifyRun;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestReporter;

/**
 * Every engine, every list, every pass and type against the oracle. What an engine refuses is reported by its reason and aborts the test when
 * nothing is left: it never counts as passed.
 */
class EngineSuiteTest {
    private static final List<DataType> TYPES = List.of(DataType.FP32, DataType.FP16, DataType.BF16);
    private static final long SEED = 2;
    private static final int SMOKE_SHAPES = 100;
    private static final int FULL_SHAPES = 2000;

    @TestFactory
    Stream<DynamicTest> shapeListsOnProposedLayouts(TestReporter reporter) {
        return lists(reporter, null);
    }

    @TestFactory
    Stream<DynamicTest> shapeListsNextToNchw(TestReporter reporter) {
        return smallLists(reporter, Layout.Plain.NCHW);
    }

    @TestFactory
    Stream<DynamicTest> shapeListsNextToNhwc(TestReporter reporter) {
        return smallLists(reporter, Layout.Plain.NHWC);
    }

    @TestFactory
    Stream<DynamicTest> randomConvolutions(TestReporter reporter) {
        List<ShapeLine> shapes = RandomShapes.convolutions(SEED, SMOKE_SHAPES);
        return Engines.available().stream()
                .map(engine -> test(engine, "conv2d", "random", shapes, DataType.FP32, null, reporter));
    }

    @Tag("full")
    @TestFactory
    Stream<DynamicTest> manyRandomConvolutions(TestReporter reporter) {
        List<ShapeLine> shapes = RandomShapes.convolutions(SEED, FULL_SHAPES);
        return Engines.available().stream().flatMap(engine -> TYPES.stream()
                .map(type -> test(engine, "conv2d", "random_full", shapes, type, null, reporter)));
    }

    @Tag("full")
    @TestFactory
    Stream<DynamicTest> samplesOfLargeShapes(TestReporter reporter) {
        List<ShapeLine> shapes = ShapeLists.read("conv_large");
        return Engines.available().stream()
                .filter(engine -> !engine.equals("reference"))
                .map(engine -> test(engine, "conv2d", "conv_large", shapes, DataType.FP32, null, reporter));
    }

    private static Stream<DynamicTest> lists(TestReporter reporter, Layout.Plain known) {
        List<DynamicTest> tests = new ArrayList<>();
        for (String engine : Engines.available()) {
            for (Map.Entry<String, List<String>> entry : new TreeMap<>(ShapeLists.BY_OPERATION).entrySet()) {
                for (String list : entry.getValue()) {
                    for (DataType type : TYPES) {
                        tests.add(test(engine, entry.getKey(), list, ShapeLists.read(list), type, known, reporter));
                    }
                }
            }
        }
        return tests.stream();
    }

    /** Layouts of neighbours matter per operation, not per shape: the first list of each is enough. */
    private static Stream<DynamicTest> smallLists(TestReporter reporter, Layout.Plain known) {
        List<DynamicTest> tests = new ArrayList<>();
        for (String engine : Engines.available()) {
            for (Map.Entry<String, List<String>> entry : new TreeMap<>(ShapeLists.BY_OPERATION).entrySet()) {
                String list = entry.getValue().get(0);
                tests.add(test(engine, entry.getKey(), list, ShapeLists.read(list), DataType.FP32, known, reporter));
            }
        }
        return tests.stream();
    }

    private static DynamicTest test(
            String engine,
            String op,
            String list,
            List<ShapeLine> shapes,
            DataType type,
            Layout.Plain known,
            TestReporter reporter) {
        String name = String.join(" ", engine, op, list, type.name().toLowerCase(Locale.ROOT))
                + (known == null ? "" : " " + known);
        return DynamicTest.dynamicTest(name, () -> {
            VerifyRun.Tier tier = engine.equals("reference") ? VerifyRun.Tier.SMOKE : VerifyRun.Tier.ALL;
            List<VerifyCase> cases = VerifyRun.cases(op, shapes, List.of(), type, tier, SEED).stream()
                    .map(c -> c.known(known))
                    .toList();
            try (Engine opened = Engine.open(engine)) {
                judge(name, VerifyRun.run(opened, cases, null, result -> {}), reporter);
            }
        });
    }

    private static void judge(String name, VerifyRun.Report report, TestReporter reporter) {
        if (!report.failures().isEmpty()) {
            fail(report.failures().size() + " of " + report.cases() + " cases failed:\n"
                    + report.failures().stream().map(VerifyResult::toString).collect(Collectors.joining("\n")));
        }
        if (!report.notRun().isEmpty()) {
            Map<String, Long> reasons = report.notRun().stream()
                    .collect(Collectors.groupingBy(
                            r -> r.verified().pass() + ": " + r.text(), TreeMap::new, Collectors.counting()));
            reporter.publishEntry(name, report.notRun().size() + " of " + report.cases() + " not run: " + reasons);
        }
        Assumptions.assumeTrue(report.cases() == 0 || report.passed() > 0, name + ": nothing runs here");
    }
}
