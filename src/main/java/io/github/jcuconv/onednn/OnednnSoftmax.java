package io.github.jcuconv.onednn;

import io.github.jcuconv.Arguments;
import io.github.jcuconv.DataType;
import io.github.jcuconv.Dims;
import io.github.jcuconv.Layout;
import io.github.jcuconv.Memory;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.SoftmaxCrossEntropy;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.dnnl.stream;
import org.jspecify.annotations.Nullable;

/** Softmax with cross-entropy in Java, on plain layouts: small beside everything else. Exponentials and sums are fp64. */
final class OnednnSoftmax implements Factory<SoftmaxCrossEntropy> {
    @Override
    public Optional<String> refusal(SoftmaxCrossEntropy op, Pass pass) {
        DataType labels = op.types().of(Arg.LABELS);
        return labels.isFloating() ? Optional.of("labels must be INT32 or UINT8, not " + labels) : Optional.empty();
    }

    @Override
    public Map<Arg, Layout> propose(OnednnEngine engine, SoftmaxCrossEntropy op, Pass pass, Map<Arg, Layout> known) {
        return Map.of();
    }

    @Override
    public void plan(PlanBuilder b, SoftmaxCrossEntropy op, Pass pass) {
        OnednnEngine.requireNchw(b, pass == Pass.BWD ? new Arg[] {Arg.X, Arg.DX} : new Arg[] {Arg.X});
        Operand x = b.in(Arg.X, DataType.FP32);
        Operand result = b.out(pass == Pass.BWD ? Arg.DX : Arg.LOSS, DataType.FP32);
        DataType labels = b.type(Arg.LABELS);
        Operand scale = pass == Pass.BWD ? b.in(Arg.LOSS_SCALE, DataType.FP32) : null;
        b.step("java", () -> new Kernel(op, x, labels, scale, result));
    }

    private static final class Kernel implements Step {
        private final Dims dims;
        private final int ignore;
        private final View x;
        private final View labels;
        private final @Nullable View scale;
        private final View result;
        private final double[] exponentials;

        Kernel(SoftmaxCrossEntropy op, Operand x, DataType labelType, @Nullable Operand scale, Operand result) {
            this.dims = op.x();
            this.ignore = op.ignoreLabel();
            this.x = new View(x, DataType.FP32);
            this.labels = new View(Operand.whole(Arg.LABELS), labelType);
            this.scale = scale == null ? null : new View(scale, DataType.FP32);
            this.result = new View(result, DataType.FP32);
            this.exponentials = new double[dims.c()];
        }

        @Override
        public void run(Arguments args, @Nullable Memory workspace, stream queue, int slice) {
            x.bind(args, workspace, slice);
            labels.bind(args, workspace, slice);
            result.bind(args, workspace, slice);
            if (scale == null) {
                forward();
            } else {
                scale.bind(args, workspace, slice);
                backward(scale.getFloat(0));
            }
        }

        private int pixels() {
            return dims.n() * dims.h() * dims.w();
        }

        private int counted() {
            int counted = 0;
            for (int i = 0; i < pixels(); i++) {
                counted += labels.getInt(i) == ignore ? 0 : 1;
            }
            return counted;
        }

        /** Index of a pixel's first logit; the others follow at the distance of one image plane. */
        private int first(int pixel, int plane) {
            return pixel / plane * dims.c() * plane + pixel % plane;
        }

        /** Fills {@link #exponentials} for a pixel; their sum. */
        private double exponentials(int first, int plane) {
            double max = Double.NEGATIVE_INFINITY;
            for (int c = 0; c < exponentials.length; c++) {
                max = Math.max(max, x.getFloat(first + c * plane));
            }
            double sum = 0;
            for (int c = 0; c < exponentials.length; c++) {
                double e = Math.exp(x.getFloat(first + c * plane) - max);
                exponentials[c] = e;
                sum += e;
            }
            return sum;
        }

        private void forward() {
            int plane = dims.h() * dims.w();
            double loss = 0;
            for (int i = 0; i < pixels(); i++) {
                int label = labels.getInt(i);
                if (label == ignore) {
                    continue;
                }
                int first = first(i, plane);
                double max = Double.NEGATIVE_INFINITY;
                for (int c = 0; c < dims.c(); c++) {
                    max = Math.max(max, x.getFloat(first + c * plane));
                }
                boolean valid = label >= 0 && label < dims.c();
                double logit = valid ? x.getFloat(first + label * plane) : Double.NaN;
                loss += Math.log(exponentials(first, plane)) + max - logit;
            }
            int counted = counted();
            result.putFloat(0, counted == 0 ? 0 : (float) (loss / counted));
        }

        private void backward(float factor) {
            int plane = dims.h() * dims.w();
            double scaled = factor / (double) Math.max(1, counted());
            for (int i = 0; i < pixels(); i++) {
                int label = labels.getInt(i);
                int first = first(i, plane);
                boolean valid = label >= 0 && label < dims.c();
                double sum = label == ignore ? 1 : exponentials(first, plane);
                for (int c = 0; c < dims.c(); c++) {
                    double gradient = exponentials[c] / sum - (c == label ? 1 : 0);
                    double value = label == ignore ? 0 : valid ? scaled * gradient : Double.NaN;
                    result.putFloat(first + c * plane, (float) value);
                }
            }
        }
    }
}
