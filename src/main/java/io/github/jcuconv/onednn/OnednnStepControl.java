package io.github.jcuconv.onednn;

import io.github.jcuconv.Arguments;
import io.github.jcuconv.DataType;
import io.github.jcuconv.Layout;
import io.github.jcuconv.Memory;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.Hyper;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.StepControl;
import java.util.List;
import java.util.Map;
import org.bytedeco.dnnl.stream;
import org.jspecify.annotations.Nullable;

/** The numbers of a training step, in Java: a few dozen of them. */
final class OnednnStepControl implements Factory<StepControl> {
    @Override
    public Map<Arg, Layout> propose(OnednnEngine engine, StepControl op, Pass pass, Map<Arg, Layout> known) {
        return Map.of();
    }

    @Override
    public void plan(PlanBuilder b, StepControl op, Pass pass) {
        b.step("java", () -> new Kernel(op));
    }

    private static final class Kernel implements Step {
        private final StepControl op;
        private final View rates = new View(Operand.whole(Arg.RATES), DataType.FP32);
        private final View counters = new View(Operand.whole(Arg.COUNTERS), DataType.INT32);
        private final View lossScale = new View(Operand.whole(Arg.LOSS_SCALE), DataType.FP32);
        private final View seed = new View(Operand.whole(Arg.SEED), DataType.INT32);
        private final View hyper = new View(Operand.whole(Arg.HYPER), DataType.FP32);
        private final @Nullable View flag;
        private final List<View> all;

        Kernel(StepControl op) {
            this.op = op;
            List<View> always = List.of(rates, counters, lossScale, seed, hyper);
            this.flag = op.lossScaling() ? new View(Operand.whole(Arg.FLAG), DataType.INT32) : null;
            this.all = flag == null ? always : List.of(rates, counters, lossScale, seed, hyper, flag);
        }

        @Override
        public void run(Arguments args, @Nullable Memory workspace, stream queue, int slice) {
            all.forEach(view -> view.bind(args, workspace, slice));
            boolean applied = flag == null || flag.getInt(0) == 0;
            long step = getLong(counters, StepControl.STEP);
            long updates = getLong(counters, StepControl.UPDATES) + (applied ? 1 : 0);
            float rate = rates.getFloat((int) Math.min(step, op.rates() - 1));
            float scale = 1 / (lossScale.getFloat(0) * counters.getInt(StepControl.RANKS));
            for (int row = 0; row < op.rows() * Hyper.COUNT; row += Hyper.COUNT) {
                hyper.putFloat(row + Hyper.LEARNING_RATE, rate);
                hyper.putFloat(row + Hyper.GRADIENT_SCALE, scale);
                hyper.putFloat(row + Hyper.CORRECTION1, correction(hyper.getFloat(row + Hyper.MOMENTUM), updates));
                hyper.putFloat(row + Hyper.CORRECTION2, correction(hyper.getFloat(row + Hyper.BETA2), updates));
                hyper.putFloat(row + Hyper.APPLY, applied ? 1 : 0);
            }
            if (op.lossScaling()) {
                moveScale(applied);
            }
            putLong(counters, StepControl.STEP, step + 1);
            putLong(counters, StepControl.UPDATES, updates);
            counters.putInt(StepControl.APPLIED, applied ? 1 : 0);
            putLong(seed, 2, step + 1);
        }

        private static float correction(float beta, long updates) {
            return (float) (1 - StrictMath.pow(beta, updates));
        }

        private void moveScale(boolean applied) {
            float scale = lossScale.getFloat(0);
            int good = applied ? counters.getInt(StepControl.GOOD_STEPS) + 1 : 0;
            if (!applied) {
                lossScale.putFloat(0, Math.max(1, scale / 2));
            } else if (good >= op.growthInterval()) {
                lossScale.putFloat(0, Math.min(StepControl.LARGEST_SCALE, scale * 2));
                good = 0;
            }
            counters.putInt(StepControl.GOOD_STEPS, good);
        }

        private static long getLong(View halves, int low) {
            return (long) halves.getInt(low + 1) << 32 | halves.getInt(low) & 0xFFFFFFFFL;
        }

        private static void putLong(View halves, int low, long value) {
            halves.putInt(low, (int) value);
            halves.putInt(low + 1, (int) (value >>> 32));
        }
    }
}
