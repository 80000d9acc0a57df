package io.github.jcuconv.reference;

import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.ConvTranspose2d;
import io.github.jcuconv.op.Window;

/** Transposed convolution: {@code y[n, k, h*u - top + r*d, v*v' - left + s*e] += x[n,c,h,v] * w[c,k,r,s]}, gathered per output. */
final class RefConvTranspose2d {
    private RefConvTranspose2d() {}

    static double y(ConvTranspose2d op, Views t, int n, int k, int p, int q) {
        Tensor x = t.get(Arg.X);
        Tensor w = t.get(Arg.W);
        Window f = op.window();
        int cPerGroup = op.x().c() / op.groups();
        int kPerGroup = op.k() / op.groups();
        int firstC = k / kPerGroup * cPerGroup;
        double sum = 0;
        for (int r = 0; r < f.r(); r++) {
            int h = RefWindow.output(
                    p, r, f.strideH(), f.dilationH(), f.padding().top(), op.x().h());
            for (int s = 0; s < f.s() && h >= 0; s++) {
                int v = RefWindow.output(
                        q,
                        s,
                        f.strideW(),
                        f.dilationW(),
                        f.padding().left(),
                        op.x().w());
                for (int c = firstC; c < firstC + cPerGroup && v >= 0; c++) {
                    sum += x.get(n, c, h, v) * w.get(c, k % kPerGroup, r, s);
                }
            }
        }
        return RefEpilogue.apply(op.epilogue(), t, sum, n, k, p, q);
    }

    static double dx(ConvTranspose2d op, Views t, int n, int c, int h, int v) {
        Tensor dy = t.get(Arg.DY);
        Tensor w = t.get(Arg.W);
        Window f = op.window();
        int kPerGroup = op.k() / op.groups();
        int firstK = c / (op.x().c() / op.groups()) * kPerGroup;
        double sum = 0;
        for (int k = 0; k < kPerGroup; k++) {
            for (int r = 0; r < f.r(); r++) {
                for (int s = 0; s < f.s(); s++) {
                    int p = h * f.strideH() - f.padding().top() + r * f.dilationH();
                    int q = v * f.strideW() - f.padding().left() + s * f.dilationW();
                    sum += dy.padded(n, firstK + k, p, q) * w.get(c, k, r, s);
                }
            }
        }
        return sum;
    }

    static double dw(ConvTranspose2d op, Views t, int c, int k, int r, int s) {
        Tensor x = t.get(Arg.X);
        Tensor dy = t.get(Arg.DY);
        Window f = op.window();
        int channel = c / (op.x().c() / op.groups()) * (op.k() / op.groups()) + k;
        double sum = 0;
        for (int n = 0; n < op.x().n(); n++) {
            for (int h = 0; h < op.x().h(); h++) {
                for (int v = 0; v < op.x().w(); v++) {
                    int p = h * f.strideH() - f.padding().top() + r * f.dilationH();
                    int q = v * f.strideW() - f.padding().left() + s * f.dilationW();
                    sum += x.get(n, c, h, v) * dy.padded(n, channel, p, q);
                }
            }
        }
        return sum;
    }
}
