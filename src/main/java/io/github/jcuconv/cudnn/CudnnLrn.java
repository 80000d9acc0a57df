package io.github.jcuconv.cudnn;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Layout;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.Lrn;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.Phase;
import io.github.jcuconv.spi.EngineSpi.Block;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import jcuda.jcudnn.JCudnn;
import jcuda.jcudnn.cudnnLRNDescriptor;
import jcuda.jcudnn.cudnnLRNMode;
import jcuda.jcudnn.cudnnTensorDescriptor;

/**
 * Local response normalization. cuDNN computes the scale anew in its backward pass but wants y there: so SAVED, in a layout of this engine, holds a
 * copy of y.
 */
final class CudnnLrn implements Factory<Lrn> {
    private static final int MOST_CHANNELS = 16;
    private static final double LEAST_K = 1e-5;
    private static final double LEAST_BETA = 0.01;

    @Override
    public Optional<String> refusal(Lrn op, Pass pass) {
        if (pass == Pass.BWD && type(op) != DataType.FP32) {
            return Optional.of(
                    "in 16 bits cuDNN's LRN begins its backward pass with the rounded y, which loses more than the last bit");
        }
        boolean fits = op.size() <= MOST_CHANNELS && op.k() >= LEAST_K && op.beta() >= LEAST_BETA;
        return fits
                ? Layouts.mixedTypes(op, pass).or(() -> Layouts.bf16(op, pass))
                : Optional.of("cuDNN's LRN has windows of 1 to 16 channels, k of at least 1e-5, beta of at least 0.01");
    }

    @Override
    public Map<Arg, Layout> propose(Lrn op, Pass pass, Map<Arg, Layout> known) {
        Map<Arg, Layout> layouts = new EnumMap<>(Layouts.alike(op, pass, known));
        if (layouts.containsKey(Arg.SAVED)) {
            layouts.put(Arg.SAVED, saved(op, Layouts.shared(layouts, op, pass)));
        }
        return layouts;
    }

    /** y, in as many elements of SAVED's type as hold it. */
    private static Layout saved(Lrn op, Layout layout) {
        int unit = op.types().of(Arg.SAVED).bytes();
        return new Layout.Opaque(Cudnn.ENGINE, op.x(), layout + "_y_" + type(op), (bytes(op) + unit - 1) / unit);
    }

    private static DataType type(Lrn op) {
        return op.types().of(Arg.X);
    }

    private static long bytes(Lrn op) {
        return op.x().count() * type(op).bytes();
    }

    @Override
    public void plan(PlanBuilder b, Lrn op, Pass pass) {
        if (b.has(Arg.SAVED) && !b.request().layout(Arg.SAVED).equals(saved(op, b.layout()))) {
            throw b.refuse("SAVED must be laid out as proposed");
        }
        cudnnLRNDescriptor lrn = b.make().lrn(op);
        cudnnTensorDescriptor x = b.tensor(Arg.X);
        if (pass == Pass.BWD) {
            backward(b, lrn, x);
            return;
        }
        b.step(
                "lrn_cross_channel",
                call -> Cudnn.call(
                        "LRN forward",
                        () -> JCudnn.cudnnLRNCrossChannelForward(
                                call.dnn(),
                                lrn,
                                cudnnLRNMode.CUDNN_LRN_CROSS_CHANNEL_DIM1,
                                DevicePointer.ONE,
                                x,
                                call.at(Arg.X),
                                DevicePointer.ZERO,
                                x,
                                call.at(Arg.Y))));
        if (op.phase() == Phase.TRAINING) {
            b.step("copy", call -> b.engine()
                    .copy(
                            new Block(call.args().get(Arg.Y).address(), null),
                            new Block(call.args().get(Arg.SAVED).address(), null),
                            bytes(op),
                            call.stream()));
        }
    }

    private static void backward(PlanBuilder b, cudnnLRNDescriptor lrn, cudnnTensorDescriptor x) {
        b.step(
                "lrn_cross_channel",
                call -> Cudnn.call(
                        "LRN backward",
                        () -> JCudnn.cudnnLRNCrossChannelBackward(
                                call.dnn(),
                                lrn,
                                cudnnLRNMode.CUDNN_LRN_CROSS_CHANNEL_DIM1,
                                DevicePointer.ONE,
                                x,
                                call.at(Arg.SAVED),
                                x,
                                call.at(Arg.DY),
                                x,
                                call.at(Arg.X),
                                DevicePointer.ZERO,
                                x,
                                call.at(Arg.DX))));
    }
}
