package io.github.jcuconv.reference;

import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.MaxPool2d;
import io.github.jcuconv.op.Window;

/** Max-pooling: the first maximum in row-major order wins, NaN wins over numbers, padding never wins. */
final class RefMaxPool2d {
    private RefMaxPool2d() {}

    static double y(MaxPool2d op, Views t, int n, int c, int p, int q) {
        int offset = (int) argmax(op, t, n, c, p, q);
        Window f = op.window();
        int h = p * f.strideH() - f.padding().top() + offset / f.s() * f.dilationH();
        int v = q * f.strideW() - f.padding().left() + offset % f.s() * f.dilationW();
        return t.get(Arg.X).get(n, c, h, v);
    }

    static double argmax(MaxPool2d op, Views t, int n, int c, int p, int q) {
        Tensor x = t.get(Arg.X);
        Window f = op.window();
        int best = -1;
        double max = 0;
        for (int r = 0; r < f.r(); r++) {
            for (int s = 0; s < f.s(); s++) {
                int h = p * f.strideH() - f.padding().top() + r * f.dilationH();
                int v = q * f.strideW() - f.padding().left() + s * f.dilationW();
                if (h < 0 || h >= op.x().h() || v < 0 || v >= op.x().w()) {
                    continue;
                }
                double value = x.get(n, c, h, v);
                if (best < 0 || value > max || Double.isNaN(value) && !Double.isNaN(max)) {
                    best = r * f.s() + s;
                    max = value;
                }
            }
        }
        return best;
    }

    static double dx(MaxPool2d op, Views t, int n, int c, int h, int v) {
        Tensor dy = t.get(Arg.DY);
        Tensor argmax = t.get(Arg.ARGMAX);
        Window f = op.window();
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
                if (q >= 0 && argmax.get(n, c, p, q) == r * f.s() + s) {
                    sum += dy.get(n, c, p, q);
                }
            }
        }
        return sum;
    }
}
