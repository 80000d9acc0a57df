package io.github.jcuconv.onednn;

import io.github.jcuconv.Arguments;
import io.github.jcuconv.Layout;
import io.github.jcuconv.Memory;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.ChannelScale;
import io.github.jcuconv.op.Pass;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.dnnl.stream;
import org.jspecify.annotations.Nullable;

/**
 * Channel scale in Java, where x lies: NCHW, NHWC, or blocks of 16 channels that the channels fill. In each of them the tensor is a list of
 * planes, and a plane is a list of pixels of as many neighbouring channels ("lanes") as the layout has: 1, C or 16.
 */
final class OnednnChannelScale implements Factory<ChannelScale> {
    private static final int BLOCK = 16;

    @Override
    public Map<Arg, Layout> propose(OnednnEngine engine, ChannelScale op, Pass pass, Map<Arg, Layout> known) {
        Layout layout = known.getOrDefault(Arg.X, Layout.Plain.NCHW);
        layout = lanes(op, layout) == 0 ? Layout.Plain.NCHW : layout;
        Map<Arg, Layout> layouts = new EnumMap<>(Arg.class);
        for (Arg arg : images(pass)) {
            layouts.put(arg, layout);
        }
        return layouts;
    }

    private static List<Arg> images(Pass pass) {
        return pass == Pass.FWD ? List.of(Arg.X, Arg.Y) : List.of(Arg.X, Arg.DY, Arg.DX);
    }

    /** Neighbouring channels of a pixel, 0 for a layout that the kernel does not know. */
    private static int lanes(ChannelScale op, Layout layout) {
        if (layout instanceof Layout.Opaque) {
            return Copies.isBlocked(layout) && op.x().c() % BLOCK == 0 ? BLOCK : 0;
        }
        return layout == Layout.Plain.NCHW ? 1 : op.x().c();
    }

    @Override
    public void plan(PlanBuilder b, ChannelScale op, Pass pass) {
        Layout layout = b.layout(Arg.X);
        int lanes = lanes(op, layout);
        if (lanes == 0 || !images(pass).stream().allMatch(arg -> b.layout(arg).equals(layout))) {
            throw b.refuse(images(pass) + " must have one layout, plain or of full blocks; put a reorder before it");
        }
        OnednnEngine.requireNchw(b, Arg.X2);
        b.step("java", () -> new Kernel(b, op, pass, lanes));
    }

    private static final class Kernel implements Step, Workers.Task {
        private static final int TILE = 1024;
        private final Workers workers;
        private final int lanes;
        private final int planes;
        private final int planeSize;
        private final int tile;
        private final float[][][] scratch;
        private final Halves.Scratch[] halves;
        private final View x;
        private final View gates;
        private final View to;
        private final @Nullable View dy;
        private final @Nullable View dgates;

        Kernel(PlanBuilder b, ChannelScale op, Pass pass, int lanes) {
            this.workers = b.engine().workers();
            this.lanes = lanes;
            this.planes = op.x().n() * op.x().c() / lanes;
            this.planeSize = Math.multiplyExact(op.x().h() * op.x().w(), lanes);
            this.tile = lanes * Math.max(1, TILE / lanes);
            this.scratch = new float[workers.threads()][4][tile];
            this.halves = new Halves.Scratch[workers.threads()];
            for (int i = 0; i < halves.length; i++) {
                halves[i] = new Halves.Scratch(tile);
            }
            this.x = view(b, Arg.X);
            this.gates = view(b, Arg.X2);
            boolean forward = pass == Pass.FWD;
            this.to = view(b, forward ? Arg.Y : Arg.DX);
            this.dy = forward ? null : view(b, Arg.DY);
            this.dgates = forward ? null : view(b, Arg.DX2);
        }

        private static View view(PlanBuilder b, Arg arg) {
            return new View(b.direct(arg), b.type(arg));
        }

        @Override
        public void run(Arguments args, @Nullable Memory workspace, stream queue, int slice) {
            for (View view : new View[] {x, gates, to, dy, dgates}) {
                if (view != null) {
                    view.bind(args, workspace, slice);
                }
            }
            workers.run(this, planes);
        }

        @Override
        public void chunk(int plane, int worker) {
            float[][] s = scratch[worker];
            float[] gate = s[2];
            float[] sums = s[3];
            gates.load(plane * lanes, gate, lanes, halves[worker]);
            java.util.Arrays.fill(sums, 0, lanes, 0f);
            for (int from = 0; from < planeSize; from += tile) {
                int at = plane * planeSize + from;
                int n = Math.min(tile, planeSize - from);
                x.load(at, s[0], n, halves[worker]);
                if (dy != null) {
                    dy.load(at, s[1], n, halves[worker]);
                    dot(s[0], s[1], sums, n);
                    scale(s[1], gate, n);
                    to.store(at, s[1], n, halves[worker]);
                } else {
                    scale(s[0], gate, n);
                    to.store(at, s[0], n, halves[worker]);
                }
            }
            if (dgates != null) {
                dgates.store(plane * lanes, sums, lanes, halves[worker]);
            }
        }

        private void scale(float[] values, float[] gate, int n) {
            for (int pixel = 0; pixel < n; pixel += lanes) {
                for (int lane = 0; lane < lanes; lane++) {
                    values[pixel + lane] *= gate[lane];
                }
            }
        }

        private void dot(float[] a, float[] b, float[] sums, int n) {
            for (int pixel = 0; pixel < n; pixel += lanes) {
                for (int lane = 0; lane < lanes; lane++) {
                    sums[lane] += a[pixel + lane] * b[pixel + lane];
                }
            }
        }
    }
}
