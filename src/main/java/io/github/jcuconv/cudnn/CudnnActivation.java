package io.github.jcuconv.cudnn;

import io.github.jcuconv.op.Activation;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.Pass;
import java.util.Optional;
import jcuda.jcudnn.JCudnn;
import jcuda.jcudnn.cudnnActivationDescriptor;
import jcuda.jcudnn.cudnnActivationMode;
import jcuda.jcudnn.cudnnTensorDescriptor;

/** Activations. Backward, cuDNN wants x too: y stands in for it, since it is positive where x is, and no other function of ours looks at x. */
final class CudnnActivation implements Factory<Activation> {
    static int mode(Activation.Kind kind) {
        return switch (kind) {
            case RELU -> cudnnActivationMode.CUDNN_ACTIVATION_RELU;
            case TANH -> cudnnActivationMode.CUDNN_ACTIVATION_TANH;
            case SIGMOID -> cudnnActivationMode.CUDNN_ACTIVATION_SIGMOID;
        };
    }

    @Override
    public Optional<String> refusal(Activation op, Pass pass) {
        return Layouts.mixedTypes(op, pass).or(() -> Layouts.bf16(op, pass));
    }

    @Override
    public void plan(PlanBuilder b, Activation op, Pass pass) {
        if (pass == Pass.FWD) {
            forward(b, op.kind(), Arg.X);
        } else {
            backward(b, op.kind());
        }
    }

    /** Adds the call that writes Y from this argument, which may be Y itself. */
    static void forward(PlanBuilder b, Activation.Kind kind, Arg from) {
        cudnnActivationDescriptor activation = b.make().activation(mode(kind));
        cudnnTensorDescriptor y = b.tensor(Arg.Y);
        b.step(
                "activation",
                call -> Cudnn.call(
                        "activation forward",
                        () -> JCudnn.cudnnActivationForward(
                                call.dnn(),
                                activation,
                                DevicePointer.ONE,
                                y,
                                call.at(from),
                                DevicePointer.ZERO,
                                y,
                                call.at(Arg.Y))));
    }

    private static void backward(PlanBuilder b, Activation.Kind kind) {
        cudnnActivationDescriptor activation = b.make().activation(mode(kind));
        cudnnTensorDescriptor y = b.tensor(Arg.Y);
        b.step(
                "activation",
                call -> Cudnn.call(
                        "activation backward",
                        () -> JCudnn.cudnnActivationBackward(
                                call.dnn(),
                                activation,
                                DevicePointer.ONE,
                                y,
                                call.at(Arg.Y),
                                y,
                                call.at(Arg.DY),
                                y,
                                call.at(Arg.Y),
                                DevicePointer.ZERO,
                                y,
                                call.at(Arg.DX))));
    }
}
