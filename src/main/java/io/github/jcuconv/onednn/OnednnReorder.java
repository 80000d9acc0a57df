package io.github.jcuconv.onednn;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_FROM;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_TO;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Layout;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.Reorder;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.reorder;

/** Copies between layouts and types. fp16 goes through fp32, since oneDNN's own conversion is slow and loses the sign of zero. */
final class OnednnReorder implements Factory<Reorder> {
    @Override
    public Optional<String> refusal(Reorder op, Pass pass) {
        return op.from() == op.to() || op.from().isFloating() && op.to().isFloating()
                ? Optional.empty()
                : Optional.of("it converts only between floating types");
    }

    @Override
    public Map<Arg, Layout> propose(OnednnEngine engine, Reorder op, Pass pass, Map<Arg, Layout> known) {
        return known;
    }

    @Override
    public void plan(PlanBuilder b, Reorder op, Pass pass) {
        Layout from = b.layout(Arg.X);
        Layout to = b.layout(Arg.Y);
        boolean floating = op.from().isFloating() && op.to().isFloating();
        if (from.equals(to) && floating && op.from() != op.to()) {
            b.convert(b.direct(Arg.X), op.from(), b.direct(Arg.Y), op.to(), b.elements(Arg.X));
            return;
        }
        DataType source = op.from() == DataType.FP16 ? DataType.FP32 : op.from();
        DataType target = op.to() == DataType.FP16 ? DataType.FP32 : op.to();
        Operand x = b.in(Arg.X, source);
        Operand y = b.out(Arg.Y, target);
        Descs descs = b.engine().descs();
        long[] shape = Descs.shape(op.x());
        long[] sourceShape = descs.shape(from, descs.shape(to, shape));
        long[] targetShape = descs.shape(to, sourceShape);
        if (Arrays.equals(sourceShape, targetShape)) {
            add(b, x, descs.of(from, sourceShape, source), y, descs.of(to, targetShape, target));
            return;
        }
        Operand plain = b.scratch(op.x().count() * source.bytes());
        add(b, x, descs.of(from, sourceShape, source), plain, Descs.plain(Layout.Plain.NCHW, sourceShape, source));
        add(b, plain, Descs.plain(Layout.Plain.NCHW, targetShape, source), y, descs.of(to, targetShape, target));
    }

    static void add(PlanBuilder b, Operand x, memory.desc from, Operand y, memory.desc to) {
        b.primitive(
                b.create(() -> {
                    var cpu = b.engine().cpu();
                    return new reorder.primitive_desc(cpu, from, cpu, to, PlanBuilder.attributes(), false);
                }),
                List.of(new PrimitiveStep.Use(DNNL_ARG_FROM, x, from), new PrimitiveStep.Use(DNNL_ARG_TO, y, to)));
    }
}
