package io.github.jcuconv.reference;

import io.github.jcuconv.op.Add;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.Concat;
import io.github.jcuconv.op.FiniteCheck;
import io.github.jcuconv.op.Reorder;

/** The operations that compute nothing or one addition. */
final class RefCopies {
    private RefCopies() {}

    static double add(Add op, Views t, int n, int c, int h, int w) {
        return t.get(Arg.X).get(n, c, h, w) + t.get(Arg.X2).get(n, c, h, w);
    }

    static double concat(Concat op, Views t, int n, int c, int h, int w) {
        boolean mine = c >= op.offset() && c < op.offset() + op.x().c();
        return mine ? t.get(Arg.X).get(n, c - op.offset(), h, w) : t.get(Arg.Y).get(n, c, h, w);
    }

    static double concatDx(Concat op, Views t, int n, int c, int h, int w) {
        return t.get(Arg.DY).get(n, c + op.offset(), h, w);
    }

    static double reorder(Reorder op, Views t, int n, int c, int h, int w) {
        return t.get(Arg.X).get(n, c, h, w);
    }

    static double flag(FiniteCheck op, Views t, int n, int c, int h, int w) {
        for (int i = 0; i < op.x().count(); i++) {
            if (!Double.isFinite(t.get(Arg.X).at(i))) {
                return 1;
            }
        }
        return 0;
    }
}
