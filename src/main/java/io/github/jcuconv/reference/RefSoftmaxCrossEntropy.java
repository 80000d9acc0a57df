package io.github.jcuconv.reference;

import io.github.jcuconv.Dims;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.SoftmaxCrossEntropy;

/** Softmax with cross-entropy over C, the mean over all pixels with a label. */
final class RefSoftmaxCrossEntropy {
    private RefSoftmaxCrossEntropy() {}

    static void forward(SoftmaxCrossEntropy op, Views t) {
        Dims d = op.x();
        Tensor x = t.get(Arg.X);
        double sum = 0;
        for (int n = 0; n < d.n(); n++) {
            for (int h = 0; h < d.h(); h++) {
                for (int w = 0; w < d.w(); w++) {
                    int label = label(t, n, h, w);
                    if (label != op.ignoreLabel()) {
                        boolean valid = label >= 0 && label < d.c();
                        sum += valid ? logSumExp(x, n, h, w) - x.get(n, label, h, w) : Double.NaN;
                    }
                }
            }
        }
        t.get(Arg.LOSS).put(0, sum / Math.max(pixels(op, t), 1));
    }

    static void backward(SoftmaxCrossEntropy op, Views t) {
        Dims d = op.x();
        Tensor x = t.get(Arg.X);
        double factor = t.get(Arg.LOSS_SCALE).at(0) / Math.max(pixels(op, t), 1);
        for (int n = 0; n < d.n(); n++) {
            for (int h = 0; h < d.h(); h++) {
                for (int w = 0; w < d.w(); w++) {
                    int label = label(t, n, h, w);
                    boolean valid = label >= 0 && label < d.c();
                    double log = logSumExp(x, n, h, w);
                    for (int c = 0; c < d.c(); c++) {
                        double gradient = Math.exp(x.get(n, c, h, w) - log) - (c == label ? 1 : 0);
                        double ifNot = label == op.ignoreLabel() ? 0 : Double.NaN;
                        t.get(Arg.DX).set(n, c, h, w, valid ? factor * gradient : ifNot);
                    }
                }
            }
        }
    }

    private static int label(Views t, int n, int h, int w) {
        return (int) t.get(Arg.LABELS).get(n, 0, h, w);
    }

    private static int pixels(SoftmaxCrossEntropy op, Views t) {
        int count = 0;
        for (int i = 0; i < t.get(Arg.LABELS).dims().count(); i++) {
            count += (int) t.get(Arg.LABELS).at(i) == op.ignoreLabel() ? 0 : 1;
        }
        return count;
    }

    private static double logSumExp(Tensor x, int n, int h, int w) {
        double max = Double.NEGATIVE_INFINITY;
        for (int c = 0; c < x.dims().c(); c++) {
            max = Math.max(max, x.get(n, c, h, w));
        }
        double sum = 0;
        for (int c = 0; c < x.dims().c(); c++) {
            sum += Math.exp(x.get(n, c, h, w) - max);
        }
        return max + Math.log(sum);
    }
}
