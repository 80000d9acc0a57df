package io.github.jcuconv.verify;

import static io.github.jcuconv.verify.Bounds.U;

import io.github.jcuconv.Dims;
import io.github.jcuconv.op.Activation;
import io.github.jcuconv.op.Adam;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.BatchNorm;
import io.github.jcuconv.op.Hyper;
import io.github.jcuconv.op.Lrn;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.Phase;
import io.github.jcuconv.op.Sgd;
import io.github.jcuconv.op.SoftmaxCrossEntropy;
import io.github.jcuconv.op.StepControl;
import io.github.jcuconv.reference.ReferenceTable;
import io.github.jcuconv.reference.Tensor;
import io.github.jcuconv.reference.Views;

/**
 * First-order error bounds of the operations that are no plain sums; u is {@link Bounds#U}. Elementary functions are granted an error of 8 u
 * beside what their rounded argument costs.
 */
final class NonlinearBounds {
    private NonlinearBounds() {}

    /** A number at one element. */
    @FunctionalInterface
    private interface Term {
        double at(int n, int c, int h, int w);
    }

    /**
     * The error of every output element.
     *
     * @param in typed inputs, state before the update included
     * @param out fp64 results
     */
    static Views of(OpDescriptor op, Pass pass, Views in, Views out) {
        Views errors = new Views();
        if (op instanceof Activation a) {
            activation(a, pass, in, out, errors);
        } else if (op instanceof Lrn l) {
            lrn(l, pass, in, out, errors);
        } else if (op instanceof BatchNorm b) {
            batchNorm(b, pass, in, out, errors);
        } else if (op instanceof SoftmaxCrossEntropy s) {
            softmax(s, pass, in, out, errors);
        } else if (op instanceof Sgd s) {
            sgd(s, in, errors);
        } else if (op instanceof Adam a) {
            adam(a, in, out, errors);
        } else if (op instanceof StepControl) {
            stepControl(out, errors);
        } else {
            throw new IllegalArgumentException(op.name() + ": no bound");
        }
        return errors;
    }

    private static void put(Views errors, Arg arg, Dims d, Term error) {
        Tensor tensor = Tensor.exact(d);
        for (int n = 0; n < d.n(); n++) {
            for (int c = 0; c < d.c(); c++) {
                for (int h = 0; h < d.h(); h++) {
                    for (int w = 0; w < d.w(); w++) {
                        tensor.set(n, c, h, w, error.at(n, c, h, w));
                    }
                }
            }
        }
        errors.set(arg, tensor);
    }

    /**
     * Sigmoid s: exp has the relative error (|x| + 8) u, which s(1-s) damps, and two more operations cost 4 u s. Tanh as 2 s(2x) - 1 doubles
     * both, and cancellation makes its error absolute; |x| (1 - y^2) is below 1/2, so 16 u bounds both. Backward: three operations on terms
     * of at most |dy| (1 + y^2), or |dy y| (1 + |y|).
     */
    static void activation(Activation op, Pass pass, Views in, Views out, Views errors) {
        if (pass == Pass.BWD) {
            Tensor y = in.get(Arg.Y);
            Tensor dy = in.get(Arg.DY);
            boolean tanh = op.kind() == Activation.Kind.TANH;
            put(errors, Arg.DX, op.x(), (n, c, h, w) -> {
                double v = Math.abs(y.get(n, c, h, w));
                return 4 * U * Math.abs(dy.get(n, c, h, w)) * (tanh ? 1 + v * v : v * (1 + v));
            });
            return;
        }
        Tensor x = in.get(Arg.X);
        Tensor y = out.get(Arg.Y);
        put(errors, Arg.Y, op.x(), (n, c, h, w) -> {
            double v = y.get(n, c, h, w);
            double a = Math.abs(x.get(n, c, h, w));
            return op.kind() == Activation.Kind.TANH
                    ? U * (4 + (1 - v * v) * (2 * a + 8))
                    : U * v * (4 + (1 - v) * (a + 8));
        });
    }

