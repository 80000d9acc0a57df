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
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/**
 * Every engine, every list, every pass and type against the oracle. What an engine refuses is counted and logged with its reason, and aborts the test
 * when nothing is left: it never counts as passed.
 */
class EngineSuiteTest {
    private static final List<DataType> TYPES = List.of(DataType.FP32, DataType.FP16, DataType.BF16);
    private static final long SEED = 2;
    private static final System.Logger LOG = System.getLogger(EngineSuiteTest.class.getName());
    /** The oracle against itself only shows that layouts, types and memory are handled well: small shapes do. */
    private static final long LARGEST_FOR_REFERENCE = 200_000;

    /** Time is the oracle's: in 16 bits the large shapes wait for the profile full. */
    private static final long LARGEST_IN_16_BIT = 400_000;

    private static final String EVERYTHING = "_full";
    private static final int SMOKE_SHAPES = 100;
    private static final int FULL_SHAPES = 2000;

    @TestFactory
    Stream<DynamicTest> shapeListsOnProposedLayouts() {
        return lists(null);
    }

    @TestFactory
    Stream<DynamicTest> shapeListsNextToNchw() {
        return smallLists(Layout.Plain.NCHW);
    }

    @TestFactory
    Stream<DynamicTest> shapeListsNextToNhwc() {
        return smallLists(Layout.Plain.NHWC);
    }

    @TestFactory
    Stream<DynamicTest> randomConvolutions() {
        List<ShapeLine> shapes = RandomShapes.convolutions(SEED, SMOKE_SHAPES);
        return Engines.available().stream()
                .map(engine -> test(engine, "conv2d", "random", shapes, DataType.FP32, null));
    }

    @Tag("full")
    @TestFactory
    Stream<DynamicTest> manyRandomConvolutions() {
        List<ShapeLine> shapes = RandomShapes.convolutions(SEED, FULL_SHAPES);
        return Engines.available().stream().flatMap(engine -> TYPES.stream()
                .map(type -> test(engine, "conv2d", "random" + EVERYTHING, shapes, type, null)));
    }

    @Tag("full")
    @TestFactory
    Stream<DynamicTest> networksInEveryType() {
        List<ShapeLine> shapes = ShapeLists.read("conv_networks");
        return Engines.available().stream().flatMap(engine -> TYPES.stream()
                .map(type -> test(engine, "conv2d", "conv_networks" + EVERYTHING, shapes, type, null)));
    }

    @Tag("full")
    @TestFactory
    Stream<DynamicTest> samplesOfLargeShapes() {
        List<ShapeLine> shapes = ShapeLists.read("conv_large");
        return Engines.available().stream()
                .filter(engine -> !engine.equals("reference"))
                .map(engine -> test(engine, "conv2d", "conv_large", shapes, DataType.FP32, null));
    }

    private static Stream<DynamicTest> lists(Layout.Plain known) {
        List<DynamicTest> tests = new ArrayList<>();
        for (String engine : Engines.available()) {
            for (Map.Entry<String, List<String>> entry : new TreeMap<>(ShapeLists.BY_OPERATION).entrySet()) {
                for (String list : entry.getValue()) {
                    for (DataType type : TYPES) {
                        tests.add(test(engine, entry.getKey(), list, ShapeLists.read(list), type, known));
                    }
                }
            }
        }
        return tests.stream();
    }

    /** Layouts of neighbours matter per operation, not per shape: the first list of each is enough. */
    private static Stream<DynamicTest> smallLists(Layout.Plain known) {
        List<DynamicTest> tests = new ArrayList<>();
        for (String engine : Engines.available()) {
            if (engine.equals("reference") && known == Layout.Plain.NCHW) {
                continue; // It proposes nothing else.
            }
            for (Map.Entry<String, List<String>> entry : new TreeMap<>(ShapeLists.BY_OPERATION).entrySet()) {
                String list = entry.getValue().get(0);
                tests.add(test(engine, entry.getKey(), list, ShapeLists.read(list), DataType.FP32, known));
            }
        }
        return tests.stream();
    }

    private static DynamicTest test(
            String engine, String op, String list, List<ShapeLine> shapes, DataType type, Layout.Plain known) {
        String name = String.join(" ", engine, op, list, type.name().toLowerCase(Locale.ROOT))
                + (known == null ? "" : " " + known);
        return DynamicTest.dynamicTest(name, () -> {
            List<VerifyCase> cases = VerifyRun.cases(op, shapes, List.of(), type, VerifyRun.Tier.ALL, SEED).stream()
                    .filter(c -> c.op().multiplyAdds() <= largest(engine, list, type))
                    .map(c -> c.known(known))
                    .toList();
            try (Engine opened = Engine.open(engine)) {
                judge(engine, name, VerifyRun.run(opened, cases, null, result -> {}));
            }
        });
    }

    private static long largest(String engine, String list, DataType type) {
        if (engine.equals("reference")) {
            return LARGEST_FOR_REFERENCE;
        }
        return type == DataType.FP32 || list.endsWith(EVERYTHING) ? Long.MAX_VALUE : LARGEST_IN_16_BIT;
    }

    private static void judge(String engine, String name, VerifyRun.Report report) {
        Summary.ADDED.computeIfAbsent(engine, key -> new Summary()).add(report);
        if (!report.failures().isEmpty()) {
            fail(report.failures().size() + " of " + report.cases() + " cases failed:\n"
                    + report.failures().stream().map(VerifyResult::toString).collect(Collectors.joining("\n")));
        }
        Assumptions.assumeTrue(report.cases() == 0 || report.passed() > 0, name + ": nothing runs here");
    }

    @AfterAll
    static void listWhatDidNotRun() {
        Summary.ADDED.forEach((engine, summary) -> LOG.log(System.Logger.Level.INFO, engine + ": " + summary));
    }

    /** Counts over all tests of one engine. */
    private static final class Summary {
        static final Map<String, Summary> ADDED = new TreeMap<>();
        private int passed;
        private int failed;
        private int notRun;
        private final Map<String, Integer> reasons = new TreeMap<>();

        void add(VerifyRun.Report report) {
            passed += report.passed();
            failed += report.failures().size();
            notRun += report.notRun().size();
            for (VerifyResult result : report.notRun()) {
                VerifyCase c = result.verified();
                reasons.merge(c.op().name() + " " + c.pass() + ": " + result.text(), 1, Integer::sum);
            }
        }

        @Override
        public String toString() {
            StringBuilder text =
                    new StringBuilder(passed + " cases passed, " + failed + " failed, " + notRun + " not run");
            reasons.forEach((reason, count) ->
                    text.append("\n  not run ").append(count).append(" x ").append(reason));
            return text.toString();
        }
    }
}
