package io.github.jcuconv.testing;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.github.jcuconv.Engine;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.verify.VerifyCase;
import io.github.jcuconv.verify.VerifyResult;
import io.github.jcuconv.verify.VerifyRun;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;

/**
 * Verifies cases on engines and counts. What an engine refuses is counted with its reason, and aborts the test when nothing is left: it never counts
 * as passed. A pass that the engine does not refuse, and of which nothing runs all the same, fails.
 */
public final class SuiteRun {
    private static final System.Logger LOG = System.getLogger(SuiteRun.class.getName());
    /** Each ends with the command that runs it again. */
    private static final int SHOWN_FAILURES = 20;

    private final Map<String, Summary> summaries = new TreeMap<>();

    /** A test of these cases, which are made when it runs. */
    public DynamicTest test(String engine, String name, Supplier<List<VerifyCase>> cases) {
        return DynamicTest.dynamicTest(engine + " " + name, () -> {
            List<VerifyCase> all = cases.get();
            assertFalse(all.isEmpty(), "no cases");
            VerifyRun.Report report;
            Map<Pass, Boolean> ran = new EnumMap<>(Pass.class);
            Map<Pass, VerifyResult> promised = new EnumMap<>(Pass.class);
            try (Engine opened = Engines.open(engine)) {
                report = VerifyRun.run(opened, all, null, result -> {
                    VerifyCase c = result.verified();
                    boolean refused = opened.refusal(c.op(), c.pass()).isPresent();
                    ran.merge(c.pass(), result.verdict() != VerifyResult.Verdict.NOT_RUN, Boolean::logicalOr);
                    if (!refused) {
                        promised.put(c.pass(), result);
                    }
                });
            }
            summaries.computeIfAbsent(engine, key -> new Summary()).add(report);
            if (!report.failures().isEmpty()) {
                fail(report.failures().size() + " of " + report.cases() + " cases failed:\n"
                        + report.failures().stream()
                                .limit(SHOWN_FAILURES)
                                .map(VerifyResult::toString)
                                .collect(Collectors.joining("\n")));
            }
            promised.forEach((pass, result) ->
                    assertTrue(ran.getOrDefault(pass, false), "refuses no " + pass + ", but none ran: " + result));
            Assumptions.assumeTrue(report.passed() > 0, engine + " " + name + ": nothing runs");
        });
    }

    /** Logs what ran and what did not. */
    public void report(String suite) {
        summaries.forEach(
                (engine, summary) -> LOG.log(System.Logger.Level.INFO, suite + " on " + engine + ": " + summary));
    }

    /** Counts over all tests of one engine. */
    private static final class Summary {
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
