package io.github.jcuconv.onednn;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Layout;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.ArgSpec;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Pass;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive_desc_base;
import org.bytedeco.dnnl.reduction;
import org.bytedeco.dnnl.reorder;

/** The gradient of the bias alone: the sum of dy over everything but channels. */
final class Reductions {
    private Reductions() {}

    static Map<Arg, Layout> propose(OpDescriptor op, Pass pass, Map<Arg, Layout> known) {
        Map<Arg, Layout> layouts = new EnumMap<>(Arg.class);
        for (ArgSpec spec : op.arguments(pass)) {
            layouts.put(spec.arg(), known.getOrDefault(spec.arg(), Layout.Plain.NCHW));
        }
        return layouts;
    }

    /** Adds the step; the destination is a vector, seen with as many dimensions as dy. */
    static void plan(PlanBuilder b, long[] dyShape) {
        DataType type = b.type(Arg.DY) == DataType.BF16 && b.engine().bf16() ? DataType.BF16 : DataType.FP32;
        memory.desc src = b.engine().descs().of(b.layout(Arg.DY), dyShape, type);
        memory.desc dst = Descs.channels(Descs.dims(src));
        engine cpu = b.engine().cpu();
        boolean copies = Arrays.equals(Descs.dims(src), Descs.dims(dst)); // oneDNN refuses a sum over nothing.
        primitive_desc_base desc = b.create(() -> copies
                ? new reorder.primitive_desc(cpu, src, cpu, dst, PlanBuilder.attributes(), false)
                : new reduction.primitive_desc(
                        cpu, algorithm.reduction_sum, src, dst, 0, 0, PlanBuilder.attributes(), false));
        b.primitive(
                desc,
                List.of(
                        new PrimitiveStep.Use(DNNL_ARG_SRC, b.in(Arg.DY, type), src),
                        new PrimitiveStep.Use(DNNL_ARG_DST, b.out(Arg.DBIAS, DataType.FP32), dst)));
    }
}
