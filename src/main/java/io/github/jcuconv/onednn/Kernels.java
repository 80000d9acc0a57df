package io.github.jcuconv.onednn;

import io.github.jcuconv.op.Dropout;
import java.util.Arrays;
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

    /** sum += addend; where it may not keep what was there, the first slice of the batch overwrites. */
    static final class Accumulate extends TileKernel {
        private final View sum;
        private final View addend;
        private final boolean keep;
        private boolean overwrite;

        Accumulate(Workers workers, long count, View sum, View addend, boolean keep) {
            super(workers, count, sum, addend);
            this.sum = sum;
            this.addend = addend;
            this.keep = keep;
        }

        @Override
        void begin(int slice) {
            overwrite = slice == 0 && !keep;
        }

        @Override
        void tile(Tile t, int index, int n) {
            addend.load(index, t.a, n, t.halves);
            float[] a = t.a;
            if (!overwrite) {
                sum.load(index, t.b, n, t.halves);
                float[] b = t.b;
                for (int i = 0; i < n; i++) {
                    a[i] += b[i];
                }
            }
            sum.store(index, a, n, t.halves);
        }
    }

    /** The gradient of ReLU on 16-bit storage: dx = dy where y is above zero, bit by bit. */
    static final class HalfRelu extends TileKernel {
        private final View y;
        private final View dy;
        private final View dx;

        HalfRelu(Workers workers, long count, View y, View dy, View dx) {
            super(workers, count, y, dy, dx);
            this.y = y;
            this.dy = dy;
            this.dx = dx;
        }

        @Override
        void tile(Tile t, int index, int n) {
            y.loadBits(index, t.bits, n);
            dy.loadBits(index, t.more, n);
            for (int i = 0; i < n; i++) {
                // As numbers, the bits of what is above zero are positive.
                t.more[i] = t.bits[i] > 0 ? t.more[i] : 0;
            }
            dx.storeBits(index, t.more, n);
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
        void begin(int slice) {
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

    /** to = 0: an output that the engine has no use for must still be the same each time. */
    static final class Zero extends TileKernel {
        private final View to;

        Zero(Workers workers, long count, View to) {
            super(workers, count, to);
            this.to = to;
        }

        @Override
        void tile(Tile t, int index, int n) {
            Arrays.fill(t.a, 0, n, 0f);
            to.store(index, t.a, n, t.halves);
        }
    }

    /** y = x + x2. */
    static final class Sum extends TileKernel {
        private final View x;
        private final View x2;
        private final View y;

        Sum(Workers workers, long count, View x, View x2, View y) {
            super(workers, count, x, x2, y);
            this.x = x;
            this.x2 = x2;
            this.y = y;
        }

        @Override
        void tile(Tile t, int index, int n) {
            x.load(index, t.a, n, t.halves);
            x2.load(index, t.b, n, t.halves);
            float[] a = t.a;
            float[] b = t.b;
            for (int i = 0; i < n; i++) {
                a[i] += b[i];
            }
            y.store(index, a, n, t.halves);
        }
    }

    /** running = (1 - momentum) * running + momentum * factor * batch. */
    static final class Move extends TileKernel {
        private final View running;
        private final View batch;
        private final float momentum;
        private final double factor;

        Move(Workers workers, long count, View running, View batch, float momentum, double factor) {
            super(workers, count, running, batch);
            this.running = running;
            this.batch = batch;
            this.momentum = momentum;
            this.factor = factor;
        }

        @Override
        void tile(Tile t, int index, int n) {
            running.load(index, t.a, n, t.halves);
            batch.load(index, t.b, n, t.halves);
            for (int i = 0; i < n; i++) {
                t.a[i] = (float) ((1.0 - momentum) * t.a[i] + momentum * (factor * t.b[i]));
            }
            running.store(index, t.a, n, t.halves);
        }
    }

    /** Zeroes what the mask drops and scales the rest. Tiles begin at multiples of four, as the generator's blocks do. */
    static final class Drop extends TileKernel {
        private final Dropout op;
        private final View from;
        private final View seed;
        private final View to;

        Drop(Workers workers, Dropout op, View from, View seed, View to) {
            super(workers, op.x().count(), from, seed, to);
            this.op = op;
            this.from = from;
            this.seed = seed;
            this.to = to;
        }

        @Override
        void tile(Tile t, int index, int n) {
            from.load(index, t.a, n, t.halves);
            float scale = 1 / (1 - op.rate());
            int s0 = seed.getInt(0);
            int s1 = seed.getInt(1);
            int step0 = seed.getInt(2);
            int step1 = seed.getInt(3);
            for (int i = 0; i < n; i += 4) {
                int dropped = op.droppedOfBlock((index + i) / 4, s0, s1, step0, step1);
                for (int j = i; j < Math.min(i + 4, n); j++) {
                    t.a[j] = (dropped >> (j - i) & 1) == 0 ? t.a[j] * scale : 0;
                }
            }
            to.store(index, t.a, n, t.halves);
        }
    }
}
