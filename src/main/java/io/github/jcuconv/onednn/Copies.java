package io.github.jcuconv.onednn;

import io.github.jcuconv.Arguments;
import io.github.jcuconv.DataType;
import io.github.jcuconv.Layout;
import io.github.jcuconv.Memory;
import io.github.jcuconv.op.Add;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.Concat;
import io.github.jcuconv.op.Dropout;
import io.github.jcuconv.op.Pass;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.dnnl.stream;
import org.jspecify.annotations.Nullable;

/** Addition, concatenation and dropout: Java kernels that are bound by memory. */
final class Copies {
    private static final String BLOCKED = "aBcd16b";

    private Copies() {}

    /** Whether it is oneDNN's layout of blocks of 16 channels. */
    static boolean isBlocked(Layout layout) {
        return layout instanceof Layout.Opaque opaque && opaque.format().equals(BLOCKED);
    }

    /** y = x + x2 in any one layout. */
    static final class AddFactory implements Factory<Add> {
        @Override
        public Map<Arg, Layout> propose(OnednnEngine engine, Add op, Pass pass, Map<Arg, Layout> known) {
            return OnednnEngine.allLike(op, pass, known, Arg.X);
        }

        @Override
        public void plan(PlanBuilder b, Add op, Pass pass) {
            if (!b.layout(Arg.X).equals(b.layout(Arg.X2)) || !b.layout(Arg.X).equals(b.layout(Arg.Y))) {
                throw b.refuse("X, X2 and Y must have one layout; put a reorder before it");
            }
            long count = b.elements(Arg.X);
            b.step(
                    "java",
                    () -> new Kernels.Sum(
                            b.engine().workers(),
                            count,
                            new View(b.direct(Arg.X), b.type(Arg.X)),
                            new View(b.direct(Arg.X2), b.type(Arg.X2)),
                            new View(b.direct(Arg.Y), b.type(Arg.Y))));
        }
    }

    /** Dropout; the mask counts elements in NCHW order. */
    static final class DropoutFactory implements Factory<Dropout> {
        @Override
        public Map<Arg, Layout> propose(OnednnEngine engine, Dropout op, Pass pass, Map<Arg, Layout> known) {
            return Map.of();
        }

        @Override
        public void plan(PlanBuilder b, Dropout op, Pass pass) {
            Arg from = pass == Pass.FWD ? Arg.X : Arg.DY;
            Arg to = pass == Pass.FWD ? Arg.Y : Arg.DX;
            OnednnEngine.requireNchw(b, from, to);
            b.step(
                    "java",
                    () -> new Kernels.Drop(
                            b.engine().workers(),
                            op,
                            new View(b.direct(from), b.type(from)),
                            new View(b.direct(Arg.SEED), DataType.INT32),
                            new View(b.direct(to), b.type(to))));
        }
    }

    /** Concatenation: runs of bytes that lie together in both tensors. */
    static final class ConcatFactory implements Factory<Concat> {
        @Override
        public Optional<String> refusal(Concat op, Pass pass) {
            Arg from = pass == Pass.FWD ? Arg.X : Arg.DY;
            Arg to = pass == Pass.FWD ? Arg.Y : Arg.DX;
            return op.types().of(from) == op.types().of(to)
                    ? Optional.empty()
                    : Optional.of("it copies bytes, so both tensors must have one type");
        }

        @Override
        public Map<Arg, Layout> propose(OnednnEngine engine, Concat op, Pass pass, Map<Arg, Layout> known) {
            Arg part = pass == Pass.FWD ? Arg.X : Arg.DX;
            Arg whole = pass == Pass.FWD ? Arg.Y : Arg.DY;
            Layout layout = known.getOrDefault(whole, known.getOrDefault(part, Layout.Plain.NCHW));
            if (layout instanceof Layout.Plain) {
                return Map.of(part, layout, whole, layout);
            }
            if (!isBlocked(layout) || !fitsBlocks(op)) {
                return Map.of();
            }
            Descs descs = engine.descs();
            return Map.of(
                    part, descs.layout(Descs.blocked(Descs.shape(op.x()), DataType.FP32), op.x()),
                    whole, descs.layout(Descs.blocked(Descs.shape(op.y()), DataType.FP32), op.y()));
        }

        private static boolean fitsBlocks(Concat op) {
            return op.x().c() % 16 == 0 && op.offset() % 16 == 0 && op.channels() % 16 == 0;
        }

        @Override
        public void plan(PlanBuilder b, Concat op, Pass pass) {
            Arg part = pass == Pass.FWD ? Arg.X : Arg.DX;
            Arg whole = pass == Pass.FWD ? Arg.Y : Arg.DY;
            Layout layout = b.layout(part);
            boolean blocked = isBlocked(layout) && isBlocked(b.layout(whole)) && fitsBlocks(op);
            if (!blocked && (layout instanceof Layout.Opaque || !layout.equals(b.layout(whole)))) {
                throw b.refuse(
                        part + " and " + whole + " must have one plain layout, or one of blocks that the parts fill");
            }
            boolean channelsLast = layout == Layout.Plain.NHWC;
            int plane = op.x().h() * op.x().w();
            int runs = channelsLast ? op.x().n() * plane : op.x().n();
            int inner = (channelsLast ? 1 : plane) * b.type(part).bytes();
            b.step("java", () -> new Runs(part, whole, pass == Pass.FWD, runs, op, inner));
        }
    }

    /** Copies {@code runs} runs between a part and the whole. */
    private record Runs(Arg part, Arg whole, boolean forward, int runs, Concat op, int inner) implements Step {
        @Override
        public void run(Arguments args, @Nullable Memory workspace, stream queue, int slice) {
            ByteBuffer small = args.get(part).host();
            ByteBuffer large = args.get(whole).host();
            int length = op.x().c() * inner;
            int pitch = op.channels() * inner;
            int at = op.offset() * inner;
            for (int i = 0; i < runs; i++) {
                if (forward) {
                    large.put(at + i * pitch, small, i * length, length);
                } else {
                    small.put(i * length, large, at + i * pitch, length);
                }
            }
        }
    }
}
