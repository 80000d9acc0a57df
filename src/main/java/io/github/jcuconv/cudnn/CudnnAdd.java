package io.github.jcuconv.cudnn;

import io.github.jcuconv.op.Add;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.Pass;
import java.util.Optional;
import jcuda.jcudnn.JCudnn;
import jcuda.jcudnn.cudnnOpTensorDescriptor;
import jcuda.jcudnn.cudnnOpTensorOp;
import jcuda.jcudnn.cudnnTensorDescriptor;

/** The sum of two tensors. */
final class CudnnAdd implements Factory<Add> {
    @Override
    public Optional<String> refusal(Add op, Pass pass) {
        return Layouts.mixedTypes(op, pass).or(() -> Layouts.bf16(op, pass));
    }

    @Override
    public void plan(PlanBuilder b, Add op, Pass pass) {
        cudnnOpTensorDescriptor add = b.make().opTensor(cudnnOpTensorOp.CUDNN_OP_TENSOR_ADD);
        cudnnTensorDescriptor x = b.tensor(Arg.X);
        b.step(
                "op_tensor",
                call -> Cudnn.call(
                        "add",
                        () -> JCudnn.cudnnOpTensor(
                                call.dnn(),
                                add,
                                DevicePointer.ONE,
                                x,
                                call.at(Arg.X),
                                DevicePointer.ONE,
                                x,
                                call.at(Arg.X2),
                                DevicePointer.ZERO,
                                x,
                                call.at(Arg.Y))));
    }
}
