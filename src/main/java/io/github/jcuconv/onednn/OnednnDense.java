package io.github.jcuconv.onednn;

import io.github.jcuconv.Layout;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.Dense;
import io.github.jcuconv.op.Epilogue;
import io.github.jcuconv.op.Pass;
import java.util.Map;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.global.dnnl.prop_kind;
import org.bytedeco.dnnl.inner_product_backward_data;
import org.bytedeco.dnnl.inner_product_backward_weights;
import org.bytedeco.dnnl.inner_product_forward;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.dnnl.primitive_desc;
import org.jspecify.annotations.Nullable;

/** The fully connected layer. Its output is a matrix for oneDNN; so is an input of single pixels. */
final class OnednnDense implements Factory<Dense> {
    @Override
    public Map<Arg, Layout> propose(OnednnEngine engine, Dense op, Pass pass, Map<Arg, Layout> known) {
        if (pass == Pass.DBIAS) {
            return Reductions.propose(op, pass, Map.of());
        }
        boolean bias = op.epilogue().has(Epilogue.Step.BIAS) && pass != Pass.DGRAD;
        return weighted(engine, op, pass, known).propose(engine, op.arguments(pass), bias, known);
    }

    @Override
    public void plan(PlanBuilder b, Dense op, Pass pass) {
        if (pass == Pass.DBIAS) {
            Reductions.plan(b, new long[] {op.y().n(), op.y().c()});
            return;
        }
        boolean bias = op.epilogue().has(Epilogue.Step.BIAS) && pass != Pass.DGRAD;
        Map<Arg, Layout> layouts = new java.util.EnumMap<>(Arg.class);
        op.arguments(pass).forEach(spec -> layouts.put(spec.arg(), b.layout(spec.arg())));
        weighted(b.engine(), op, pass, layouts).plan(b, bias, op.epilogue(), b.accumulate());
    }

    private static Weighted weighted(OnednnEngine engine, Dense op, Pass pass, Map<Arg, Layout> layouts) {
        boolean matrix = op.x().h() == 1 && op.x().w() == 1;
        for (Arg arg : new Arg[] {Arg.X, Arg.DX, Arg.W, Arg.DW}) {
            Layout layout = layouts.get(arg);
            matrix &= layout == null || engine.descs().shape(layout, new long[2]).length == 2;
        }
        long[] x = matrix ? new long[] {op.x().n(), op.x().c()} : Descs.shape(op.x());
        long[] w = matrix ? new long[] {op.k(), op.x().c()} : Descs.shape(op.w());
        long[] y = {op.y().n(), op.y().c()};
        Weighted.Creator creator = creator(engine.cpu());
        return switch (pass) {
            case FPROP -> new Weighted(Weighted.Kind.FORWARD, Arg.X, Arg.W, Arg.Y, x, w, y, true, creator);
            case DGRAD -> new Weighted(Weighted.Kind.BACKWARD_DATA, Arg.DX, Arg.W, Arg.DY, x, w, y, true, creator);
            default -> new Weighted(Weighted.Kind.BACKWARD_WEIGHTS, Arg.X, Arg.DW, Arg.DY, x, w, y, true, creator);
        };
    }

    private static Weighted.Creator creator(engine cpu) {
        return new Weighted.Creator() {
            @Override
            public primitive_desc create(
                    Weighted.Kind kind,
                    memory.desc src,
                    memory.desc weights,
                    memory.@Nullable desc bias,
                    memory.desc dst,
                    primitive_attr attr) {
                return switch (kind) {
                    case FORWARD -> forward(src, weights, bias, dst, attr);
                    case BACKWARD_DATA ->
                        new inner_product_backward_data.primitive_desc(
                                cpu, src, weights, dst, hint(src, weights, dst), attr, false);
                    case BACKWARD_WEIGHTS ->
                        bias == null
                                ? new inner_product_backward_weights.primitive_desc(
                                        cpu, src, weights, dst, hint(src, weights, dst), attr, false)
                                : new inner_product_backward_weights.primitive_desc(
                                        cpu, src, weights, bias, dst, hint(src, weights, dst), attr, false);
                };
            }

            private inner_product_forward.primitive_desc forward(
                    memory.desc src,
                    memory.desc weights,
                    memory.@Nullable desc bias,
                    memory.desc dst,
                    primitive_attr attr) {
                return bias == null
                        ? new inner_product_forward.primitive_desc(
                                cpu, prop_kind.forward_training, src, weights, dst, attr, false)
                        : new inner_product_forward.primitive_desc(
                                cpu, prop_kind.forward_training, src, weights, bias, dst, attr, false);
            }

            private inner_product_forward.primitive_desc hint(memory.desc src, memory.desc weights, memory.desc dst) {
                return forward(
                        Descs.anyLike(src, src),
                        Descs.anyLike(weights, src),
                        null,
                        Descs.anyLike(dst, dst),
                        PlanBuilder.attributes());
            }
        };
    }
}
