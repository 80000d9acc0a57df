package io.github.jcuconv.onednn;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC_1;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Layout;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.ConvTranspose2d;
import io.github.jcuconv.op.Epilogue;
import io.github.jcuconv.op.Pass;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.dnnl.binary;
import org.bytedeco.dnnl.eltwise_forward;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.bytedeco.dnnl.global.dnnl.prop_kind;
import org.bytedeco.dnnl.memory;

/**
 * Transposed convolution: the convolution from y's shape to x's with its passes exchanged, which is oneDNN's fast path (its own deconvolution
 * wraps the same primitives). The epilogue runs in place on fp32 behind it, since a backward primitive fuses nothing.
 */
final class OnednnConvTranspose2d implements Factory<ConvTranspose2d> {
    @Override
    public Optional<String> refusal(ConvTranspose2d op, Pass pass) {
        boolean fits = cutH(op) <= op.window().padding().bottom()
                && cutW(op) <= op.window().padding().right();
        return fits
                ? Optional.empty()
                : Optional.of(
                        "oneDNN takes output padding of a stride or more only where there is as much padding to cut");
    }

    /** Output padding below the stride vanishes in the convolution's rounding down; what a dilated window allows beyond it does not. */
    private static int cutH(ConvTranspose2d op) {
        return op.outputPadH() < op.window().strideH() ? 0 : op.outputPadH();
    }

    private static int cutW(ConvTranspose2d op) {
        return op.outputPadW() < op.window().strideW() ? 0 : op.outputPadW();
    }

    @Override
    public Map<Arg, Layout> propose(OnednnEngine engine, ConvTranspose2d op, Pass pass, Map<Arg, Layout> known) {
        if (pass == Pass.DBIAS) {
            return Reductions.propose(op, pass, known);
        }
        Map<Arg, Layout> layouts =
                new EnumMap<>(weighted(engine, op, pass).propose(engine, op.arguments(pass), false, known));
        if (layouts.containsKey(Arg.RESIDUAL)) {
            layouts.put(Arg.RESIDUAL, layouts.get(Arg.Y));
        }
        return layouts;
    }

    @Override
    public void plan(PlanBuilder b, ConvTranspose2d op, Pass pass) {
        if (pass == Pass.DBIAS) {
            Reductions.plan(b, Descs.shape(op.y()));
            return;
        }
        Epilogue epilogue = pass == Pass.FPROP ? op.epilogue() : Epilogue.NONE;
        boolean alone = epilogue.steps().isEmpty();
        boolean inFp32 = pass == Pass.WGRAD && OnednnConv2d.hasBlindTap(op.window(), op.y(), op.x());
        Operand written =
                weighted(b.engine(), op, pass).plan(b, false, Epilogue.NONE, b.accumulate() || !alone, inFp32);
        if (!alone) {
            memory.desc y = b.engine().descs().of(b.layout(Arg.Y), Descs.shape(op.y()), DataType.FP32);
            epilogue.steps().forEach(step -> inPlace(b, op, step, written, y));
        }
        if (b.has(Arg.DBIAS)) {
            Reductions.plan(b, Descs.shape(op.y()));
        }
    }

    private static Weighted weighted(OnednnEngine engine, ConvTranspose2d op, Pass pass) {
        Weighted.Creator creator = OnednnConv2d.creator(engine.cpu(), op.window(), cutH(op), cutW(op));
        long[] small = Descs.shape(op.x());
        long[] w = OnednnConv2d.filters(op.w(), op.groups());
        long[] large = Descs.shape(op.y());
        return switch (pass) {
            case FPROP ->
                new Weighted(Weighted.Kind.BACKWARD_DATA, Arg.Y, Arg.W, Arg.X, large, w, small, false, creator);
            case DGRAD -> new Weighted(Weighted.Kind.FORWARD, Arg.DY, Arg.W, Arg.DX, large, w, small, false, creator);
            default ->
                new Weighted(Weighted.Kind.BACKWARD_WEIGHTS, Arg.DY, Arg.DW, Arg.X, large, w, small, false, creator);
        };
    }

    private static void inPlace(PlanBuilder b, ConvTranspose2d op, Epilogue.Step step, Operand y, memory.desc md) {
        engine cpu = b.engine().cpu();
        boolean activation = step == Epilogue.Step.RELU || step == Epilogue.Step.TANH || step == Epilogue.Step.SIGMOID;
        if (!activation) {
            Arg arg = Arg.valueOf(step.name());
            long[] shape = Descs.shape(op.y());
            memory.desc operand = arg == Arg.RESIDUAL
                    ? b.engine().descs().of(b.layout(arg), shape, DataType.FP32)
                    : Descs.channels(shape);
            algorithm how = arg == Arg.SCALE ? algorithm.binary_mul : algorithm.binary_add;
            b.primitive(
                    b.create(() ->
                            new binary.primitive_desc(cpu, how, md, operand, md, PlanBuilder.attributes(), false)),
                    List.of(
                            new PrimitiveStep.Use(DNNL_ARG_SRC, y, md),
                            new PrimitiveStep.Use(DNNL_ARG_SRC_1, b.in(arg, DataType.FP32), operand),
                            new PrimitiveStep.Use(DNNL_ARG_DST, y, md)));
            return;
        }
        b.primitive(
                b.create(() -> new eltwise_forward.primitive_desc(
                        cpu,
                        prop_kind.forward_inference,
                        Weighted.algorithm(step),
                        md,
                        md,
                        0,
                        0,
                        PlanBuilder.attributes(),
                        false)),
                List.of(new PrimitiveStep.Use(DNNL_ARG_SRC, y, md), new PrimitiveStep.Use(DNNL_ARG_DST, y, md)));
    }
}
