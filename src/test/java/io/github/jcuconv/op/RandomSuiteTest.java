package io.github.jcuconv.op;

import io.github.jcuconv.DataType;
import io.github.jcuconv.testing.Engines;
import io.github.jcuconv.testing.RandomShapes;
import io.github.jcuconv.testing.SuiteRun;
import io.github.jcuconv.verify.ShapeLine;
import io.github.jcuconv.verify.VerifyCase;
import io.github.jcuconv.verify.VerifyRun;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/**
 * Every engine on seeded shapes, all passes of each; the types take turns. The full counts are cut into parts that name their range, one method per
 * operation, so that one can be run alone.
 */
class RandomSuiteTest {
    /** They take turns; the last two are for {@link RandomShapes}'s ways to multiply fp32. */
    private static final List<DataType> TYPES =
            List.of(DataType.FP32, DataType.FP16, DataType.BF16, DataType.FP32, DataType.FP32);

    private static final long SEED = 2;
    private static final int PART = 200;
    private static final SuiteRun SUITE = new SuiteRun();

    /** Shapes of an operation. */
    private enum Shapes {
        CONVOLUTIONS("conv2d", 90, 10000),
        TRANSPOSED("conv-transpose2d", 30, 600),
        MAX_POOLS("max-pool2d", 30, 800),
        AVERAGE_POOLS("avg-pool2d", 30, 400),
        LRNS("lrn", 30, 400);

        private final String op;
        private final int smoke;
        private final int full;

        Shapes(String op, int smoke, int full) {
            this.op = op;
            this.smoke = smoke;
            this.full = full;
        }

        List<ShapeLine> draw(int count) {
            return switch (this) {
                case CONVOLUTIONS -> RandomShapes.convolutions(SEED, count);
                case TRANSPOSED -> RandomShapes.transposed(SEED, count);
                case MAX_POOLS -> RandomShapes.maxPools(SEED, count);
                case AVERAGE_POOLS -> RandomShapes.averagePools(SEED, count);
                case LRNS -> RandomShapes.lrns(SEED, count);
            };
        }

        /** Shape number i in type number i mod 5. */
        List<VerifyCase> cases(int begin, int end) {
            List<ShapeLine> lines = draw(end);
            List<VerifyCase> cases = new ArrayList<>();
            for (int i = begin; i < end; i++) {
                DataType type = TYPES.get(i % TYPES.size());
                cases.addAll(VerifyRun.cases(op, lines.subList(i, i + 1), List.of(), type, VerifyRun.Tier.ALL, SEED));
            }
            return cases;
        }
    }

    @TestFactory
    Stream<DynamicTest> someOfEach() {
        return Engines.available().stream().flatMap(engine -> Stream.of(Shapes.values())
                .map(shapes -> SUITE.test(engine, shapes.op + " random", () -> shapes.cases(0, shapes.smoke))));
    }

    @Tag("full")
    @TestFactory
    Stream<DynamicTest> convolutions() {
        return parts(Shapes.CONVOLUTIONS);
    }

    @Tag("full")
    @TestFactory
    Stream<DynamicTest> transposed() {
        return parts(Shapes.TRANSPOSED);
    }

    @Tag("full")
    @TestFactory
    Stream<DynamicTest> pools() {
        return Stream.concat(parts(Shapes.MAX_POOLS), parts(Shapes.AVERAGE_POOLS));
    }

    @Tag("full")
    @TestFactory
    Stream<DynamicTest> lrns() {
        return parts(Shapes.LRNS);
    }

    private static Stream<DynamicTest> parts(Shapes shapes) {
        List<DynamicTest> tests = new ArrayList<>();
        for (String engine : Engines.available()) {
            for (int begin = 0; begin < shapes.full; begin += PART) {
                int first = begin;
                int end = Math.min(first + PART, shapes.full);
                String name = shapes.op + " random " + first + " to " + (end - 1);
                tests.add(SUITE.test(engine, name, () -> shapes.cases(first, end)));
            }
        }
        return tests.stream();
    }

    @AfterAll
    static void report() {
        SUITE.report("random shapes");
    }
}
