package io.github.jcuconv.onednn;

import java.util.concurrent.atomic.AtomicBoolean;

/** The small elementwise kernels. */
final class Kernels {
    private Kernels() {}

    /** to = from, rounded once. */
    static final class Convert extends TileKernel {
        private final View from;
        private final View to;

        Convert(Workers workers, long count, View from, View to) {
            super(workers, count, from, to);
            this.from = from;
            this.to = to;
        }

        @Override
        void tile(Tile t, int index, int n) {
            from.load(index, t.a, n, t.halves);
            to.store(index, t.a, n, t.halves);
        }
    }

    /** sum += addend. */
    static final class Accumulate extends TileKernel {
        private final View sum;
        private final View addend;

        Accumulate(Workers workers, long count, View sum, View addend) {
            super(workers, count, sum, addend);
            this.sum = sum;
            this.addend = addend;
        }

        @Override
        void tile(Tile t, int index, int n) {
            sum.load(index, t.a, n, t.halves);
            addend.load(index, t.b, n, t.halves);
            float[] a = t.a;
            float[] b = t.b;
            for (int i = 0; i < n; i++) {
                a[i] += b[i];
            }
            sum.store(index, a, n, t.halves);
        }
    }

    /** flag = 1 if an element is infinite or NaN. */
    static final class Finite extends TileKernel {
        private final View x;
        private final View flag;
        private final AtomicBoolean bad = new AtomicBoolean();

        Finite(Workers workers, long count, View x, View flag) {
            super(workers, count, x, flag);
            this.x = x;
            this.flag = flag;
        }

        @Override
        void begin() {
            bad.set(false);
        }

        @Override
        void tile(Tile t, int index, int n) {
            x.load(index, t.a, n, t.halves);
            float[] a = t.a;
            int max = 0;
            for (int i = 0; i < n; i++) {
                max = Math.max(max, Float.floatToRawIntBits(a[i]) & 0x7fffffff);
            }
            if (max >= 0x7f800000) {
                bad.set(true);
            }
        }

        @Override
        void end() {
            flag.putInt(0, bad.get() ? 1 : 0);
        }
    }
}
