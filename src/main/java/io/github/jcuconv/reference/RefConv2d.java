package io.github.jcuconv.reference;

import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.Conv2d;
import io.github.jcuconv.op.Window;

/** Convolution: {@code y[n,k,p,q] = sum of x[n, c, p*u - top + r*d, q*v - left + s*e] * w[k,c,r,s]}, or the maximum of a window of such. */
final class RefConv2d {
    private RefConv2d() {}

    static double y(Conv2d op, Views t, int n, int k, int p, int q) {
        int rows = op.pool().h();
        int columns = op.pool().w();
        double max = output(op, t, n, k, p * rows, q * columns);
        for (int i = 1; i < rows * columns && !Double.isNaN(max); i++) {
            double v = output(op, t, n, k, p * rows + i / columns, q * columns + i % columns);
            max = v > max || Double.isNaN(v) ? v : max;
        }
        return max;
    }

    private static double output(Conv2d op, Views t, int n, int k, int p, int q) {
        Tensor x = t.get(Arg.X);
        Tensor w = t.get(Arg.W);
        Window f = op.window();
        int perGroup = op.x().c() / op.groups();
        int firstC = k / (op.k() / op.groups()) * perGroup;
        double sum = 0;
        for (int c = 0; c < perGroup; c++) {
            for (int r = 0; r < f.r(); r++) {
                for (int s = 0; s < f.s(); s++) {
                    int h = p * f.strideH() - f.padding().top() + r * f.dilationH();
                    int v = q * f.strideW() - f.padding().left() + s * f.dilationW();
                    sum += x.padded(n, firstC + c, h, v) * w.get(k, c, r, s);
                }
            }
        }
        return RefEpilogue.apply(op.epilogue(), t, sum, n, k, p, q);
    }

    static double dx(Conv2d op, Views t, int n, int c, int h, int v) {
        Tensor dy = t.get(Arg.DY);
        Tensor w = t.get(Arg.W);
        Window f = op.window();
        int cPerGroup = op.x().c() / op.groups();
        int kPerGroup = op.k() / op.groups();
        int firstK = c / cPerGroup * kPerGroup;
        double sum = 0;
        for (int r = 0; r < f.r(); r++) {
            int p = RefWindow.output(
                    h,
                    r,
                    f.strideH(),
                    f.dilationH(),
                    f.padding().top(),
                    dy.dims().h());
            for (int s = 0; s < f.s() && p >= 0; s++) {
                int q = RefWindow.output(
                        v,
                        s,
                        f.strideW(),
                        f.dilationW(),
                        f.padding().left(),
                        dy.dims().w());
                for (int k = firstK; k < firstK + kPerGroup && q >= 0; k++) {
                    sum += dy.get(n, k, p, q) * w.get(k, c % cPerGroup, r, s);
                }
            }
        }
        return sum;
    }

    static double dw(Conv2d op, Views t, int k, int c, int r, int s) {
        Tensor x = t.get(Arg.X);
        Tensor dy = t.get(Arg.DY);
        Window f = op.window();
        int channel = k / (op.k() / op.groups()) * (op.x().c() / op.groups()) + c;
        double sum = 0;
        for (int n = 0; n < op.x().n(); n++) {
            for (int p = 0; p < dy.dims().h(); p++) {
                for (int q = 0; q < dy.dims().w(); q++) {
                    int h = p * f.strideH() - f.padding().top() + r * f.dilationH();
                    int v = q * f.strideW() - f.padding().left() + s * f.dilationW();
                    sum += x.padded(n, channel, h, v) * dy.get(n, k, p, q);
                }
            }
        }
        return sum;
    }
}
