package io.github.jcuconv.op;

import io.github.jcuconv.DataType;
import java.util.List;

/**
 * Adam (Kingma and Ba, 2015) with decoupled weight decay over one flat region of fp32 parameters, with numbers from {@link Hyper}:
 * {@code g = scale * dw; m = b1*m + (1-b1)*g; v = b2*v + (1-b2)*g*g; w = w - rate * ((m/c1) / (sqrt(v/c2) + eps) + decay * w)}. Where apply is
 * 0, w, m and v stay as they are, bit for bit; the rounded copy is written all the same.
 *
 * @param count parameters, engine padding included
 * @param storage FP16 or BF16 to write a rounded copy of w to W_STORAGE, FP32 for none
 */
public record Adam(int count, DataType storage) implements OpDescriptor {
    @Override
    public String name() {
        return "adam";
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
        return Sgd.optimizer(count, storage, true, true);
    }

    @Override
    public String problem() {
        return "count" + count;
    }
}