    /**
     * scale is a sum of size + 1 positive terms: relative error (size + 4) u. A power b of it costs b times that, plus 4 b |ln scale| + 8 for
     * the exponential's argument. Backward: size terms more, of the powers beta and beta + 1; its two parts may cancel, so the magnitudes add.
     */
    private static void lrn(Lrn op, Pass pass, Views in, Views out, Views errors) {
        double sum = op.size() + 4;
        if (pass == Pass.FWD) {
            Tensor y = out.get(Arg.Y);
            double relative = U * (op.beta() * (sum + 4 * largestLog(scale(op, in))) + 8);
            put(errors, Arg.Y, op.x(), (n, c, h, w) -> relative * Math.abs(y.get(n, c, h, w)));
            if (op.phase() == Phase.TRAINING) {
                Tensor saved = out.get(Arg.SAVED);
                put(errors, Arg.SAVED, op.x(), (n, c, h, w) -> U * sum * saved.get(n, c, h, w));
            }
            return;
        }
        double relative = U * ((op.beta() + 1) * (sum + 4 * largestLog(in.get(Arg.SAVED))) + op.size() + 24);
        Tensor dx = magnitudes(op, in);
        put(errors, Arg.DX, op.x(), (n, c, h, w) -> {
            double direct = Math.abs(in.get(Arg.DY).get(n, c, h, w))
                    * Math.pow(in.get(Arg.SAVED).get(n, c, h, w), -op.beta());
            // On absolute inputs dx is direct - rest, so direct + rest = 2 direct - dx.
            return relative * (2 * direct - dx.get(n, c, h, w));
        });
    }

    private static Tensor scale(Lrn op, Views in) {
        Lrn training = op.phase(Phase.TRAINING);
        Tensor scale = Tensor.exact(op.x());
        Views views = new Views()
                .set(Arg.X, in.get(Arg.X))
                .set(Arg.Y, Tensor.exact(op.x()))
                .set(Arg.SAVED, scale);
        ReferenceTable.run(training, Pass.FWD, views, false);
        return scale;
    }

    private static double largestLog(Tensor scale) {
        double largest = 0;
        for (int i = 0; i < scale.dims().count(); i++) {
            largest = Math.max(largest, Math.abs(Math.log(scale.at(i))));
        }
        return largest;
    }

    private static Tensor magnitudes(Lrn op, Views in) {
        Tensor dx = Tensor.exact(op.x());
        Views views = new Views()
                .set(Arg.X, Inputs.absolute(in.get(Arg.X)))
                .set(Arg.DY, Inputs.absolute(in.get(Arg.DY)))
                .set(Arg.SAVED, in.get(Arg.SAVED))
                .set(Arg.DX, dx);
        ReferenceTable.run(op, Pass.BWD, views, false);
        return dx;
    }

