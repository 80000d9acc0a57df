package io.github.jcuconv.cudnn;

import io.github.jcuconv.DataType;
import io.github.jcuconv.op.Activation;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.Epilogue;
import io.github.jcuconv.op.Pass;
import java.util.Optional;
import jcuda.jcudnn.JCudnn;
import jcuda.jcudnn.cudnnTensorDescriptor;

/** What follows a sum of products, as calls of cuDNN's of their own; and the gradient of a bias. */
final class Epilogues {
    private Epilogues() {}

    /** In 16 bits the sum is rounded when it is stored, so that only what follows without an error of its own can be done to it. */
    static Optional<String> refusal(Epilogue epilogue, Pass pass, DataType storage) {
        if (pass != Pass.FPROP || storage == DataType.FP32) {
            return Optional.empty();
        }
        return epilogue.steps().stream()
                .filter(step -> step != Epilogue.Step.RELU)
                .findFirst()
                .map(step -> "cuDNN would round to 16 bits before and after " + step
                        + "; ask for it as an operation of its own");
    }

    /** Adds the steps of a forward pass. */
    static void forward(PlanBuilder b, Epilogue epilogue) {
        epilogue.steps().forEach(step -> {
            switch (step) {
                case BIAS -> add(b, Arg.BIAS);
                case RESIDUAL -> add(b, Arg.RESIDUAL);
                case SCALE -> CudnnChannelScale.multiply(b, Arg.Y, Arg.SCALE, Arg.Y);
                case RELU -> CudnnActivation.forward(b, Activation.Kind.RELU, Arg.Y);
                case TANH -> CudnnActivation.forward(b, Activation.Kind.TANH, Arg.Y);
                case SIGMOID -> CudnnActivation.forward(b, Activation.Kind.SIGMOID, Arg.Y);
            }
        });
    }

    private static void add(PlanBuilder b, Arg arg) {
        cudnnTensorDescriptor what = b.tensor(arg);
        cudnnTensorDescriptor y = b.tensor(Arg.Y);
        b.step(
                "add_tensor",
                call -> Cudnn.call(
                        "add " + arg,
                        () -> JCudnn.cudnnAddTensor(
                                call.dnn(),
                                DevicePointer.ONE,
                                what,
                                call.at(arg),
                                DevicePointer.ONE,
                                y,
                                call.at(Arg.Y))));
    }

    /** Adds the call that sums DY into DBIAS. */
    static void dbias(PlanBuilder b) {
        cudnnTensorDescriptor dy = b.tensor(Arg.DY);
        cudnnTensorDescriptor dbias = b.tensor(Arg.DBIAS);
        b.step(
                "backward_bias",
                call -> Cudnn.call(
                        "convolution backward bias",
                        () -> JCudnn.cudnnConvolutionBackwardBias(
                                call.dnn(),
                                DevicePointer.ONE,
                                dy,
                                call.at(Arg.DY),
                                b.before(),
                                dbias,
                                call.at(Arg.DBIAS))));
    }
}
