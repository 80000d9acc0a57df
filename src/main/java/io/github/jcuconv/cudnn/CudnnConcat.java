package io.github.jcuconv.cudnn;

import io.github.jcuconv.Layout;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.Concat;
import io.github.jcuconv.op.Pass;
import java.util.Optional;
import jcuda.Pointer;
import jcuda.jcudnn.JCudnn;
import jcuda.jcudnn.cudnnTensorDescriptor;

/** One input of a concatenation: a copy into some channels of y, or out of them, which a descriptor with y's strides picks. */
final class CudnnConcat implements Factory<Concat> {
    @Override
    public Optional<String> refusal(Concat op, Pass pass) {
        return Layouts.mixedTypes(op, pass).or(() -> Layouts.bf16(op, pass));
    }

    @Override
    public void plan(PlanBuilder b, Concat op, Pass pass) {
        boolean forward = pass == Pass.FWD;
        Arg small = forward ? Arg.X : Arg.DX;
        Arg large = forward ? Arg.Y : Arg.DY;
        boolean nhwc = b.layout() == Layout.Plain.NHWC;
        cudnnTensorDescriptor part =
                b.make().window(op.x(), op.y(), b.spec(large).type(), nhwc);
        cudnnTensorDescriptor whole = b.tensor(small);
        long first =
                nhwc ? op.offset() : (long) op.offset() * op.x().h() * op.x().w();
        long bytes = first * b.spec(large).type().bytes();
        b.step("transform_tensor", call -> {
            Pointer channels = new DevicePointer(call.args().get(large).address() + bytes);
            copy(
                    call,
                    forward ? whole : part,
                    forward ? call.at(small) : channels,
                    forward ? part : whole,
                    forward ? channels : call.at(small));
        });
    }

    private static void copy(
            Step.Call call, cudnnTensorDescriptor from, Pointer source, cudnnTensorDescriptor to, Pointer target) {
        Cudnn.call(
                "copy channels",
                () -> JCudnn.cudnnTransformTensor(
                        call.dnn(), DevicePointer.ONE, from, source, DevicePointer.ZERO, to, target));
    }
}
