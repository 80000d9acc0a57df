package io.github.jcuconv.onednn;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_SCALE;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_SHIFT;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_MEAN;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SCALE;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SHIFT;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_VARIANCE;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Layout;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.BatchNorm;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.Phase;
import java.util.List;
import java.util.Map;
import org.bytedeco.dnnl.batch_normalization_backward;
import org.bytedeco.dnnl.batch_normalization_forward;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.global.dnnl.normalization_flags;
import org.bytedeco.dnnl.global.dnnl.prop_kind;
import org.bytedeco.dnnl.memory;

/** Batch normalization in the layout of x; a Java step moves the running statistics. */
final class OnednnBatchNorm implements Factory<BatchNorm> {
    private static final int AFFINE = normalization_flags.use_scale.value | normalization_flags.use_shift.value;

    @Override
    public Map<Arg, Layout> propose(OnednnEngine engine, BatchNorm op, Pass pass, Map<Arg, Layout> known) {
        return OnednnEngine.allLike(op, pass, known, Arg.X);
    }

    @Override
    public void plan(PlanBuilder b, BatchNorm op, Pass pass) {
        if (pass == Pass.FWD) {
            forward(b, op);
        } else {
            backward(b, op);
        }
    }

    private static PrimitiveStep.Use vector(int id, Operand operand, BatchNorm op) {
        return new PrimitiveStep.Use(id, operand, Descs.vector(op.x().c()));
    }

    private static void forward(PlanBuilder b, BatchNorm op) {
        boolean training = op.phase() == Phase.TRAINING;
        DataType type = b.bf16(Arg.X, Arg.Y);
        Descs descs = b.engine().descs();
        memory.desc src = descs.of(b.layout(Arg.X), Descs.shape(op.x()), type);
        memory.desc dst = descs.of(b.layout(Arg.Y), Descs.shape(op.x()), type);
        PrimitiveStep.Use x = new PrimitiveStep.Use(DNNL_ARG_SRC, b.in(Arg.X, type), src);
        PrimitiveStep.Use y = new PrimitiveStep.Use(DNNL_ARG_DST, b.out(Arg.Y, type), dst);
        PrimitiveStep.Use scale = vector(DNNL_ARG_SCALE, b.in(Arg.GAMMA, DataType.FP32), op);
        PrimitiveStep.Use shift = vector(DNNL_ARG_SHIFT, b.in(Arg.BETA, DataType.FP32), op);
        Operand mean = training ? b.out(Arg.SAVE_MEAN, DataType.FP32) : b.in(Arg.RUNNING_MEAN, DataType.FP32);
        Operand variance = training ? b.out(Arg.SAVE_VAR, DataType.FP32) : b.in(Arg.RUNNING_VAR, DataType.FP32);
        b.primitive(
                b.create(() -> primitive(b.engine().cpu(), src, dst, op.eps(), training)),
                List.of(x, scale, shift, vector(DNNL_ARG_MEAN, mean, op), vector(DNNL_ARG_VARIANCE, variance, op), y));
        if (training) {
            float momentum = op.momentum();
            double samples = (double) op.x().n() * op.x().h() * op.x().w();
            double unbiased = samples > 1 ? samples / (samples - 1) : 1;
            running(b, Arg.RUNNING_MEAN, mean, momentum, 1);
            running(b, Arg.RUNNING_VAR, variance, momentum, unbiased);
        }
    }

    private static void running(PlanBuilder b, Arg arg, Operand batch, float momentum, double factor) {
        DataType type = b.type(arg);
        long channels = b.elements(arg);
        b.step(
                "java",
                () -> new Kernels.Move(
                        b.engine().workers(),
                        channels,
                        new View(b.direct(arg), type),
                        new View(batch, DataType.FP32),
                        momentum,
                        factor));
    }

    private static batch_normalization_forward.primitive_desc primitive(
            engine cpu, memory.desc src, memory.desc dst, float eps, boolean training) {
        int kind = training ? prop_kind.forward_training.value : prop_kind.forward_inference.value;
        int flags = training ? AFFINE : AFFINE | normalization_flags.use_global_stats.value;
        return new batch_normalization_forward.primitive_desc(
                cpu, kind, src, dst, eps, flags, PlanBuilder.attributes(), false);
    }

    private static void backward(PlanBuilder b, BatchNorm op) {
        DataType type = b.bf16(Arg.X, Arg.DY, Arg.DX);
        Descs descs = b.engine().descs();
        engine cpu = b.engine().cpu();
        memory.desc src = descs.of(b.layout(Arg.X), Descs.shape(op.x()), type);
        memory.desc dy = descs.of(b.layout(Arg.DY), Descs.shape(op.x()), type);
        memory.desc dx = descs.of(b.layout(Arg.DX), Descs.shape(op.x()), type);
        b.primitive(
                b.create(() -> new batch_normalization_backward.primitive_desc(
                        cpu,
                        prop_kind.backward.value,
                        dx,
                        dy,
                        src,
                        op.eps(),
                        AFFINE,
                        primitive(cpu, src, src, op.eps(), true),
                        PlanBuilder.attributes(),
                        false)),
                List.of(
                        new PrimitiveStep.Use(DNNL_ARG_SRC, b.in(Arg.X, type), src),
                        new PrimitiveStep.Use(DNNL_ARG_DIFF_DST, b.in(Arg.DY, type), dy),
                        vector(DNNL_ARG_SCALE, b.in(Arg.GAMMA, DataType.FP32), op),
                        vector(DNNL_ARG_MEAN, b.in(Arg.SAVE_MEAN, DataType.FP32), op),
                        vector(DNNL_ARG_VARIANCE, b.in(Arg.SAVE_VAR, DataType.FP32), op),
                        new PrimitiveStep.Use(DNNL_ARG_DIFF_SRC, b.out(Arg.DX, type), dx),
                        vector(DNNL_ARG_DIFF_SCALE, b.out(Arg.DGAMMA, DataType.FP32), op),
                        vector(DNNL_ARG_DIFF_SHIFT, b.out(Arg.DBETA, DataType.FP32), op)));
    }
}
