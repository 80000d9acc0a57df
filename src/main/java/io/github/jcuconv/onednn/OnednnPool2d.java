package io.github.jcuconv.onednn;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WORKSPACE;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Dims;
import io.github.jcuconv.Layout;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.ArgSpec;
import io.github.jcuconv.op.AvgPool2d;
import io.github.jcuconv.op.MaxPool2d;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.Phase;
import io.github.jcuconv.op.Window;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.bytedeco.dnnl.global.dnnl.prop_kind;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.pooling_backward;
import org.bytedeco.dnnl.pooling_forward;
import org.bytedeco.dnnl.primitive_desc;

/** Both poolings: they follow the layout of what they read. oneDNN's workspace of max-pooling is our ARGMAX. */
final class OnednnPool2d {
    private OnednnPool2d() {}

    /** What the two have in common. */
    private record Pool(
            OpDescriptor op, Dims x, Dims y, Window window, boolean ceil, algorithm kind, boolean training) {
        static Pool of(MaxPool2d op) {
            return new Pool(
                    op, op.x(), op.y(), op.window(), op.ceil(), algorithm.pooling_max, op.phase() == Phase.TRAINING);
        }

        static Pool of(AvgPool2d op) {
            return new Pool(
                    op,
                    op.x(),
                    op.y(),
                    op.window(),
                    op.ceil(),
                    op.countPadding() ? algorithm.pooling_avg_include_padding : algorithm.pooling_avg_exclude_padding,
                    false);
        }

        boolean isMax() {
            return op instanceof MaxPool2d;
        }

        private long[] strides() {
            return new long[] {window.strideH(), window.strideW()};
        }

        private long[] kernel() {
            return new long[] {window.r(), window.s()};
        }

        private long[] dilations() {
            return new long[] {window.dilationH() - 1, window.dilationW() - 1};
        }

        private long[] before() {
            return new long[] {window.padding().top(), window.padding().left()};
        }

        /** What the last window of each direction reaches beyond the image, which in ceil mode is more than the padding. */
        private long[] after() {
            long bottom = (long) (y.h() - 1) * window.strideH()
                    + window.spanH()
                    - x.h()
                    - window.padding().top();
            long right = (long) (y.w() - 1) * window.strideW()
                    + window.spanW()
                    - x.w()
                    - window.padding().left();
            return new long[] {
                Math.max(bottom, ceil ? 0 : window.padding().bottom()),
                Math.max(right, ceil ? 0 : window.padding().right())
            };
        }

        pooling_forward.primitive_desc forward(engine cpu, memory.desc src, memory.desc dst, boolean train) {
            return new pooling_forward.primitive_desc(
                    cpu,
                    train ? prop_kind.forward_training : prop_kind.forward_inference,
                    kind,
                    src,
                    dst,
                    strides(),
                    kernel(),
                    dilations(),
                    before(),
                    after(),
                    PlanBuilder.attributes(),
                    false);
        }

        pooling_backward.primitive_desc backward(engine cpu, memory.desc src, memory.desc dst) {
            return new pooling_backward.primitive_desc(
                    cpu,
                    kind,
                    src,
                    dst,
                    strides(),
                    kernel(),
                    dilations(),
                    before(),
                    after(),
                    forward(cpu, src, dst, true),
                    PlanBuilder.attributes(),
                    false);
        }

        Map<Arg, Layout> propose(OnednnEngine engine, Pass pass, Map<Arg, Layout> known) {
            Descs descs = engine.descs();
            Layout given = known.get(pass == Pass.FWD ? Arg.X : Arg.DY);
            Layout other = known.getOrDefault(pass == Pass.FWD ? Arg.Y : Arg.DX, Layout.Plain.NCHW);
            Layout blocks = given == null ? other : given;
            DataType type =
                    op.arguments(pass).get(0).type() == DataType.BF16 && engine.bf16() ? DataType.BF16 : DataType.FP32;
            memory.desc small = descs.sameOrder(blocks, Descs.shape(y), type);
            memory.desc large = descs.sameOrder(blocks, Descs.shape(x), type);
            Map<Arg, Layout> layouts = new EnumMap<>(Arg.class);
            primitive_desc desc =
                    Native.call(op.name() + " layouts", () -> forward(engine.cpu(), large, small, training || isMax()));
            for (ArgSpec spec : op.arguments(pass)) {
                layouts.put(
                        spec.arg(),
                        switch (spec.arg()) {
                            case X, DX -> descs.layout(large, x);
                            case ARGMAX -> descs.layout(desc.workspace_desc(), y);
                            default -> descs.layout(small, y);
                        });
            }
            return layouts;
        }

        void plan(PlanBuilder b, Pass pass) {
            Arg reads = pass == Pass.FWD ? Arg.X : Arg.DY;
            Arg writes = pass == Pass.FWD ? Arg.Y : Arg.DX;
            DataType type = b.bf16(reads, writes);
            Descs descs = b.engine().descs();
            boolean forward = pass == Pass.FWD;
            memory.desc src = descs.of(b.layout(forward ? Arg.X : Arg.DX), Descs.shape(x), type);
            memory.desc dst = descs.of(b.layout(forward ? Arg.Y : Arg.DY), Descs.shape(y), type);
            primitive_desc desc = b.create(() -> forward
                    ? forward(b.engine().cpu(), src, dst, training)
                    : backward(b.engine().cpu(), src, dst));
            List<PrimitiveStep.Use> uses = new ArrayList<>();
            uses.add(new PrimitiveStep.Use(
                    forward ? DNNL_ARG_SRC : DNNL_ARG_DIFF_DST, b.in(reads, type), forward ? src : dst));
            uses.add(new PrimitiveStep.Use(
                    forward ? DNNL_ARG_DST : DNNL_ARG_DIFF_SRC, b.out(writes, type), forward ? dst : src));
            if (b.has(Arg.ARGMAX)) {
                memory.desc saved = desc.workspace_desc();
                if (!descs.isArranged(
                                saved, b.layout(Arg.ARGMAX), b.spec(Arg.ARGMAX).dims())
                        || saved.get_data_type().value != Descs.type(b.type(Arg.ARGMAX)).value) {
                    throw b.refuse(
                            "ARGMAX must be laid out as proposed together with Y, not as " + b.layout(Arg.ARGMAX));
                }
                uses.add(new PrimitiveStep.Use(DNNL_ARG_WORKSPACE, b.direct(Arg.ARGMAX), saved));
            }
            b.primitive(desc, uses);
        }
    }

