package io.github.jcuconv.cudnn;

import io.github.jcuconv.Layout;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.Reorder;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import jcuda.jcudnn.JCudnn;
import jcuda.jcudnn.cudnnTensorDescriptor;

/** Copies between the two plain layouts. */
final class CudnnReorder implements Factory<Reorder> {
    @Override
    public Optional<String> refusal(Reorder op, Pass pass) {
        return op.from() == op.to()
                ? Layouts.bf16(op, pass)
                : Optional.of("cuDNN copies between layouts, not between types");
    }

    @Override
    public Map<Arg, Layout> propose(Reorder op, Pass pass, Map<Arg, Layout> known) {
        Map<Arg, Layout> layouts = new EnumMap<>(Arg.class);
        for (Arg arg : new Arg[] {Arg.X, Arg.Y}) {
            layouts.put(arg, known.get(arg) instanceof Layout.Plain plain ? plain : Layout.Plain.NCHW);
        }
        return layouts;
    }

    @Override
    public void plan(PlanBuilder b, Reorder op, Pass pass) {
        for (Arg arg : new Arg[] {Arg.X, Arg.Y}) {
            if (!(b.request().layout(arg) instanceof Layout.Plain)) {
                throw b.refuse(
                        arg + " must have a plain layout, not " + b.request().layout(arg));
            }
        }
        cudnnTensorDescriptor x = b.make().tensor(op.x(), op.from(), b.request().layout(Arg.X));
        cudnnTensorDescriptor y = b.make().tensor(op.x(), op.to(), b.request().layout(Arg.Y));
        b.step(
                "transform_tensor",
                call -> Cudnn.call(
                        "copy to another layout",
                        () -> JCudnn.cudnnTransformTensor(
                                call.dnn(),
                                DevicePointer.ONE,
                                x,
                                call.at(Arg.X),
                                DevicePointer.ZERO,
                                y,
                                call.at(Arg.Y))));
    }
}
