package io.github.jcuconv.reference;

import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.ChannelScale;

/** One gate per map, and the gradients of both. */
final class RefChannelScale {
    private RefChannelScale() {}

    static double y(ChannelScale op, Views t, int n, int c, int h, int w) {
        return t.get(Arg.X).get(n, c, h, w) * t.get(Arg.X2).get(n, c, 0, 0);
    }

    static double dx(ChannelScale op, Views t, int n, int c, int h, int w) {
        return t.get(Arg.DY).get(n, c, h, w) * t.get(Arg.X2).get(n, c, 0, 0);
    }

    static double dx2(ChannelScale op, Views t, int n, int c, int h, int w) {
        double sum = 0;
        for (int i = 0; i < op.x().h(); i++) {
            for (int j = 0; j < op.x().w(); j++) {
                sum += t.get(Arg.DY).get(n, c, i, j) * t.get(Arg.X).get(n, c, i, j);
            }
        }
        return sum;
    }
}
