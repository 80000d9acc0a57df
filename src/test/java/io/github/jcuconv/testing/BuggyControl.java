package io.github.jcuconv.testing;

import io.github.jcuconv.Arguments;
import io.github.jcuconv.Engine;
import io.github.jcuconv.Memory;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.Hyper;
import io.github.jcuconv.op.PlanRequest;
import io.github.jcuconv.op.StepControl;
import io.github.jcuconv.reference.ReferenceProvider;
import io.github.jcuconv.spi.PlanSpi;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** The reference engine with one bug in the numbers of a training step, or in the optimizers' answer to a skipped one. */
public final class BuggyControl extends ForwardingEngine {
    /** What is wrong. */
    public enum Bug {
        NONE,
        /** The loss scale quadruples where it should double. */
        WRONG_GROWTH,
        /** The loss scale grows a step late. */
        LATE_GROWTH,
        /** The loss scale grows without a limit. */
        NO_LIMIT,
        /** The loss scale falls below 1. */
        NO_FLOOR,
        /** An overflow leaves the loss scale as it is. */
        NO_BACKOFF,
        /** The step does not count on. */
        NO_STEP,
        /** A skipped step counts as an update. */
        UPDATE_OF_A_SKIPPED_STEP,
        /** The high half of the step gets no carry. */
        NO_CARRY,
        /** Dropout keeps the step before. */
        OLD_SEED,
        /** The gradient scale belongs to the loss scale of the next step. */
        NEXT_SCALE,
        /** Gradients of several ranks count as one. */
        NO_RANKS,
        /** The rate of the step after this one. */
        NEXT_RATE,
        /** Only the first row is written. */
        FIRST_ROW_ONLY,
        /** Every row gets the correction of the first. */
        ONE_CORRECTION,
        /** A skipped step tells the optimizers to update. */
        ALWAYS_APPLIES,
        /** A skipped step is not reported. */
        SAYS_APPLIED,
        /** The optimizers update in a skipped step. */
        OPTIMIZER_NEVER_SKIPS,
        /** A skipped step leaves the 16-bit copy unwritten. */
        NO_COPY_WHEN_SKIPPED
    }

    private final Bug bug;

    private BuggyControl(Bug bug) {
        super(new ReferenceProvider().open());
        this.bug = bug;
    }

    /** Opens an engine with this bug. */
    public static Engine open(Bug bug) {
        return Engine.of("buggy", new BuggyControl(bug));
    }

    @Override
    public PlanSpi plan(PlanRequest request) {
        return new BuggyPlan(inner.plan(request), request);
    }

    private final class BuggyPlan implements PlanSpi {
        private final PlanSpi inner;
        private final PlanRequest request;

        BuggyPlan(PlanSpi inner, PlanRequest request) {
            this.inner = inner;
            this.request = request;
        }

        @Override
        public long workspaceBytes() {
            return inner.workspaceBytes();
        }

        @Override
        public String algorithm() {
            return "buggy";
        }

        @Override
        public void execute(Arguments args, @Nullable Memory workspace, long stream) {
            if (request.op() instanceof StepControl op) {
                control(op, args, stream);
                return;
            }
            ByteBuffer hyper = args.get(Arg.HYPER).host();
            float apply = hyper.getFloat(4 * Hyper.APPLY);
            if (bug == Bug.NO_COPY_WHEN_SKIPPED && apply == 0) {
                return;
            }
            if (bug == Bug.OPTIMIZER_NEVER_SKIPS) {
                hyper.putFloat(4 * Hyper.APPLY, 1);
            }
            inner.execute(args, workspace, stream);
            hyper.putFloat(4 * Hyper.APPLY, apply);
        }

        private void control(StepControl op, Arguments args, long stream) {
            ByteBuffer counters = args.get(Arg.COUNTERS).host();
            ByteBuffer scale = args.get(Arg.LOSS_SCALE).host();
            ByteBuffer hyper = args.get(Arg.HYPER).host();
            ByteBuffer seed = args.get(Arg.SEED).host();
            int stepLow = counters.getInt(4 * StepControl.STEP);
            int stepHigh = counters.getInt(4 * StepControl.STEP + 4);
            int updates = counters.getInt(4 * StepControl.UPDATES);
            int good = counters.getInt(4 * StepControl.GOOD_STEPS);
            int ranks = counters.getInt(4 * StepControl.RANKS);
            float before = scale.getFloat(0);
            float[] rows = new float[op.rows() * Hyper.COUNT];
            hyper.asFloatBuffer().get(0, rows);
            int oldSeed = seed.getInt(8);
            inner.execute(args, null, stream);
            boolean applied = counters.getInt(4 * StepControl.APPLIED) == 1;
            boolean grows = op.lossScaling() && applied && good + 1 >= op.growthInterval();
            switch (bug) {
                case WRONG_GROWTH -> scale.putFloat(0, grows ? before * 4 : scale.getFloat(0));
                case LATE_GROWTH -> {
                    if (grows && good + 1 == op.growthInterval()) {
                        scale.putFloat(0, before);
                        counters.putInt(4 * StepControl.GOOD_STEPS, good + 1);
                    }
                }
                case NO_LIMIT -> scale.putFloat(0, grows ? before * 2 : scale.getFloat(0));
                case NO_FLOOR -> scale.putFloat(0, applied ? scale.getFloat(0) : before / 2);
                case NO_BACKOFF -> scale.putFloat(0, applied ? scale.getFloat(0) : before);
                case NO_STEP -> counters.putInt(4 * StepControl.STEP, stepLow);
                case UPDATE_OF_A_SKIPPED_STEP -> counters.putInt(4 * StepControl.UPDATES, updates + 1);
                case NO_CARRY -> counters.putInt(4 * StepControl.STEP + 4, stepHigh);
                case OLD_SEED -> seed.putInt(8, oldSeed);
                case NEXT_SCALE -> each(op, hyper, Hyper.GRADIENT_SCALE, 1 / (scale.getFloat(0) * ranks));
                case NO_RANKS -> each(op, hyper, Hyper.GRADIENT_SCALE, 1 / before);
                case NEXT_RATE -> {
                    long next = Math.min((long) stepHigh << 32 | stepLow & 0xFFFFFFFFL, op.rates() - 1) + 1;
                    int index = (int) Math.min(next, op.rates() - 1);
                    each(
                            op,
                            hyper,
                            Hyper.LEARNING_RATE,
                            args.get(Arg.RATES).host().getFloat(4 * index));
                }
                case FIRST_ROW_ONLY -> {
                    for (int i = Hyper.COUNT; i < rows.length; i++) {
                        hyper.putFloat(4 * i, rows[i]);
                    }
                }
                case ONE_CORRECTION -> each(op, hyper, Hyper.CORRECTION1, hyper.getFloat(4 * Hyper.CORRECTION1));
                case ALWAYS_APPLIES -> each(op, hyper, Hyper.APPLY, 1);
                case SAYS_APPLIED -> counters.putInt(4 * StepControl.APPLIED, 1);
                default -> {}
            }
        }

        private static void each(StepControl op, ByteBuffer hyper, int index, float value) {
            for (int row = 0; row < op.rows(); row++) {
                hyper.putFloat(4 * (row * Hyper.COUNT + index), value);
            }
        }

        @Override
        public void close() {
            inner.close();
        }
    }
}
