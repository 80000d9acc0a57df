package io.github.jcuconv.reference;

import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.Hyper;
import io.github.jcuconv.op.StepControl;

/** The numbers of one step of a training. */
final class RefStepControl {
    private RefStepControl() {}

    static void run(StepControl op, Views t) {
        Tensor counters = t.get(Arg.COUNTERS);
        Tensor scale = t.get(Arg.LOSS_SCALE);
        boolean applied = !op.lossScaling() || t.get(Arg.FLAG).at(0) == 0;
        long step = join(counters, StepControl.STEP);
        long updates = join(counters, StepControl.UPDATES) + (applied ? 1 : 0);
        for (int row = 0; row < op.rows(); row++) {
            Row hyper = new Row(t.get(Arg.HYPER), row);
            hyper.put(Hyper.LEARNING_RATE, t.get(Arg.RATES).at((int) Math.min(step, op.rates() - 1)));
            hyper.put(Hyper.GRADIENT_SCALE, 1 / (scale.at(0) * counters.at(StepControl.RANKS)));
            hyper.put(Hyper.CORRECTION1, 1 - StrictMath.pow(hyper.get(Hyper.MOMENTUM), updates));
            hyper.put(Hyper.CORRECTION2, 1 - StrictMath.pow(hyper.get(Hyper.BETA2), updates));
            hyper.put(Hyper.APPLY, applied ? 1 : 0);
        }
        if (op.lossScaling()) {
            moveScale(op, applied, counters, scale);
        }
        split(counters, StepControl.STEP, step + 1);
        split(counters, StepControl.UPDATES, updates);
        counters.put(StepControl.APPLIED, applied ? 1 : 0);
        split(t.get(Arg.SEED), 2, step + 1);
    }

    private static void moveScale(StepControl op, boolean applied, Tensor counters, Tensor scale) {
        double good = applied ? counters.at(StepControl.GOOD_STEPS) + 1 : 0;
        if (!applied) {
            scale.put(0, Math.max(1, scale.at(0) / 2));
        } else if (good >= op.growthInterval()) {
            scale.put(0, Math.min(StepControl.LARGEST_SCALE, scale.at(0) * 2));
            good = 0;
        }
        counters.put(StepControl.GOOD_STEPS, good);
    }

    private static long join(Tensor halves, int low) {
        return (long) halves.at(low + 1) << 32 | (long) halves.at(low) & 0xFFFFFFFFL;
    }

    private static void split(Tensor halves, int low, long value) {
        halves.put(low, (int) value);
        halves.put(low + 1, (int) (value >>> 32));
    }

    private record Row(Tensor hyper, int row) {
        double get(int index) {
            return hyper.at(row * Hyper.COUNT + index);
        }

        void put(int index, double value) {
            hyper.put(row * Hyper.COUNT + index, value);
        }
    }
}
