package io.github.jcuconv.reference;

import io.github.jcuconv.op.Adam;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.Hyper;
import io.github.jcuconv.op.Sgd;

/** SGD and Adam over flat regions; W_STORAGE is the stored fp32 weight rounded again. */
final class RefOptimizers {
    private RefOptimizers() {}

    static void sgd(Sgd op, Views t) {
        Tensor w = t.get(Arg.W);
        for (int i = 0; i < op.count(); i++) {
            if (isSkipped(t)) {
                store(t, i);
                continue;
            }
            double step = hyper(t, Hyper.GRADIENT_SCALE) * t.get(Arg.DW).at(i) + hyper(t, Hyper.WEIGHT_DECAY) * w.at(i);
            if (op.momentum()) {
                step += hyper(t, Hyper.MOMENTUM) * t.get(Arg.M).at(i);
                t.get(Arg.M).put(i, step);
            }
            w.put(i, w.at(i) - hyper(t, Hyper.LEARNING_RATE) * step);
            store(t, i);
        }
    }

    static void adam(Adam op, Views t) {
        Tensor w = t.get(Arg.W);
        double beta1 = hyper(t, Hyper.MOMENTUM);
        double beta2 = hyper(t, Hyper.BETA2);
        for (int i = 0; i < op.count(); i++) {
            if (isSkipped(t)) {
                store(t, i);
                continue;
            }
            double g = hyper(t, Hyper.GRADIENT_SCALE) * t.get(Arg.DW).at(i);
            double m = beta1 * t.get(Arg.M).at(i) + (1 - beta1) * g;
            double v = beta2 * t.get(Arg.V).at(i) + (1 - beta2) * g * g;
            double step = m
                    / hyper(t, Hyper.CORRECTION1)
                    / (Math.sqrt(v / hyper(t, Hyper.CORRECTION2)) + hyper(t, Hyper.EPS));
            t.get(Arg.M).put(i, m);
            t.get(Arg.V).put(i, v);
            w.put(i, w.at(i) - hyper(t, Hyper.LEARNING_RATE) * (step + hyper(t, Hyper.WEIGHT_DECAY) * w.at(i)));
            store(t, i);
        }
    }

    private static boolean isSkipped(Views t) {
        return hyper(t, Hyper.APPLY) == 0;
    }

    private static double hyper(Views t, int index) {
        return t.get(Arg.HYPER).at(index);
    }

    private static void store(Views t, int i) {
        if (t.has(Arg.W_STORAGE)) {
            t.get(Arg.W_STORAGE).put(i, t.get(Arg.W).at(i));
        }
    }
}