    /**
     * With m pixels per channel the mean is off by e = (m + 2) u mean|x|, a two-pass variance by (m + 4) u var + e^2, 1 / sqrt(var + eps) by
     * half of that relatively, and y by what these make of it plus four operations. Backward: xhat is off by 6 u X, X = (|x| + |mean|) / sd,
     * sums of m terms by m u of their magnitude.
     */
    private static void batchNorm(BatchNorm op, Pass pass, Views in, Views out, Views errors) {
        Dims d = op.x();
        Dims v = Dims.vector(d.c());
        double m = (double) d.n() * d.h() * d.w();
        Tensor x = in.get(Arg.X);
        Tensor gamma = in.get(Arg.GAMMA);
        if (pass == Pass.BWD) {
            Tensor dy = in.get(Arg.DY);
            Term size = (n, c, h, w) -> (Math.abs(x.get(n, c, h, w))
                            + Math.abs(in.get(Arg.SAVE_MEAN).at(c)))
                    / Math.sqrt(in.get(Arg.SAVE_VAR).at(c) + op.eps());
            double[] dbeta = perChannel(d, (n, c, h, w) -> Math.abs(dy.get(n, c, h, w)));
            double[] dgamma = perChannel(d, (n, c, h, w) -> Math.abs(dy.get(n, c, h, w)) * size.at(n, c, h, w));
            put(errors, Arg.DBETA, v, (n, c, h, w) -> U * (m + 2) * dbeta[c]);
            put(errors, Arg.DGAMMA, v, (n, c, h, w) -> U * (m + 10) * dgamma[c]);
            put(
                    errors,
                    Arg.DX,
                    d,
                    (n, c, h, w) -> Math.abs(gamma.at(c))
                            / Math.sqrt(in.get(Arg.SAVE_VAR).at(c) + op.eps())
                            * U
                            * (8 * Math.abs(dy.get(n, c, h, w))
                                    + (m + 8) * dbeta[c] / m
                                    + (m + 20) * size.at(n, c, h, w) * dgamma[c] / m));
            return;
        }
        Tensor beta = in.get(Arg.BETA);
        Tensor y = out.get(Arg.Y);
        if (op.phase() == Phase.INFERENCE) {
            put(
                    errors,
                    Arg.Y,
                    d,
                    (n, c, h, w) -> 8
                            * U
                            * (Math.abs(gamma.at(c))
                                            / Math.sqrt(in.get(Arg.RUNNING_VAR).at(c) + op.eps())
                                            * (Math.abs(x.get(n, c, h, w))
                                                    + Math.abs(in.get(Arg.RUNNING_MEAN)
                                                            .at(c)))
                                    + Math.abs(beta.at(c))));
            return;
        }
        double[] magnitude = perChannel(d, (n, c, h, w) -> Math.abs(x.get(n, c, h, w)));
        Term mean = (n, c, h, w) -> U * (m + 2) * magnitude[c] / m;
        Tensor var = out.get(Arg.SAVE_VAR);
        Term variance = (n, c, h, w) -> U * (m + 4) * var.at(c) + square(mean.at(n, c, h, w));
        double unbiased = m / Math.max(m - 1, 1);
        put(errors, Arg.SAVE_MEAN, v, mean);
        put(errors, Arg.SAVE_VAR, v, variance);
        put(
                errors,
                Arg.RUNNING_MEAN,
                v,
                (n, c, h, w) -> op.momentum() * mean.at(n, c, h, w)
                        + 4
                                * U
                                * (Math.abs(in.get(Arg.RUNNING_MEAN).at(c))
                                        + Math.abs(out.get(Arg.SAVE_MEAN).at(c))));
        put(
                errors,
                Arg.RUNNING_VAR,
                v,
                (n, c, h, w) -> unbiased * op.momentum() * variance.at(n, c, h, w)
                        + 4 * U * (in.get(Arg.RUNNING_VAR).at(c) + unbiased * var.at(c)));
        put(errors, Arg.Y, d, (n, c, h, w) -> {
            double inverse = 1 / Math.sqrt(var.at(c) + op.eps());
            double difference =
                    Math.abs(x.get(n, c, h, w) - out.get(Arg.SAVE_MEAN).at(c));
            double relative = variance.at(n, c, h, w) * inverse * inverse / 2 + 6 * U;
            double folded = 4
                    * U
                    * inverse
                    * (Math.abs(x.get(n, c, h, w))
                            + Math.abs(out.get(Arg.SAVE_MEAN).at(c)));
            return Math.abs(gamma.at(c)) * (inverse * (mean.at(n, c, h, w) + difference * relative) + folded)
                    + 4 * U * (Math.abs(beta.at(c)) + Math.abs(y.get(n, c, h, w)));
        });
    }

    private static double[] perChannel(Dims d, Term term) {
        double[] sums = new double[d.c()];
        for (int n = 0; n < d.n(); n++) {
            for (int c = 0; c < d.c(); c++) {
                for (int h = 0; h < d.h(); h++) {
                    for (int w = 0; w < d.w(); w++) {
                        sums[c] += term.at(n, c, h, w);
                    }
                }
            }
        }
        return sums;
    }

