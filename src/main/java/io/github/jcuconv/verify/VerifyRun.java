package io.github.jcuconv.verify;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Engine;
import io.github.jcuconv.op.BatchNorm;
import io.github.jcuconv.op.Lrn;
import io.github.jcuconv.op.MaxPool2d;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.Phase;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Verifies a whole shape list: what the command {@code verify} does. */
public final class VerifyRun {
    /** How much of a list is run. */
    public enum Tier {
        /** Shapes of at most 4 million multiply-adds. */
        SMOKE(4_000_000L),
        /** Shapes of at most 2 GFLOP, compared element by element. */
        CI(1_000_000_000L),
        /** Every shape; larger ones are sampled. */
        ALL(Long.MAX_VALUE);

        private final long limit;

        Tier(long limit) {
            this.limit = limit;
        }

        /** Whether a shape of so many multiply-adds is in this tier. */
        boolean takes(long multiplyAdds) {
            return multiplyAdds <= limit;
        }
    }

    /**
     * How it went.
     *
     * @param cases cases in all
     * @param failures those that failed
     * @param notRun those that the engine refused
     */
    public record Report(int cases, List<VerifyResult> failures, List<VerifyResult> notRun) {
        /** Copies the lists. */
        public Report {
            failures = List.copyOf(failures);
            notRun = List.copyOf(notRun);
        }

        /** Cases that passed. */
        public int passed() {
            return cases - failures.size() - notRun.size();
        }
    }

    private VerifyRun() {}

    /**
     * The cases of some lines: each pass on integer data where that is exact, and on real data; gradients also added to what is there;
     * operations with a branch on data run on both of its sides.
     *
     * @param op operation's name
     * @param lines shapes
     * @param passes passes to run; empty for all that the operation has
     * @param storage storage type
     * @param tier how much of the list
     * @param seed of the data
     * @throws IllegalArgumentException naming file and line, if a shape is impossible
     */
    public static List<VerifyCase> cases(
            String op, List<ShapeLine> lines, List<Pass> passes, DataType storage, Tier tier, long seed) {
        List<VerifyCase> cases = new ArrayList<>();
        for (ShapeLine line : lines) {
            OpDescriptor descriptor = Descriptors.of(op, line, storage);
            if (!tier.takes(descriptor.multiplyAdds())) {
                continue;
            }
            for (Pass pass : descriptor.passes()) {
                if (passes.isEmpty() ? hasPass(descriptor, pass) : passes.contains(pass)) {
                    add(cases, line, descriptor, storage, pass, seed);
                }
            }
        }
        return cases;
    }

    private static void add(
            List<VerifyCase> cases, ShapeLine line, OpDescriptor op, DataType storage, Pass pass, long seed) {
        VerifyCase real = VerifyCase.of(line, op, storage, pass, VerifyCase.Data.REAL, seed);
        if (Bounds.canBeExact(op, pass)) {
            VerifyCase exact = VerifyCase.of(line, op, storage, pass, VerifyCase.Data.EXACT, seed);
            cases.add(exact);
            if (pass == Pass.DGRAD || pass == Pass.WGRAD || pass == Pass.DBIAS) {
                cases.add(exact.accumulate(true));
            }
        }
        cases.add(real);
        if (Inputs.dependOnParity(op)) {
            cases.add(real.seed(seed + 1));
        }
    }

    /** Inference keeps nothing that a backward pass could use. */
    private static boolean hasPass(OpDescriptor op, Pass pass) {
        boolean inference = op instanceof MaxPool2d m && m.phase() == Phase.INFERENCE
                || op instanceof Lrn l && l.phase() == Phase.INFERENCE
                || op instanceof BatchNorm b && b.phase() == Phase.INFERENCE;
        return !(inference && pass == Pass.BWD);
    }

    /**
     * Runs cases.
     *
     * @param dump takes the tensors, null for none
     * @param progress told each result as it comes
     */
    public static Report run(
            Engine engine, List<VerifyCase> cases, @Nullable TensorDump dump, Consumer<VerifyResult> progress) {
        Verifier verifier = new Verifier(engine, dump);
        List<VerifyResult> failures = new ArrayList<>();
        List<VerifyResult> notRun = new ArrayList<>();
        for (VerifyCase c : cases) {
            VerifyResult result = verifier.verify(c);
            progress.accept(result);
            switch (result.verdict()) {
                case FAILED -> failures.add(result);
                case NOT_RUN -> notRun.add(result);
                case PASSED -> {}
            }
        }
        return new Report(cases.size(), failures, notRun);
    }
}
