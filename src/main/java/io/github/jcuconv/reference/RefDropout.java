package io.github.jcuconv.reference;

import io.github.jcuconv.Layout;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.Dropout;

/** Dropout: both passes apply the same mask. */
final class RefDropout {
    private RefDropout() {}

    static double y(Dropout op, Views t, int n, int c, int h, int w) {
        return masked(op, t, t.get(Arg.X), n, c, h, w);
    }

    static double dx(Dropout op, Views t, int n, int c, int h, int w) {
        return masked(op, t, t.get(Arg.DY), n, c, h, w);
    }

    private static double masked(Dropout op, Views t, Tensor in, int n, int c, int h, int w) {
        Tensor seed = t.get(Arg.SEED);
        long i = Layout.Plain.NCHW.offset(op.x(), n, c, h, w);
        int dropped = op.droppedOfBlock(i / 4, (int) seed.at(0), (int) seed.at(1), (int) seed.at(2), (int) seed.at(3));
        return (dropped >> i % 4 & 1) == 1 ? 0 : in.get(n, c, h, w) / (1 - (double) op.rate());
    }
}
