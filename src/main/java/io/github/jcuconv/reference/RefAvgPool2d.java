package io.github.jcuconv.reference;

import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.AvgPool2d;
import io.github.jcuconv.op.Window;

/** Average pooling: the sum of the window's pixels over their number, or over the padded window's. */
final class RefAvgPool2d {
    private RefAvgPool2d() {}

    static double y(AvgPool2d op, Views t, int n, int c, int p, int q) {
        Tensor x = t.get(Arg.X);
        Window f = op.window();
        double sum = 0;
        for (int r = 0; r < f.r(); r++) {
            for (int s = 0; s < f.s(); s++) {
                sum += x.padded(
                        n,
                        c,
                        p * f.strideH() - f.padding().top() + r,
                        q * f.strideW() - f.padding().left() + s);
            }
        }
        return sum / divisor(op, p, q);
    }

    static double dx(AvgPool2d op, Views t, int n, int c, int h, int v) {
        Tensor dy = t.get(Arg.DY);
        Window f = op.window();
        double sum = 0;
        for (int r = 0; r < f.r(); r++) {
            int p = RefWindow.output(
                    h, r, f.strideH(), 1, f.padding().top(), dy.dims().h());
            for (int s = 0; s < f.s() && p >= 0; s++) {
                int q = RefWindow.output(
                        v, s, f.strideW(), 1, f.padding().left(), dy.dims().w());
                if (q >= 0) {
                    sum += dy.get(n, c, p, q) / divisor(op, p, q);
                }
            }
        }
        return sum;
    }

    private static int divisor(AvgPool2d op, int p, int q) {
        Window f = op.window();
        int rows = 0;
        int columns = 0;
        int top = op.countPadding() ? f.padding().top() : 0;
        int bottom = op.countPadding() ? f.padding().bottom() : 0;
        int left = op.countPadding() ? f.padding().left() : 0;
        int right = op.countPadding() ? f.padding().right() : 0;
        for (int r = 0; r < f.r(); r++) {
            int h = p * f.strideH() - f.padding().top() + r;
            rows += h >= -top && h < op.x().h() + bottom ? 1 : 0;
        }
        for (int s = 0; s < f.s(); s++) {
            int v = q * f.strideW() - f.padding().left() + s;
            columns += v >= -left && v < op.x().w() + right ? 1 : 0;
        }
        return rows * columns;
    }
}
