package io.github.jcuconv.reference;

import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.Epilogue;

/** The ordered steps between a sum and its store, on fp64. */
final class RefEpilogue {
    private RefEpilogue() {}

    static double apply(Epilogue epilogue, Views t, double sum, int n, int k, int p, int q) {
        double v = sum;
        for (Epilogue.Step step : epilogue.steps()) {
            v = switch (step) {
                case BIAS -> v + t.get(Arg.BIAS).get(0, k, 0, 0);
                case SCALE -> v * t.get(Arg.SCALE).get(0, k, 0, 0);
                case RESIDUAL -> v + t.get(Arg.RESIDUAL).get(n, k, p, q);
                case RELU -> v < 0 ? 0 : v;
                case TANH -> Math.tanh(v);
                case SIGMOID -> 1 / (1 + Math.exp(-v));
            };
        }
        return v;
    }

    /** Gradient of the bias: the sum of dy over all but the channel. */
    static double dbias(Tensor dy, int k) {
        double sum = 0;
        for (int n = 0; n < dy.dims().n(); n++) {
            for (int p = 0; p < dy.dims().h(); p++) {
                for (int q = 0; q < dy.dims().w(); q++) {
                    sum += dy.get(n, k, p, q);
                }
            }
        }
        return sum;
    }
}
