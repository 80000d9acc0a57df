package io.github.jcuconv.nn;

import io.github.jcuconv.Dims;
import io.github.jcuconv.op.Activation;
import io.github.jcuconv.op.Conv2d;
import io.github.jcuconv.op.Dense;
import io.github.jcuconv.op.MaxPool2d;
import io.github.jcuconv.op.Padding;
import io.github.jcuconv.op.Phase;
import io.github.jcuconv.op.Types;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

/**
 * Loss and gradients of a chain of convolutions of stride 1, max-pools, dense layers and ReLU in fp64, each with how far a right fp32
 * computation can be from it. Shares no code with the engines or with the reference.
 *
 * <p>The bound is statistical, since a worst case that is carried through five layers by absolute values exceeds the gradients themselves a
 * hundredfold. Rounding errors count as independent and without a mean, as in Higham and Mary (SIAM J. Sci. Comput. 41, 2019): one of u = 2^-24
 * relative has the variance u^2 / 3, a sum of K products, whose partial sums wander between 0, its value S and the size of its terms t, has
 * K u^2 / 3 (S^2 + sum t^2), and what comes in with a variance goes on with the square of its factor. Where a ReLU's bend, or the distance of
 * two candidates of a maximum, lies within the bound, the gradient may go either way, and the bound covers its size. Results must lie within
 * {@value #DEVIATIONS} deviations.
 */
final class ExactNetwork {
    private static final double DEVIATIONS = 8;
    private static final double U = 0x1p-24;

    /** Numbers, and the variance of each in fp32. */
    record Bounded(double[] value, double[] variance) {
        Bounded(int count) {
            this(new double[count], new double[count]);
        }

        static Bounded exact(float[] values) {
            Bounded b = new Bounded(values.length);
            for (int i = 0; i < values.length; i++) {
                b.value[i] = values[i];
            }
            return b;
        }

        /** How far number i may be off. */
        double error(int i) {
            return DEVIATIONS * Math.sqrt(variance[i]);
        }

        /** The weight of the errors among the numbers. */
        double relative() {
            double errors = 0;
            double sum = 0;
            for (int i = 0; i < value.length; i++) {
                errors += error(i);
                sum += Math.abs(value[i]);
            }
            return errors / sum;
        }
    }

    final Map<String, Bounded> gradients = new HashMap<>();
    final Bounded loss = new Bounded(1);

    private final Map<String, float[]> parameters;

    /** One layer's backward pass: the gradient of its input from that of its output. */
    @FunctionalInterface
    private interface Backward {
        Bounded of(Bounded dy);
    }

    ExactNetwork(Network network, Map<String, float[]> parameters, float[] images, int[] labels) {
        this.parameters = parameters;
        Deque<Backward> backward = new ArrayDeque<>();
        Bounded at = Bounded.exact(images);
        Dims shape = network.input().withN(labels.length);
        for (Network.Node node : network.nodes()) {
            if (node.layer() instanceof Layer.Conv conv) {
                Conv2d op = conv.op(shape, Types.FP32, Phase.TRAINING);
                at = weighted(node.name(), new Sums(shape, op.w(), op.window().padding()), at, backward);
                at = activated(conv, at, backward);
            } else if (node.layer() instanceof Layer.FullyConnected dense) {
                Dense op = dense.op(shape, Types.FP32, Phase.TRAINING);
                at = weighted(node.name(), new Sums(shape, op.w(), Padding.NONE), at, backward);
                at = activated(dense, at, backward);
            } else if (node.layer() instanceof Layer.MaxPool pool) {
                at = maxima(pool.op(shape, Types.FP32, Phase.TRAINING), at, backward);
            } else {
                throw new IllegalArgumentException(node.name());
            }
            shape = node.output().withN(labels.length);
        }
        Bounded gradient = crossEntropy(at, labels, shape.c());
        while (!backward.isEmpty()) {
            gradient = backward.pop().of(gradient);
        }
    }

    /** The variance of a sum of so many products beside the squares of its value and of its terms. */
    private static double roundings(long terms) {
        return terms * U * U / 3;
    }

    /** Every sum over a window of x, of filter k: what a convolution of stride 1, or a dense layer, consists of. */
    private record Sums(Dims x, Dims w, Padding padding) {
        private int p() {
            return x.h() + padding.top() + padding.bottom() - w.h() + 1;
        }

        private int q() {
            return x.w() + padding.left() + padding.right() - w.w() + 1;
        }

        /** A row of x and the row of y that it meets under one element of a filter. */
        @FunctionalInterface
        interface Row {
            void meet(int x, int w, int y, int count);
        }

