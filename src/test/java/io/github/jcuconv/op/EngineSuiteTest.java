package io.github.jcuconv.op;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Layout;
import io.github.jcuconv.testing.Engines;
import io.github.jcuconv.testing.LateEngine;
import io.github.jcuconv.testing.ShapeLists;
import io.github.jcuconv.testing.SuiteRun;
import io.github.jcuconv.verify.ShapeLine;
import io.github.jcuconv.verify.VerifyRun;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/** Every engine, every list, every pass and type against the oracle. */
class EngineSuiteTest {
    private static final List<DataType> TYPES = List.of(DataType.FP32, DataType.FP16, DataType.BF16);
    private static final long SEED = 2;
    private static final SuiteRun SUITE = new SuiteRun();
    /** The oracle against itself only shows that layouts, types and memory are handled well: small shapes do. */
    private static final long LARGEST_FOR_REFERENCE = 200_000;
    /** Its kernels are another's; networks have no shape as small as this. */
    private static final long LARGEST_FOR_CUDNN = 60_000;

    /** Kernels run by the CPU are slow; the profile full has the whole lists of networks, and large shapes by the hundred. */
    private static final long LARGEST_IN_SMOKE_EMULATED = 400_000;

    /** Time is the oracle's: in 16 bits the large shapes wait for the profile full. */
    private static final long LARGEST_IN_16_BIT = 400_000;

    private static final String EVERYTHING = "_full";

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
        for (String engine : Engines.availableAndLate()) {
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
        String name =
                String.join(" ", op, list, type.name().toLowerCase(Locale.ROOT)) + (known == null ? "" : " " + known);
        return SUITE.test(
                engine, name, () -> VerifyRun.cases(op, shapes, List.of(), type, VerifyRun.Tier.ALL, SEED).stream()
                        .filter(c -> c.op().multiplyAdds() <= largest(engine, list, type))
                        .map(c -> c.known(known))
                        .toList());
    }

    private static long largest(String engine, String list, DataType type) {
        if (engine.equals("cudnn") && !list.startsWith("conv_networks")) {
            return LARGEST_FOR_CUDNN;
        }
        if (engine.equals("reference") || engine.equals("cudnn") || engine.equals(LateEngine.NAME)) {
            return LARGEST_FOR_REFERENCE;
        }
        if (engine.equals("emulated") && !list.endsWith(EVERYTHING)) {
            return LARGEST_IN_SMOKE_EMULATED;
        }
        return type == DataType.FP32 || list.endsWith(EVERYTHING) ? Long.MAX_VALUE : LARGEST_IN_16_BIT;
    }

    @AfterAll
    static void report() {
        SUITE.report("shape lists");
    }
}
