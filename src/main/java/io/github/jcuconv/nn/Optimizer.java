package io.github.jcuconv.nn;

import io.github.jcuconv.DataType;
import io.github.jcuconv.op.Adam;
import io.github.jcuconv.op.Hyper;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Sgd;

/** How weights follow gradients: a value without state; the state lies in the arena. */
public sealed interface Optimizer {
    /** Weight decay, applied to weights and filters only. */
    float weightDecay();

    /** How many fp32 numbers it keeps per parameter. */
    int states();

    /** The update of one flat region. */
    OpDescriptor op(int count, DataType storage);

    /** Writes the numbers that never change into a row of HYPER, apart from the decay. */
    void write(float[] hyper, int row);

    /** Momentum 0 keeps no state. */
    record SgdOptimizer(float momentum, float weightDecay) implements Optimizer {
        @Override
        public int states() {
            return momentum == 0 ? 0 : 1;
        }

        @Override
        public OpDescriptor op(int count, DataType storage) {
            return new Sgd(count, momentum != 0, storage);
        }

        @Override
        public void write(float[] hyper, int row) {
            hyper[row + Hyper.MOMENTUM] = momentum;
        }
    }

    /** Adam with decoupled decay. */
    record AdamOptimizer(float beta1, float beta2, float eps, float weightDecay) implements Optimizer {
        @Override
        public int states() {
            return 2;
        }

        @Override
        public OpDescriptor op(int count, DataType storage) {
            return new Adam(count, storage);
        }

        @Override
        public void write(float[] hyper, int row) {
            hyper[row + Hyper.MOMENTUM] = beta1;
            hyper[row + Hyper.BETA2] = beta2;
            hyper[row + Hyper.EPS] = eps;
        }
    }

    /** SGD with this momentum. */
    static Optimizer sgd(float momentum) {
        return new SgdOptimizer(momentum, 0);
    }

    /** Adam with beta 0.9 and 0.999, eps 1e-8. */
    static Optimizer adam() {
        return new AdamOptimizer(0.9f, 0.999f, 1e-8f, 0);
    }
}