        void forEach(Row row) {
            for (int n = 0; n < x.n(); n++) {
                for (int k = 0; k < w.n(); k++) {
                    for (int c = 0; c < x.c(); c++) {
                        for (int tap = 0; tap < w.h() * w.w(); tap++) {
                            tap(n, k, c, tap, row);
                        }
                    }
                }
            }
        }

        private void tap(int n, int k, int c, int tap, Row row) {
            int dh = tap / w.w() - padding.top();
            int dw = tap % w.w() - padding.left();
            int first = Math.max(0, -dw);
            int count = Math.min(q(), x.w() - dw) - first;
            for (int h = Math.max(0, -dh); h < Math.min(p(), x.h() - dh); h++) {
                row.meet(
                        ((n * x.c() + c) * x.h() + h + dh) * x.w() + first + dw,
                        (k * x.c() + c) * w.h() * w.w() + tap,
                        ((n * w.n() + k) * p() + h) * q() + first,
                        count);
            }
        }
    }

    private Bounded weighted(String name, Sums sums, Bounded x, Deque<Backward> backward) {
        float[] w = parameters.get(name + ".weight");
        float[] bias = parameters.get(name + ".bias");
        int pixels = sums.p() * sums.q();
        double rounding = roundings(sums.w.perImage() + 1);
        double[] off = perProduct(x, rounding);
        Bounded y = new Bounded(sums.x.n() * sums.w.n() * pixels);
        for (int i = 0; i < y.value.length; i++) {
            y.value[i] = bias[i / pixels % bias.length];
            y.variance[i] = rounding * y.value[i] * y.value[i];
        }
        sums.forEach((ix, iw, iy, count) -> {
            add(y.value, iy, w[iw], x.value, ix, count);
            add(y.variance, iy, (double) w[iw] * w[iw], off, ix, count);
        });
        perSum(y, rounding);
        backward.push(dy -> {
            gradients.put(name + ".weight", filterGradient(sums, x, dy));
            gradients.put(name + ".bias", biasGradient(dy, bias.length, pixels));
            double back = roundings((long) sums.w.n() * sums.w.h() * sums.w.w());
            double[] dyOff = perProduct(dy, back);
            Bounded dx = new Bounded(x.value.length);
            sums.forEach((ix, iw, iy, count) -> {
                add(dx.value, ix, w[iw], dy.value, iy, count);
                add(dx.variance, ix, (double) w[iw] * w[iw], dyOff, iy, count);
            });
            perSum(dx, back);
            return dx;
        });
        return y;
    }

    /** What a number gives to the variance of a sum of products, beside the square of the other factor. */
    private static double[] perProduct(Bounded b, double rounding) {
        double[] off = new double[b.value.length];
        for (int i = 0; i < off.length; i++) {
            off[i] = b.variance[i] + rounding * b.value[i] * b.value[i];
        }
        return off;
    }

    private static void perSum(Bounded sums, double rounding) {
        for (int i = 0; i < sums.value.length; i++) {
            sums.variance[i] += rounding * sums.value[i] * sums.value[i];
        }
    }

    private static void add(double[] to, int at, double factor, double[] from, int begin, int count) {
        for (int i = 0; i < count; i++) {
            to[at + i] += factor * from[begin + i];
        }
    }

    private static Bounded filterGradient(Sums sums, Bounded x, Bounded dy) {
        Bounded dw = new Bounded((int) sums.w.count());
        double rounding = roundings((long) sums.x.n() * sums.p() * sums.q());
        double[] off = perProduct(dy, rounding);
        sums.forEach((ix, iw, iy, count) -> {
            double value = 0;
            double variance = 0;
            for (int i = 0; i < count; i++) {
                double a = x.value[ix + i];
                double b = dy.value[iy + i];
                value += a * b;
                variance += a * a * off[iy + i] + x.variance[ix + i] * (b * b + dy.variance[iy + i]);
            }
            dw.value[iw] += value;
            dw.variance[iw] += variance;
        });
        perSum(dw, rounding);
        return dw;
    }

    private static Bounded biasGradient(Bounded dy, int channels, int pixels) {
        Bounded db = new Bounded(channels);
        double rounding = roundings(dy.value.length / channels);
        double[] off = perProduct(dy, rounding);
        for (int i = 0; i < off.length; i++) {
            db.value[i / pixels % channels] += dy.value[i];
            db.variance[i / pixels % channels] += off[i];
        }
        perSum(db, rounding);
        return db;
    }

