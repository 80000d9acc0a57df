package io.github.jcuconv.onednn;

import io.github.jcuconv.DataType;
import io.github.jcuconv.op.Activation;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.ArgSpec;
import io.github.jcuconv.op.AvgPool2d;
import io.github.jcuconv.op.Conv2d;
import io.github.jcuconv.op.MaxPool2d;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.PlanRequest;
import java.util.EnumSet;
import java.util.Set;

/**
 * Cuts the batch of an operation whose tensors are stored in 16 bits and computed in fp32, so that the fp32 copies are small and stay in the
 * cache. Images are independent of each other but for the sum of dw and dbias, which is taken slice by slice in order.
 */
final class Slices {
    /** Arguments that have a batch. */
    static final Set<Arg> SLICED = EnumSet.of(Arg.X, Arg.Y, Arg.DX, Arg.DY, Arg.ARGMAX, Arg.RESIDUAL);

    /** Bytes of fp32 copies that one slice may have: about the second-level cache of two cores. */
    private static final long MOST = 2 << 20;

    /** The same for weight gradients, whose threads meet at barriers inside the primitive: fewer slices, fewer meetings. */
    private static final long MOST_WGRAD = 8 << 20;

    private Slices() {}

    /** The smallest number of equal slices whose copies are small enough; 1 where nothing is copied or the operation is not cut. */
    static int count(OnednnEngine engine, PlanRequest request) {
        OpDescriptor op = request.op();
        int batch = batch(op);
        long copied = 0;
        for (ArgSpec spec : op.arguments(request.pass())) {
            boolean native16 = spec.type() == DataType.BF16 && engine.bf16();
            if (SLICED.contains(spec.arg()) && spec.type().isFloating() && spec.type() != DataType.FP32 && !native16) {
                copied += request.layout(spec.arg()).elements(spec.dims()) * DataType.FP32.bytes();
            }
        }
        long most = request.pass() == Pass.WGRAD ? MOST_WGRAD : MOST;
        int slices = 1;
        while (slices < batch && (batch % slices != 0 || copied / slices > most)) {
            slices++;
        }
        return slices;
    }

    private static int batch(OpDescriptor op) {
        if (op instanceof Conv2d conv) {
            return conv.x().n();
        }
        if (op instanceof MaxPool2d pool) {
            return pool.x().n();
        }
        if (op instanceof AvgPool2d pool) {
            return pool.x().n();
        }
        boolean copies = op instanceof Activation a && a.kind() != Activation.Kind.RELU;
        return op instanceof Activation activation && copies ? activation.x().n() : 1;
    }

    /** The operation on one slice. */
    static OpDescriptor of(OpDescriptor op, int slices) {
        if (slices == 1) {
            return op;
        }
        int n = batch(op) / slices;
        if (op instanceof Conv2d c) {
            return new Conv2d(
                    c.x().withN(n), c.k(), c.window(), c.groups(), c.types(), c.epilogue(), c.phase(), c.pool());
        }
        if (op instanceof MaxPool2d p) {
            return new MaxPool2d(p.x().withN(n), p.window(), p.ceil(), p.types(), p.phase());
        }
        if (op instanceof AvgPool2d p) {
            return new AvgPool2d(p.x().withN(n), p.window(), p.ceil(), p.countPadding(), p.types());
        }
        Activation a = (Activation) op;
        return new Activation(a.x().withN(n), a.kind(), a.types());
    }
}
