package io.github.jcuconv.reference;

import io.github.jcuconv.op.Activation;
import io.github.jcuconv.op.Arg;

/** Elementwise activations; backward from y. */
final class RefActivation {
    private RefActivation() {}

    static double y(Activation op, Views t, int n, int c, int h, int w) {
        double x = t.get(Arg.X).get(n, c, h, w);
        return switch (op.kind()) {
            case RELU -> x < 0 ? 0 : x;
            case TANH -> Math.tanh(x);
            case SIGMOID -> 1 / (1 + Math.exp(-x));
        };
    }

    static double dx(Activation op, Views t, int n, int c, int h, int w) {
        double y = t.get(Arg.Y).get(n, c, h, w);
        double dy = t.get(Arg.DY).get(n, c, h, w);
        return switch (op.kind()) {
            case RELU -> y > 0 ? dy : 0;
            case TANH -> dy * (1 - y * y);
            case SIGMOID -> dy * y * (1 - y);
        };
    }
}
