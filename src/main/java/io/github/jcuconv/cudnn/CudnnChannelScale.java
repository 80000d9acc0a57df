package io.github.jcuconv.cudnn;

import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.ChannelScale;
import io.github.jcuconv.op.Pass;
import java.util.Optional;
import jcuda.jcudnn.JCudnn;
import jcuda.jcudnn.cudnnOpTensorDescriptor;
import jcuda.jcudnn.cudnnOpTensorOp;
import jcuda.jcudnn.cudnnTensorDescriptor;

/** Products with one number per image and channel. */
final class CudnnChannelScale implements Factory<ChannelScale> {
    @Override
    public Optional<String> refusal(ChannelScale op, Pass pass) {
        return pass == Pass.BWD
                ? Optional.of("cuDNN has no gradient of gates in one call")
                : Layouts.mixedTypes(op, pass).or(() -> Layouts.bf16(op, pass));
    }

    @Override
    public void plan(PlanBuilder b, ChannelScale op, Pass pass) {
        multiply(b, Arg.X, Arg.X2, Arg.Y);
    }

    /** Adds the call that multiplies each channel by a number; {@code from} and {@code to} have one shape and may be the same. */
    static void multiply(PlanBuilder b, Arg from, Arg by, Arg to) {
        cudnnOpTensorDescriptor multiply = b.make().opTensor(cudnnOpTensorOp.CUDNN_OP_TENSOR_MUL);
        cudnnTensorDescriptor tensor = b.tensor(from);
        cudnnTensorDescriptor factors = b.tensor(by);
        b.step(
                "op_tensor",
                call -> Cudnn.call(
                        "multiply by " + by,
                        () -> JCudnn.cudnnOpTensor(
                                call.dnn(),
                                multiply,
                                DevicePointer.ONE,
                                tensor,
                                call.at(from),
                                DevicePointer.ONE,
                                factors,
                                call.at(by),
                                DevicePointer.ZERO,
                                tensor,
                                call.at(to))));
    }
}