    private static Bounded activated(Layer.Weighted layer, Bounded x, Deque<Backward> backward) {
        if (layer.activation().isEmpty()) {
            return x;
        }
        if (layer.activation().get() != Activation.Kind.RELU) {
            throw new IllegalArgumentException(layer.toString());
        }
        Bounded y = new Bounded(x.value.length);
        for (int i = 0; i < y.value.length; i++) {
            y.value[i] = Math.max(0, x.value[i]);
            y.variance[i] = x.value[i] < -x.error(i) ? 0 : x.variance[i];
        }
        backward.push(dy -> {
            Bounded dx = new Bounded(x.value.length);
            for (int i = 0; i < x.value.length; i++) {
                boolean passes = x.value[i] > 0;
                boolean sure = Math.abs(x.value[i]) > x.error(i) || x.variance[i] == 0;
                dx.value[i] = passes ? dy.value[i] : 0;
                dx.variance[i] = !sure ? either(dy, i) : passes ? dy.variance[i] : 0;
            }
            return dx;
        });
        return y;
    }

    /** The gradient or nothing: its whole size lies within the bound. */
    private static double either(Bounded dy, int i) {
        double size = dy.value[i] / DEVIATIONS;
        return size * size + dy.variance[i];
    }

    /** Windows that tile the image. */
    private static Bounded maxima(MaxPool2d op, Bounded x, Deque<Backward> backward) {
        int size = op.window().r();
        int width = op.x().w();
        Bounded y = new Bounded((int) op.y().count());
        int[] winner = new int[y.value.length];
        for (int i = 0; i < winner.length; i++) {
            int best = first(op, i);
            for (int tap = 0; tap < size * size; tap++) {
                int at = first(op, i) + tap / size * width + tap % size;
                best = x.value[at] > x.value[best] ? at : best;
                y.variance[i] = Math.max(y.variance[i], x.variance[at]);
            }
            winner[i] = best;
            y.value[i] = x.value[best];
        }
        backward.push(dy -> {
            Bounded dx = new Bounded(x.value.length);
            for (int i = 0; i < winner.length; i++) {
                int best = winner[i];
                boolean sure = true;
                for (int tap = 0; tap < size * size; tap++) {
                    int at = first(op, i) + tap / size * width + tap % size;
                    if (at != best && x.value[at] + x.error(at) >= x.value[best] - x.error(best)) {
                        sure = false;
                        dx.variance[at] = either(dy, i);
                    }
                }
                dx.value[best] = dy.value[i];
                dx.variance[best] = sure ? dy.variance[i] : either(dy, i);
            }
            return dx;
        });
        return y;
    }

    /** The first element of x in window i. */
    private static int first(MaxPool2d op, int i) {
        int size = op.window().r();
        int q = op.y().w();
        int p = op.y().h();
        return (i / (p * q) * op.x().h() + i / q % p * size) * op.x().w() + i % q * size;
    }

    /**
     * Softmax with cross-entropy, the mean over the images. Logits with at most the deviation m move a logarithm by 2 m and a probability by 2 m of
     * itself; elementary functions are granted 8 u beside what their rounded argument costs.
     */
    private Bounded crossEntropy(Bounded x, int[] labels, int classes) {
        Bounded dx = new Bounded(x.value.length);
        int images = labels.length;
        for (int n = 0; n < images; n++) {
            double max = Double.NEGATIVE_INFINITY;
            double min = Double.POSITIVE_INFINITY;
            double variance = 0;
            for (int i = n * classes; i < (n + 1) * classes; i++) {
                max = Math.max(max, x.value[i]);
                min = Math.min(min, x.value[i]);
                variance = Math.max(variance, x.variance[i]);
            }
            double sum = 0;
            for (int i = n * classes; i < (n + 1) * classes; i++) {
                sum += Math.exp(x.value[i] - max);
            }
            double one = max + Math.log(sum) - x.value[n * classes + labels[n]];
            double rounding = U * (classes + images + 24 + 8 * (max - min) + one);
            loss.value[0] += one / images;
            loss.variance[0] += (4 * variance + rounding * rounding) / images / images;
            for (int c = 0; c < classes; c++) {
                int i = n * classes + c;
                double probability = Math.exp(x.value[i] - max) / sum;
                double gradient = probability - (c == labels[n] ? 1 : 0);
                double off = U * ((classes + 12 + 2 * (max - min)) * probability + 4 * Math.abs(gradient));
                dx.value[i] = gradient / images;
                dx.variance[i] = (4 * variance * probability * probability + off * off) / images / images;
            }
        }
        return dx;
    }
}
