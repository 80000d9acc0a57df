package io.github.jcuconv.reference;

import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.Lrn;

/** Local response normalization across channels; SAVED is the scale. */
final class RefLrn {
    private RefLrn() {}

    static double scale(Lrn op, Views t, int n, int c, int h, int w) {
        Tensor x = t.get(Arg.X);
        double sum = 0;
        for (int i = first(op, c); i <= last(op, c); i++) {
            sum += x.get(n, i, h, w) * x.get(n, i, h, w);
        }
        return op.k() + (double) op.factor() * sum;
    }

    static double y(Lrn op, Views t, int n, int c, int h, int w) {
        return t.get(Arg.X).get(n, c, h, w) * Math.pow(scale(op, t, n, c, h, w), -op.beta());
    }

    /** dx[c] = dy[c] * scale[c]^-beta - 2 * a * beta * x[c] * sum over the windows that hold c of dy * x * scale^(-beta-1). */
    static double dx(Lrn op, Views t, int n, int c, int h, int w) {
        Tensor x = t.get(Arg.X);
        Tensor dy = t.get(Arg.DY);
        Tensor scale = t.get(Arg.SAVED);
        double sum = 0;
        for (int i = first(op, c); i <= last(op, c); i++) {
            sum += dy.get(n, i, h, w) * x.get(n, i, h, w) * Math.pow(scale.get(n, i, h, w), -op.beta() - 1.0);
        }
        return dy.get(n, c, h, w) * Math.pow(scale.get(n, c, h, w), -op.beta())
                - 2.0 * op.factor() * op.beta() * x.get(n, c, h, w) * sum;
    }

    private static int first(Lrn op, int c) {
        return Math.max(0, c - (op.size() - 1) / 2);
    }

    private static int last(Lrn op, int c) {
        return Math.min(op.x().c() - 1, c + (op.size() - 1) / 2);
    }
}
