package io.github.jcuconv.reference;

import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.Dense;

/** Fully connected layer: {@code y[n,k] = sum of x[n,c,h,v] * w[k,c,h,v]}. */
final class RefDense {
    private RefDense() {}

    static double y(Dense op, Views t, int n, int k, int p, int q) {
        Tensor x = t.get(Arg.X);
        Tensor w = t.get(Arg.W);
        double sum = 0;
        for (int c = 0; c < op.x().c(); c++) {
            for (int h = 0; h < op.x().h(); h++) {
                for (int v = 0; v < op.x().w(); v++) {
                    sum += x.get(n, c, h, v) * w.get(k, c, h, v);
                }
            }
        }
        return RefEpilogue.apply(op.epilogue(), t, sum, n, k, p, q);
    }

    static double dx(Dense op, Views t, int n, int c, int h, int v) {
        Tensor dy = t.get(Arg.DY);
        Tensor w = t.get(Arg.W);
        double sum = 0;
        for (int k = 0; k < op.k(); k++) {
            sum += dy.get(n, k, 0, 0) * w.get(k, c, h, v);
        }
        return sum;
    }

    static double dw(Dense op, Views t, int k, int c, int h, int v) {
        Tensor x = t.get(Arg.X);
        Tensor dy = t.get(Arg.DY);
        double sum = 0;
        for (int n = 0; n < op.x().n(); n++) {
            sum += x.get(n, c, h, v) * dy.get(n, k, 0, 0);
        }
        return sum;
    }
}
