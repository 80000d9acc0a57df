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
        cudnnOpTensorDescriptor multiply = b.make().opTensor(cudnnOpTensorOp.CUDNN_OP_TENSOR_MUL);
        cudnnTensorDescriptor x = b.tensor(Arg.X);
        cudnnTensorDescriptor gates = b.tensor(Arg.X2);
        b.step(
                "op_tensor",
                call -> Cudnn.call(
                        "multiply",
                        () -> JCudnn.cudnnOpTensor(
                                call.dnn(),
                                multiply,
                                DevicePointer.ONE,
                                x,
                                call.at(Arg.X),
                                DevicePointer.ONE,
                                gates,
                                call.at(Arg.X2),
                                DevicePointer.ZERO,
                                x,
                                call.at(Arg.Y))));
    }
}
