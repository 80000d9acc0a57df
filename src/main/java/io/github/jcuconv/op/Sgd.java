package io.github.jcuconv.op;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Dims;
import java.util.ArrayList;
import java.util.List;

/**
 * Stochastic gradient descent over one flat region of fp32 parameters, with numbers from {@link Hyper}:
 * {@code g = scale * dw + decay * w; m = momentum * m + g; w = w - rate * m}; without momentum {@code w = w - rate * g}. Where apply is 0, w
 * and m stay as they are, bit for bit; the rounded copy is written all the same.
 *
 * @param count parameters, engine padding included
 * @param momentum whether there is a state M
 * @param storage FP16 or BF16 to write a rounded copy of w to W_STORAGE, FP32 for none
 */
public record Sgd(int count, boolean momentum, DataType storage) implements OpDescriptor {
    @Override
    public String name() {
        return "sgd";
    }

    @Override
    public List<Pass> passes() {
        return List.of(Pass.UPDATE);
    }

    @Override
    public List<ArgSpec> arguments(Pass pass) {
        if (pass != Pass.UPDATE) {
            throw OpDescriptor.noSuchPass(this, pass);
        }
        return optimizer(count, storage, momentum, false);
    }

    @Override
    public String problem() {
        return "count" + count;
    }

    static List<ArgSpec> optimizer(int count, DataType storage, boolean m, boolean v) {
        Dims flat = Dims.vector(count);
        List<ArgSpec> args = new ArrayList<>();
        args.add(ArgSpec.inout(Arg.W, flat, DataType.FP32));
        args.add(ArgSpec.in(Arg.DW, flat, DataType.FP32));
        if (m) {
            args.add(ArgSpec.inout(Arg.M, flat, DataType.FP32));
        }
        if (v) {
            args.add(ArgSpec.inout(Arg.V, flat, DataType.FP32));
        }
        args.add(ArgSpec.in(Arg.HYPER, Dims.vector(Hyper.COUNT), DataType.FP32));
        if (storage != DataType.FP32) {
            args.add(ArgSpec.out(Arg.W_STORAGE, flat, storage));
        }
        return List.copyOf(args);
    }
}