    /** Max-pooling. */
    static final class Max implements Factory<MaxPool2d> {
        @Override
        public Optional<String> refusal(MaxPool2d op, Pass pass) {
            boolean wide = op.window().r() * op.window().s() == 256 && op.phase() == Phase.TRAINING;
            return wide
                    ? Optional.of("oneDNN keeps the offsets of a window of 256 elements in 4 bytes, ARGMAX has 1 byte")
                    : Optional.empty();
        }

        @Override
        public Map<Arg, Layout> propose(OnednnEngine engine, MaxPool2d op, Pass pass, Map<Arg, Layout> known) {
            return Pool.of(op).propose(engine, pass, known);
        }

        @Override
        public void plan(PlanBuilder b, MaxPool2d op, Pass pass) {
            Pool.of(op).plan(b, pass);
        }
    }

    /** Average pooling. */
    static final class Average implements Factory<AvgPool2d> {
        @Override
        public Optional<String> refusal(AvgPool2d op, Pass pass) {
            long[] after = Pool.of(op).after();
            boolean beyond = after[0] > op.window().padding().bottom()
                    || after[1] > op.window().padding().right();
            return op.countPadding() && beyond
                    ? Optional.of("oneDNN cannot count padding where a window of ceil mode reaches beyond it")
                    : Optional.empty();
        }

        @Override
        public Map<Arg, Layout> propose(OnednnEngine engine, AvgPool2d op, Pass pass, Map<Arg, Layout> known) {
            return Pool.of(op).propose(engine, pass, known);
        }

        @Override
        public void plan(PlanBuilder b, AvgPool2d op, Pass pass) {
            Pool.of(op).plan(b, pass);
        }
    }
}
