package io.github.jcuconv.onednn;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Layout;
import io.github.jcuconv.op.Adam;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.Hyper;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.Sgd;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** SGD and Adam in Java: one pass over weights, gradient and state, which also writes the rounded copy of the weights. */
final class Optimizers {
    private Optimizers() {}

    /** The table's entry for SGD. */
    static final class SgdFactory implements Factory<Sgd> {
        @Override
        public Map<Arg, Layout> propose(OnednnEngine engine, Sgd op, Pass pass, Map<Arg, Layout> known) {
            return Map.of();
        }

        @Override
        public void plan(PlanBuilder b, Sgd op, Pass pass) {
            b.step("java", () -> new SgdKernel(b.engine().workers(), op));
        }
    }

    /** The table's entry for Adam. */
    static final class AdamFactory implements Factory<Adam> {
        @Override
        public Map<Arg, Layout> propose(OnednnEngine engine, Adam op, Pass pass, Map<Arg, Layout> known) {
            return Map.of();
        }

        @Override
        public void plan(PlanBuilder b, Adam op, Pass pass) {
            b.step("java", () -> new AdamKernel(b.engine().workers(), op));
        }
    }

    private static View fp32(Arg arg) {
        return new View(Operand.whole(arg), DataType.FP32);
    }

    private static @Nullable View storage(DataType type) {
        return type == DataType.FP32 ? null : new View(Operand.whole(Arg.W_STORAGE), type);
    }

    private static View[] views(@Nullable View... views) {
        return java.util.Arrays.stream(views).filter(java.util.Objects::nonNull).toArray(View[]::new);
    }

    private static final class SgdKernel extends TileKernel {
        private final View w;
        private final View dw;
        private final @Nullable View m;
        private final View hyper;
        private final @Nullable View copy;
        private float rate;
        private float scale;
        private float decay;
        private float momentum;
        private boolean skipped;

        SgdKernel(Workers workers, Sgd op) {
            this(
                    workers,
                    op,
                    fp32(Arg.W),
                    fp32(Arg.DW),
                    op.momentum() ? fp32(Arg.M) : null,
                    fp32(Arg.HYPER),
                    storage(op.storage()));
        }

        private SgdKernel(Workers workers, Sgd op, View w, View dw, @Nullable View m, View hyper, @Nullable View copy) {
            super(workers, op.count(), views(w, dw, m, hyper, copy));
            this.w = w;
            this.dw = dw;
            this.m = m;
            this.hyper = hyper;
            this.copy = copy;
        }

        @Override
        void begin(int slice) {
            rate = hyper.getFloat(Hyper.LEARNING_RATE);
            scale = hyper.getFloat(Hyper.GRADIENT_SCALE);
            decay = hyper.getFloat(Hyper.WEIGHT_DECAY);
            momentum = hyper.getFloat(Hyper.MOMENTUM);
            skipped = hyper.getFloat(Hyper.APPLY) == 0;
        }

        @Override
        void tile(Tile t, int index, int n) {
            w.load(index, t.a, n, t.halves);
            if (!skipped) {
                update(t, index, n);
            }
            if (copy != null) {
                copy.store(index, t.a, n, t.halves);
            }
        }

        private void update(Tile t, int index, int n) {
            dw.load(index, t.b, n, t.halves);
            if (m == null) {
                plain(t.a, t.b, n);
            } else {
                m.load(index, t.c, n, t.halves);
                heavy(t.a, t.b, t.c, n);
                m.store(index, t.c, n, t.halves);
            }
            w.store(index, t.a, n, t.halves);
        }

        private void plain(float[] weights, float[] gradient, int n) {
            float r = rate;
            float s = scale;
            float d = decay;
            for (int i = 0; i < n; i++) {
                weights[i] -= r * (s * gradient[i] + d * weights[i]);
            }
        }

        private void heavy(float[] weights, float[] gradient, float[] state, int n) {
            float r = rate;
            float s = scale;
            float d = decay;
            float mu = momentum;
            for (int i = 0; i < n; i++) {
                float next = mu * state[i] + (s * gradient[i] + d * weights[i]);
                state[i] = next;
                weights[i] -= r * next;
            }
        }
    }

    private static final class AdamKernel extends TileKernel {
        private final View w;
        private final View dw;
        private final View m;
        private final View v;
        private final View hyper;
        private final @Nullable View copy;
        private final float[] h = new float[Hyper.COUNT];

        AdamKernel(Workers workers, Adam op) {
            this(
                    workers,
                    op,
                    fp32(Arg.W),
                    fp32(Arg.DW),
                    fp32(Arg.M),
                    fp32(Arg.V),
                    fp32(Arg.HYPER),
                    storage(op.storage()));
        }

        private AdamKernel(Workers workers, Adam op, View w, View dw, View m, View v, View hyper, @Nullable View copy) {
            super(workers, op.count(), views(w, dw, m, v, hyper, copy));
            this.w = w;
            this.dw = dw;
            this.m = m;
            this.v = v;
            this.hyper = hyper;
            this.copy = copy;
        }

        @Override
        void begin(int slice) {
            for (int i = 0; i < h.length; i++) {
                h[i] = hyper.getFloat(i);
            }
        }

        @Override
        void tile(Tile t, int index, int n) {
            w.load(index, t.a, n, t.halves);
            if (h[Hyper.APPLY] != 0) {
                dw.load(index, t.b, n, t.halves);
                m.load(index, t.c, n, t.halves);
                v.load(index, t.d, n, t.halves);
                update(t.a, t.b, t.c, t.d, n);
                w.store(index, t.a, n, t.halves);
                m.store(index, t.c, n, t.halves);
                v.store(index, t.d, n, t.halves);
            }
            if (copy != null) {
                copy.store(index, t.a, n, t.halves);
            }
        }

        private void update(float[] weights, float[] gradient, float[] first, float[] second, int n) {
            float rate = h[Hyper.LEARNING_RATE];
            float scale = h[Hyper.GRADIENT_SCALE];
            float decay = h[Hyper.WEIGHT_DECAY];
            float beta1 = h[Hyper.MOMENTUM];
            float beta2 = h[Hyper.BETA2];
            float eps = h[Hyper.EPS];
            float c1 = h[Hyper.CORRECTION1];
            float c2 = h[Hyper.CORRECTION2];
            float rest1 = 1 - beta1;
            float rest2 = 1 - beta2;
            // Four short loops instead of one, since the JIT makes no vector code of a long one.
            for (int i = 0; i < n; i++) {
                first[i] = beta1 * first[i] + rest1 * (scale * gradient[i]);
            }
            for (int i = 0; i < n; i++) {
                float g = scale * gradient[i];
                second[i] = beta2 * second[i] + rest2 * g * g;
            }
            for (int i = 0; i < n; i++) {
                gradient[i] = first[i] / c1 / ((float) Math.sqrt(second[i] / c2) + eps);
            }
            for (int i = 0; i < n; i++) {
                weights[i] -= rate * (gradient[i] + decay * weights[i]);
            }
        }
    }
}