    /**
     * With D the spread of the logits, exp costs (D + 8) u, their sum of C terms C u: a probability is off by (C + 12 + 2 D) u of itself, the
     * loss of a pixel by (C + 16 + 6 D) u plus 4 u ln C; the mean over the pixels adds as many u as there are pixels.
     */
    private static void softmax(SoftmaxCrossEntropy op, Pass pass, Views in, Views out, Views errors) {
        Dims d = op.x();
        Tensor x = in.get(Arg.X);
        double low = Double.POSITIVE_INFINITY;
        double high = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < d.count(); i++) {
            low = Math.min(low, x.at(i));
            high = Math.max(high, x.at(i));
        }
        double spread = high - low;
        double pixels = Inputs.countLabels(in.get(Arg.LABELS), op.ignoreLabel());
        if (pass == Pass.FWD) {
            double loss = Math.abs(out.get(Arg.LOSS).at(0));
            double error = U * (d.c() + 16 + 6 * spread + 4 * Math.log(d.c()) + (pixels + 4) * loss);
            put(errors, Arg.LOSS, Dims.vector(1), (n, c, h, w) -> error);
            return;
        }
        Tensor dx = out.get(Arg.DX);
        double factor = Math.abs(in.get(Arg.LOSS_SCALE).at(0)) / Math.max(pixels, 1);
        put(errors, Arg.DX, d, (n, c, h, w) -> {
            double gradient = Math.abs(dx.get(n, c, h, w));
            boolean label = (int) in.get(Arg.LABELS).get(n, 0, h, w) == c;
            double probability = label ? Math.max(factor - gradient, 0) : gradient;
            return U * ((d.c() + 12 + 2 * spread) * probability + 4 * gradient);
        });
    }

    /** Two products and two sums for the step, two operations for the weight; the magnitudes add since terms may cancel. */
    private static void sgd(Sgd op, Views in, Views errors) {
        Dims d = Dims.vector(op.count());
        if (isSkipped(in)) {
            unchanged(d, errors, Arg.W, Arg.M, Arg.W_STORAGE);
            return;
        }
        Term step = (n, c, h, w) -> Math.abs(
                        hyper(in, Hyper.GRADIENT_SCALE) * in.get(Arg.DW).at(c))
                + Math.abs(hyper(in, Hyper.WEIGHT_DECAY) * in.get(Arg.W).at(c))
                + (op.momentum()
                        ? Math.abs(hyper(in, Hyper.MOMENTUM) * in.get(Arg.M).at(c))
                        : 0);
        Term weight = (n, c, h, w) ->
                8 * U * (Math.abs(in.get(Arg.W).at(c)) + hyper(in, Hyper.LEARNING_RATE) * step.at(n, c, h, w));
        if (op.momentum()) {
            put(errors, Arg.M, d, (n, c, h, w) -> 6 * U * step.at(n, c, h, w));
        }
        put(errors, Arg.W, d, weight);
        put(errors, Arg.W_STORAGE, d, weight);
    }

    /** m costs 4 operations, v 5, its root halves that; the quotient and the step cost 8 more on magnitudes that add. */
    private static void adam(Adam op, Views in, Views out, Views errors) {
        Dims d = Dims.vector(op.count());
        if (isSkipped(in)) {
            unchanged(d, errors, Arg.W, Arg.M, Arg.V, Arg.W_STORAGE);
            return;
        }
        double beta1 = hyper(in, Hyper.MOMENTUM);
        Term first = (n, c, h, w) -> beta1 * Math.abs(in.get(Arg.M).at(c))
                + (1 - beta1)
                        * Math.abs(
                                hyper(in, Hyper.GRADIENT_SCALE) * in.get(Arg.DW).at(c));
        Term weight = (n, c, h, w) -> {
            double w0 = Math.abs(in.get(Arg.W).at(c));
            double root = Math.sqrt(out.get(Arg.V).at(c) / hyper(in, Hyper.CORRECTION2)) + hyper(in, Hyper.EPS);
            double quotient = first.at(n, c, h, w) / hyper(in, Hyper.CORRECTION1) / root;
            return U
                    * (4 * w0
                            + hyper(in, Hyper.LEARNING_RATE)
                                    * (20 * quotient + 8 * hyper(in, Hyper.WEIGHT_DECAY) * w0));
        };
        put(errors, Arg.M, d, (n, c, h, w) -> 4 * U * first.at(n, c, h, w));
        put(errors, Arg.V, d, (n, c, h, w) -> 6 * U * out.get(Arg.V).at(c));
        put(errors, Arg.W, d, weight);
        put(errors, Arg.W_STORAGE, d, weight);
    }

    /**
     * Copies and counts are exact. The gradient scale is a rounded product and a quotient; a power in fp64, of a number below 1, is granted an
     * error of 2^-50.
     */
    private static void stepControl(Views out, Views errors) {
        put(errors, Arg.COUNTERS, Dims.vector(StepControl.COUNTERS), (n, c, h, w) -> 0);
        put(errors, Arg.LOSS_SCALE, Dims.vector(1), (n, c, h, w) -> 0);
        put(errors, Arg.SEED, Dims.vector(4), (n, c, h, w) -> 0);
        Tensor hyper = out.get(Arg.HYPER);
        put(errors, Arg.HYPER, hyper.dims(), (n, c, h, w) -> switch (c % Hyper.COUNT) {
            case Hyper.GRADIENT_SCALE -> 2 * U * hyper.at(c);
            case Hyper.CORRECTION1, Hyper.CORRECTION2 -> 0x1p-50;
            default -> 0;
        });
    }

    private static void unchanged(Dims d, Views errors, Arg... args) {
        for (Arg arg : args) {
            put(errors, arg, d, (n, c, h, w) -> 0);
        }
    }

    private static boolean isSkipped(Views in) {
        return hyper(in, Hyper.APPLY) == 0;
    }

    private static double hyper(Views in, int index) {
        return in.get(Arg.HYPER).at(index);
    }

    private static double square(double v) {
        return v * v;
    }
}
