package io.github.jcuconv.reference;

import io.github.jcuconv.Dims;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.BatchNorm;
import io.github.jcuconv.op.Phase;

/** Batch normalization, one channel after the other. */
final class RefBatchNorm {
    private RefBatchNorm() {}

    /** A term at one pixel. */
    @FunctionalInterface
    private interface Term {
        double at(int n, int h, int w);
    }

    private static double sum(Dims d, Term term) {
        double sum = 0;
        for (int n = 0; n < d.n(); n++) {
            for (int h = 0; h < d.h(); h++) {
                for (int w = 0; w < d.w(); w++) {
                    sum += term.at(n, h, w);
                }
            }
        }
        return sum;
    }

    private static void fill(Tensor out, int c, Term term) {
        for (int n = 0; n < out.dims().n(); n++) {
            for (int h = 0; h < out.dims().h(); h++) {
                for (int w = 0; w < out.dims().w(); w++) {
                    out.set(n, c, h, w, term.at(n, h, w));
                }
            }
        }
    }

    static void forward(BatchNorm op, Views t) {
        Tensor x = t.get(Arg.X);
        for (int channel = 0; channel < op.x().c(); channel++) {
            int c = channel;
            double mean;
            double var;
            if (op.phase() == Phase.TRAINING) {
                double count = (double) op.x().n() * op.x().h() * op.x().w();
                double m = sum(op.x(), (n, h, w) -> x.get(n, c, h, w)) / count;
                mean = m;
                var = sum(op.x(), (n, h, w) -> square(x.get(n, c, h, w) - m)) / count;
                t.get(Arg.SAVE_MEAN).put(c, mean);
                t.get(Arg.SAVE_VAR).put(c, var);
                move(t.get(Arg.RUNNING_MEAN), c, op.momentum(), mean);
                move(t.get(Arg.RUNNING_VAR), c, op.momentum(), var * count / Math.max(count - 1, 1));
            } else {
                mean = t.get(Arg.RUNNING_MEAN).at(c);
                var = t.get(Arg.RUNNING_VAR).at(c);
            }
            double inverse = 1 / Math.sqrt(var + op.eps());
            double gamma = t.get(Arg.GAMMA).at(c);
            double beta = t.get(Arg.BETA).at(c);
            fill(t.get(Arg.Y), c, (n, h, w) -> gamma * (x.get(n, c, h, w) - mean) * inverse + beta);
        }
    }

    static void backward(BatchNorm op, Views t) {
        Tensor x = t.get(Arg.X);
        Tensor dy = t.get(Arg.DY);
        double count = (double) op.x().n() * op.x().h() * op.x().w();
        for (int channel = 0; channel < op.x().c(); channel++) {
            int c = channel;
            double mean = t.get(Arg.SAVE_MEAN).at(c);
            double inverse = 1 / Math.sqrt(t.get(Arg.SAVE_VAR).at(c) + op.eps());
            double gamma = t.get(Arg.GAMMA).at(c);
            Term xHat = (n, h, w) -> (x.get(n, c, h, w) - mean) * inverse;
            double dbeta = sum(op.x(), (n, h, w) -> dy.get(n, c, h, w));
            double dgamma = sum(op.x(), (n, h, w) -> dy.get(n, c, h, w) * xHat.at(n, h, w));
            t.get(Arg.DBETA).put(c, dbeta);
            t.get(Arg.DGAMMA).put(c, dgamma);
            fill(
                    t.get(Arg.DX),
                    c,
                    (n, h, w) ->
                            gamma * inverse * (dy.get(n, c, h, w) - dbeta / count - xHat.at(n, h, w) * dgamma / count));
        }
    }

    private static void move(Tensor running, int c, double momentum, double batch) {
        running.put(c, (1 - momentum) * running.at(c) + momentum * batch);
    }

    private static double square(double v) {
        return v * v;
    }
}
