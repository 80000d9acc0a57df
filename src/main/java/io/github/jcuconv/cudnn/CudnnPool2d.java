package io.github.jcuconv.cudnn;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Dims;
import io.github.jcuconv.Layout;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.AvgPool2d;
import io.github.jcuconv.op.MaxPool2d;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Padding;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.Phase;
import io.github.jcuconv.op.Window;
import io.github.jcuconv.spi.EngineSpi.Block;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import jcuda.Pointer;
import jcuda.jcudnn.JCudnn;
import jcuda.jcudnn.cudnnPoolingDescriptor;
import jcuda.jcudnn.cudnnPoolingMode;
import jcuda.jcudnn.cudnnTensorDescriptor;

/**
 * Both poolings. cuDNN keeps no offsets of maxima: its backward pass reads x and y again, and so ARGMAX, in a layout of this engine, holds copies of
 * both.
 */
final class CudnnPool2d {
    private CudnnPool2d() {}

    /** Queues the forward call. */
    private static void forward(PlanBuilder b, cudnnPoolingDescriptor pooling) {
        cudnnTensorDescriptor x = b.tensor(Arg.X);
        cudnnTensorDescriptor y = b.tensor(Arg.Y);
        b.step(
                "pooling",
                call -> Cudnn.call(
                        "pooling forward",
                        () -> JCudnn.cudnnPoolingForward(
                                call.dnn(),
                                pooling,
                                DevicePointer.ONE,
                                x,
                                call.at(Arg.X),
                                DevicePointer.ZERO,
                                y,
                                call.at(Arg.Y))));
    }

    /** Where a backward call finds x and y of the forward call. */
    @FunctionalInterface
    private interface Saved {
        Pointer of(Step.Call call);
    }

    private static void backward(PlanBuilder b, cudnnPoolingDescriptor pooling, Saved savedX, Saved savedY) {
        cudnnTensorDescriptor x = b.tensor(Arg.DX);
        cudnnTensorDescriptor y = b.tensor(Arg.DY);
        b.step(
                "pooling",
                call -> Cudnn.call(
                        "pooling backward",
                        () -> JCudnn.cudnnPoolingBackward(
                                call.dnn(),
                                pooling,
                                DevicePointer.ONE,
                                y,
                                savedY.of(call),
                                y,
                                call.at(Arg.DY),
                                x,
                                savedX.of(call),
                                DevicePointer.ZERO,
                                x,
                                call.at(Arg.DX))));
    }

    private static Optional<String> refusal(OpDescriptor op, Pass pass, Window w, Dims x, Dims y) {
        if (w.dilationH() != 1 || w.dilationW() != 1) {
            return Optional.of("cuDNN's pooling has no dilation");
        }
        return Layouts.mixedTypes(op, pass).or(() -> Layouts.bf16(op, pass)).or(() -> Layouts.padding(w, x, y));
    }

    /** Max-pooling. */
    static final class Max implements Factory<MaxPool2d> {
        @Override
        public Optional<String> refusal(MaxPool2d op, Pass pass) {
            return CudnnPool2d.refusal(op, pass, op.window(), op.x(), op.y());
        }

        @Override
        public Map<Arg, Layout> propose(MaxPool2d op, Pass pass, Map<Arg, Layout> known) {
            Map<Arg, Layout> layouts = new EnumMap<>(Layouts.alike(op, pass, known));
            if (layouts.containsKey(Arg.ARGMAX)) {
                layouts.put(Arg.ARGMAX, saved(op, Layouts.shared(layouts, op, pass)));
            }
            return layouts;
        }

        /** x and then y, in elements of ARGMAX's type. */
        private static Layout saved(MaxPool2d op, Layout layout) {
            long bytes = yOffset(op) + op.y().count() * type(op).bytes();
            int unit = op.argmaxType().bytes();
            return new Layout.Opaque(Cudnn.ENGINE, op.y(), layout + "_x_and_y_" + type(op), (bytes + unit - 1) / unit);
        }

        private static DataType type(MaxPool2d op) {
            return op.types().of(Arg.X);
        }

        private static long yOffset(MaxPool2d op) {
            return PlanBuilder.roundedUp(op.x().count() * type(op).bytes());
        }

        @Override
        public void plan(PlanBuilder b, MaxPool2d op, Pass pass) {
            if (b.has(Arg.ARGMAX) && !b.request().layout(Arg.ARGMAX).equals(saved(op, b.layout()))) {
                throw b.refuse("ARGMAX must be laid out as proposed");
            }
            cudnnPoolingDescriptor pooling =
                    b.make().pooling(op.window(), cudnnPoolingMode.CUDNN_POOLING_MAX_DETERMINISTIC);
            if (pass == Pass.BWD) {
                backward(
                        b,
                        pooling,
                        call -> call.at(Arg.ARGMAX),
                        call -> new DevicePointer(call.args().get(Arg.ARGMAX).address() + yOffset(op)));
                return;
            }
            forward(b, pooling);
            if (op.phase() == Phase.TRAINING) {
                b.step("copies", call -> {
                    keep(b, call, Arg.X, 0, op.x().count() * type(op).bytes());
                    keep(b, call, Arg.Y, yOffset(op), op.y().count() * type(op).bytes());
                });
            }
        }

        private static void keep(PlanBuilder b, Step.Call call, Arg from, long offset, long bytes) {
            Block to = new Block(call.args().get(Arg.ARGMAX).address() + offset, null);
            b.engine().copy(new Block(call.args().get(from).address(), null), to, bytes, call.stream());
        }
    }

    /** Average pooling; its backward pass ignores x and y. */
    static final class Average implements Factory<AvgPool2d> {
        @Override
        public Optional<String> refusal(AvgPool2d op, Pass pass) {
            Padding p = op.window().padding();
            boolean alike = p.top() == p.bottom() && p.left() == p.right();
            return op.countPadding() && !alike
                    ? Optional.of("cuDNN counts padding on both sides alike")
                    : CudnnPool2d.refusal(op, pass, op.window(), op.x(), op.y());
        }

        @Override
        public void plan(PlanBuilder b, AvgPool2d op, Pass pass) {
            cudnnPoolingDescriptor pooling = b.make()
                    .pooling(
                            op.window(),
                            op.countPadding()
                                    ? cudnnPoolingMode.CUDNN_POOLING_AVERAGE_COUNT_INCLUDE_PADDING
                                    : cudnnPoolingMode.CUDNN_POOLING_AVERAGE_COUNT_EXCLUDE_PADDING);
            if (pass == Pass.FWD) {
                forward(b, pooling);
            } else {
                backward(b, pooling, call -> call.at(Arg.DX), call -> call.at(Arg.DY));
            }
        }
    }
}
