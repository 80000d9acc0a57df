package io.github.jcuconv.onednn;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WORKSPACE;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Layout;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.ArgSpec;
import io.github.jcuconv.op.Lrn;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.Phase;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.bytedeco.dnnl.global.dnnl.prop_kind;
import org.bytedeco.dnnl.lrn_backward;
import org.bytedeco.dnnl.lrn_forward;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive_desc;

/** Local response normalization. Whatever its neighbours hold it proposes one layout, never NCHW, where oneDNN's backward pass is its reference code:
 * both passes must agree, since the form of SAVED goes with it. SAVED is oneDNN's workspace. */
final class OnednnLrn implements Factory<Lrn> {
    @Override
    public Map<Arg, Layout> propose(OnednnEngine engine, Lrn op, Pass pass, Map<Arg, Layout> known) {
        Descs descs = engine.descs();
        Layout x = op.x().c() % 16 == 0
                ? descs.layout(Descs.blocked(Descs.shape(op.x()), DataType.FP32), op.x())
                : Layout.Plain.NHWC;
        Map<Arg, Layout> layouts = new EnumMap<>(Arg.class);
        for (ArgSpec spec : op.arguments(pass)) {
            layouts.put(spec.arg(), x);
        }
        if (layouts.containsKey(Arg.SAVED)) {
            memory.desc md = descs.of(x, Descs.shape(op.x()), DataType.FP32);
            memory.desc saved = Native.call("layouts of lrn", () -> forward(engine.cpu(), op, md, md))
                    .workspace_desc();
            layouts.put(
                    Arg.SAVED,
                    saved.is_zero()
                            ? new Layout.Opaque(Native.ENGINE, op.x(), "unused", 1)
                            : descs.layout(saved, op.x()));
        }
        return layouts;
    }

    @Override
    public void plan(PlanBuilder b, Lrn op, Pass pass) {
        engine cpu = b.engine().cpu();
        Descs descs = b.engine().descs();
        long[] shape = Descs.shape(op.x());
        List<PrimitiveStep.Use> uses = new ArrayList<>();
        // In bf16 oneDNN also rounds the scale, and the gradient is then wrong in its third digit.
        DataType type = DataType.FP32;
        memory.desc src = descs.of(b.layout(Arg.X), shape, type);
        uses.add(new PrimitiveStep.Use(DNNL_ARG_SRC, b.in(Arg.X, type), src));
        primitive_desc desc;
        if (pass == Pass.FWD) {
            memory.desc dst = descs.of(b.layout(Arg.Y), shape, type);
            uses.add(new PrimitiveStep.Use(DNNL_ARG_DST, b.out(Arg.Y, type), dst));
            desc = b.create(() -> forward(cpu, op, src, dst));
        } else {
            memory.desc dy = descs.of(b.layout(Arg.DY), shape, type);
            memory.desc dx = descs.of(b.layout(Arg.DX), shape, type);
            uses.add(new PrimitiveStep.Use(DNNL_ARG_DIFF_DST, b.in(Arg.DY, type), dy));
            uses.add(new PrimitiveStep.Use(DNNL_ARG_DIFF_SRC, b.out(Arg.DX, type), dx));
            desc = b.create(() -> safe(
                    op,
                    new lrn_backward.primitive_desc(
                            cpu,
                            algorithm.lrn_across_channels,
                            dx,
                            dy,
                            src,
                            op.size(),
                            alpha(op),
                            op.beta(),
                            op.k(),
                            forward(cpu, op, src, src),
                            PlanBuilder.attributes(),
                            false)));
        }
        memory.desc saved = desc.workspace_desc();
        if (b.has(Arg.SAVED) && !saved.is_zero()) {
            if (saved.get_size() > b.elements(Arg.SAVED) * DataType.FP32.bytes()) {
                throw b.refuse("SAVED must be laid out as proposed together with X, not as " + b.layout(Arg.SAVED));
            }
            uses.add(new PrimitiveStep.Use(DNNL_ARG_WORKSPACE, b.direct(Arg.SAVED), saved));
        }
        b.primitive(desc, uses);
        if (pass == Pass.FWD && b.has(Arg.SAVED) && saved.is_zero()) {
            long count = b.elements(Arg.SAVED);
            b.step(
                    "java",
                    () -> new Kernels.Zero(
                            b.engine().workers(), count, new View(Operand.whole(Arg.SAVED), DataType.FP32)));
        }
    }

    /** oneDNN divides alpha by the size. */
    private static float alpha(Lrn op) {
        return op.convention() == Lrn.Convention.ALPHA_OVER_SIZE ? op.alpha() : op.alpha() * op.size();
    }

    private static lrn_forward.primitive_desc forward(engine cpu, Lrn op, memory.desc src, memory.desc dst) {
        prop_kind kind = op.phase() == Phase.TRAINING ? prop_kind.forward_training : prop_kind.forward_inference;
        return safe(
                op,
                new lrn_forward.primitive_desc(
                        cpu,
                        kind,
                        algorithm.lrn_across_channels,
                        src,
                        dst,
                        op.size(),
                        alpha(op),
                        op.beta(),
                        op.k(),
                        PlanBuilder.attributes(),
                        false));
    }

    /**
     * oneDNN 3.11 kills the process when it generates code for a window of one channel, and for more than five its NHWC backward code is wrong
     * where there are more than 16 channels: takes the first implementation without generated code there, in both passes, since they share SAVED.
     */
    private static <T extends primitive_desc> T safe(Lrn op, T desc) {
        boolean trusted = op.size() == 3 || op.size() == 5;
        boolean more = !trusted;
        while (more && PlanBuilder.implementation(desc).startsWith("lrn_jit")) {
            more = desc.next_impl();
        }
        return desc;
    }
}
