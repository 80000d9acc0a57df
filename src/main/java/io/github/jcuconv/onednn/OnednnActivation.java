package io.github.jcuconv.onednn;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Layout;
import io.github.jcuconv.op.Activation;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.Pass;
import java.util.List;
import java.util.Map;
import org.bytedeco.dnnl.eltwise_backward;
import org.bytedeco.dnnl.eltwise_forward;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.bytedeco.dnnl.global.dnnl.prop_kind;
import org.bytedeco.dnnl.memory;

/** ReLU, tanh and sigmoid, backward from y; all tensors in one layout, whatever it is. */
final class OnednnActivation implements Factory<Activation> {
    @Override
    public Map<Arg, Layout> propose(OnednnEngine engine, Activation op, Pass pass, Map<Arg, Layout> known) {
        return OnednnEngine.allLike(op, pass, known, pass == Pass.FWD ? Arg.X : Arg.Y);
    }

    @Override
    public void plan(PlanBuilder b, Activation op, Pass pass) {
        engine cpu = b.engine().cpu();
        long[] shape = Descs.shape(op.x());
        Descs descs = b.engine().descs();
        if (pass == Pass.FWD) {
            DataType type = b.bf16(Arg.X, Arg.Y);
            memory.desc src = descs.of(b.layout(Arg.X), shape, type);
            memory.desc dst = descs.of(b.layout(Arg.Y), shape, type);
            algorithm kind =
                    switch (op.kind()) {
                        case RELU -> algorithm.eltwise_relu;
                        case TANH -> algorithm.eltwise_tanh;
                        case SIGMOID -> algorithm.eltwise_logistic;
                    };
            b.primitive(
                    b.create(() -> forward(cpu, kind, src, dst)),
                    List.of(
                            new PrimitiveStep.Use(DNNL_ARG_SRC, b.in(Arg.X, type), src),
                            new PrimitiveStep.Use(DNNL_ARG_DST, b.out(Arg.Y, type), dst)));
            return;
        }
        if (op.kind() == Activation.Kind.RELU && allFp16(b)) {
            halfRelu(b);
            return;
        }
        DataType type = b.bf16(Arg.Y, Arg.DY, Arg.DX);
        memory.desc y = descs.of(b.layout(Arg.Y), shape, type);
        memory.desc dy = descs.of(b.layout(Arg.DY), shape, type);
        memory.desc dx = descs.of(b.layout(Arg.DX), shape, type);
        algorithm kind =
                switch (op.kind()) {
                    case RELU -> algorithm.eltwise_relu_use_dst_for_bwd;
                    case TANH -> algorithm.eltwise_tanh_use_dst_for_bwd;
                    case SIGMOID -> algorithm.eltwise_logistic_use_dst_for_bwd;
                };
        b.primitive(
                b.create(() -> new eltwise_backward.primitive_desc(
                        cpu, kind, dx, dy, y, 0, 0, forward(cpu, kind, y, y), PlanBuilder.attributes(), false)),
                List.of(
                        new PrimitiveStep.Use(DNNL_ARG_DST, b.in(Arg.Y, type), y),
                        new PrimitiveStep.Use(DNNL_ARG_DIFF_DST, b.in(Arg.DY, type), dy),
                        new PrimitiveStep.Use(DNNL_ARG_DIFF_SRC, b.out(Arg.DX, type), dx)));
    }

    private static boolean allFp16(PlanBuilder b) {
        boolean oneLayout =
                b.layout(Arg.Y).equals(b.layout(Arg.DY)) && b.layout(Arg.Y).equals(b.layout(Arg.DX));
        return oneLayout
                && b.type(Arg.Y) == DataType.FP16
                && b.type(Arg.DY) == DataType.FP16
                && b.type(Arg.DX) == DataType.FP16
                && !b.accumulate();
    }

    /** Needs no arithmetic, so no conversion either. */
    private static void halfRelu(PlanBuilder b) {
        Operand y = b.direct(Arg.Y);
        Operand dy = b.direct(Arg.DY);
        Operand dx = b.direct(Arg.DX);
        DataType type = DataType.FP16;
        long count = b.elements(Arg.Y);
        b.step(
                "java",
                () -> new Kernels.HalfRelu(
                        b.engine().workers(), count, new View(y, type), new View(dy, type), new View(dx, type)));
    }

    private static eltwise_forward.primitive_desc forward(
            engine cpu, algorithm kind, memory.desc src, memory.desc dst) {
        return new eltwise_forward.primitive_desc(
                cpu, prop_kind.forward_training, kind, src, dst, 0, 0, PlanBuilder.attributes(), false);
    }
}
