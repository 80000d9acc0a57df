package io.github.jcuconv.onednn;

import io.github.jcuconv.Dims;
import io.github.jcuconv.Layout;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.Conv2d;
import io.github.jcuconv.op.Epilogue;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.Window;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.dnnl.convolution_backward_data;
import org.bytedeco.dnnl.convolution_backward_weights;
import org.bytedeco.dnnl.convolution_forward;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.bytedeco.dnnl.global.dnnl.prop_kind;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.dnnl.primitive_desc;
import org.jspecify.annotations.Nullable;

/** Convolution. Always the training primitives, since those for inference choose other layouts for the weights. */
final class OnednnConv2d implements Factory<Conv2d> {
    @Override
    public Optional<String> refusal(Conv2d op, Pass pass) {
        return op.isPooled()
                ? Optional.of(
                        "oneDNN stores every output of a convolution; ask for the max-pool as an operation of its own")
                : Optional.empty();
    }

    @Override
    public Map<Arg, Layout> propose(OnednnEngine engine, Conv2d op, Pass pass, Map<Arg, Layout> known) {
        if (pass == Pass.DBIAS) {
            return Reductions.propose(op, pass, known);
        }
        boolean bias = op.epilogue().has(Epilogue.Step.BIAS) && pass != Pass.DGRAD;
        return weighted(engine, op, pass).propose(engine, op.arguments(pass), bias, known);
    }

    @Override
    public void plan(PlanBuilder b, Conv2d op, Pass pass) {
        if (pass == Pass.DBIAS) {
            Reductions.plan(b, Descs.shape(op.y()));
            return;
        }
        boolean bias = op.epilogue().has(Epilogue.Step.BIAS) && pass != Pass.DGRAD;
        boolean inFp32 = pass == Pass.WGRAD && hasBlindTap(op.window(), op.x(), op.y());
        weighted(b.engine(), op, pass).plan(b, bias, op.epilogue(), b.accumulate(), inFp32);
    }

    private static Weighted weighted(OnednnEngine engine, Conv2d op, Pass pass) {
        Weighted.Creator creator = creator(engine.cpu(), op.window(), 0, 0);
        long[] x = Descs.shape(op.x());
        long[] w = filters(op.w(), op.groups());
        long[] y = Descs.shape(op.y());
        return switch (pass) {
            case FPROP -> new Weighted(Weighted.Kind.FORWARD, Arg.X, Arg.W, Arg.Y, x, w, y, false, creator);
            case DGRAD -> new Weighted(Weighted.Kind.BACKWARD_DATA, Arg.DX, Arg.W, Arg.DY, x, w, y, false, creator);
            default -> new Weighted(Weighted.Kind.BACKWARD_WEIGHTS, Arg.X, Arg.DW, Arg.DY, x, w, y, false, creator);
        };
    }

    /**
     * Whether some row or column of the filter meets nothing but padding. oneDNN 3.11's bf16 kernel for the weights' gradient leaves the
     * elements of such a column as they are (NaN, where memory held NaN), its fp32 kernel writes their zeros.
     */
    static boolean hasBlindTap(Window f, Dims x, Dims y) {
        return blind(f.r(), f.dilationH(), f.strideH(), f.padding().top(), x.h(), y.h())
                || blind(f.s(), f.dilationW(), f.strideW(), f.padding().left(), x.w(), y.w());
    }

    private static boolean blind(int taps, int dilation, int stride, int before, int size, int outputs) {
        for (int tap = 0; tap < taps; tap++) {
            boolean sees = false;
            for (int out = 0; out < outputs && !sees; out++) {
                int at = out * stride - before + tap * dilation;
                sees = at >= 0 && at < size;
            }
            if (!sees) {
                return true;
            }
        }
        return false;
    }

    /** K C/G R S as oneDNN sees it: with the groups in front if there are any. */
    static long[] filters(Dims w, int groups) {
        return groups == 1 ? Descs.shape(w) : new long[] {groups, w.n() / groups, w.c(), w.h(), w.w()};
    }

    /** Makes convolution primitives of one window, whose padding ends {@code cutH} rows and {@code cutW} columns earlier. */
    static Weighted.Creator creator(engine cpu, Window window, int cutH, int cutW) {
        long[] strides = {window.strideH(), window.strideW()};
        long[] dilations = {window.dilationH() - 1, window.dilationW() - 1};
        long[] before = {window.padding().top(), window.padding().left()};
        long[] after = {window.padding().bottom() - cutH, window.padding().right() - cutW};
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
                        new convolution_backward_data.primitive_desc(
                                cpu,
                                algorithm.convolution_direct,
                                src,
                                weights,
                                dst,
                                strides,
                                dilations,
                                before,
                                after,
                                hint(src, weights, dst),
                                attr,
                                false);
                    case BACKWARD_WEIGHTS ->
                        bias == null
                                ? new convolution_backward_weights.primitive_desc(
                                        cpu,
                                        algorithm.convolution_direct,
                                        src,
                                        weights,
                                        dst,
                                        strides,
                                        dilations,
                                        before,
                                        after,
                                        hint(src, weights, dst),
                                        attr,
                                        false)
                                : new convolution_backward_weights.primitive_desc(
                                        cpu,
                                        algorithm.convolution_direct,
                                        src,
                                        weights,
                                        bias,
                                        dst,
                                        strides,
                                        dilations,
                                        before,
                                        after,
                                        hint(src, weights, dst),
                                        attr,
                                        false);
                };
            }

            private convolution_forward.primitive_desc forward(
                    memory.desc src,
                    memory.desc weights,
                    memory.@Nullable desc bias,
                    memory.desc dst,
                    primitive_attr attr) {
                return bias == null
                        ? new convolution_forward.primitive_desc(
                                cpu,
                                prop_kind.forward_training,
                                algorithm.convolution_direct,
                                src,
                                weights,
                                dst,
                                strides,
                                dilations,
                                before,
                                after,
                                attr,
                                false)
                        : new convolution_forward.primitive_desc(
                                cpu,
                                prop_kind.forward_training,
                                algorithm.convolution_direct,
                                src,
                                weights,
                                bias,
                                dst,
                                strides,
                                dilations,
                                before,
                                after,
                                attr,
                                false);
            }

            /** Backward asks for a forward primitive of the same problem; its layouts and the type of dw do not matter. */
            private convolution_forward.primitive_desc hint(memory.desc src, memory.desc weights, memory.desc dst) {
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
