package io.github.jcuconv.verify;

import io.github.jcuconv.DataType;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.ArgSpec;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.reference.Formula;
import io.github.jcuconv.reference.ReferenceTable;
import io.github.jcuconv.reference.Rounding;
import io.github.jcuconv.reference.Tensor;
import io.github.jcuconv.reference.Views;

/** What an output element should be in fp64, and how far a right engine may be off before rounding. */
interface Expectation {
    /** The fp64 result. */
    double value(ArgSpec out, int n, int c, int h, int w);

    /** The allowed error before the result is rounded to its type; 0 where the arithmetic is exact. */
    double error(ArgSpec out, int n, int c, int h, int w);

    /** The expectation of a case on these inputs, of the algorithm that an engine says it ran. */
    static Expectation of(VerifyCase c, Views inputs, String algorithm) {
        return Bounds.isLinear(c.op(), c.pass()) ? new Linear(c, inputs, algorithm) : new Whole(c, inputs);
    }

    /** Evaluates the formula per element, and again on absolute values for the bound. */
    final class Linear implements Expectation {
        private final VerifyCase verified;
        private final Views inputs;
        private final Views absolutes = new Views();
        private final OpDescriptor magnitude;
        private final double factor;
        private final double floor;
        private final boolean exact;

        Linear(VerifyCase c, Views inputs, String algorithm) {
            this.verified = c;
            this.inputs = inputs;
            this.magnitude = Bounds.magnitude(c.op());
            this.factor = Bounds.factor(c.op(), c.pass(), c.accumulate(), algorithm);
            this.floor = Bounds.floor(c.op(), c.pass());
            this.exact = c.data() == VerifyCase.Data.EXACT && Bounds.canBeExact(c.op(), c.pass())
                    || Bounds.isCopy(c.op(), c.pass());
            for (ArgSpec spec : c.op().arguments(c.pass())) {
                if (!exact && inputs.has(spec.arg())) {
                    Tensor tensor = inputs.get(spec.arg());
                    absolutes.set(spec.arg(), spec.type().isFloating() ? Inputs.absolute(tensor) : tensor);
                }
            }
        }

        @Override
        public double value(ArgSpec out, int n, int c, int h, int w) {
            return evaluate(verified.op(), inputs, out, n, c, h, w);
        }

        @Override
        public double error(ArgSpec out, int n, int c, int h, int w) {
            return exact ? 0 : factor * evaluate(magnitude, absolutes, out, n, c, h, w) + floor;
        }

        private double evaluate(OpDescriptor op, Views views, ArgSpec out, int n, int c, int h, int w) {
            Formula<OpDescriptor> formula = ReferenceTable.formula(op, verified.pass(), out.arg());
            if (formula == null) {
                throw new IllegalStateException(op.name() + " " + verified.pass() + " has no formula for " + out.arg());
            }
            double before = verified.accumulate() ? views.get(out.arg()).get(n, c, h, w) : 0;
            return before + formula.at(op, views, n, c, h, w);
        }
    }

    /** Runs the whole pass in fp64 once. */
    final class Whole implements Expectation {
        private final Views results = new Views();
        private final Views errors;
        private final boolean exact;

        Whole(VerifyCase c, Views inputs) {
            Views views = new Views();
            for (ArgSpec spec : c.op().arguments(c.pass())) {
                Tensor tensor = inputs.has(spec.arg()) ? inputs.get(spec.arg()) : Tensor.exact(spec.dims());
                if (spec.access() != ArgSpec.Access.IN) {
                    Tensor result = Tensor.exact(spec.dims());
                    result.copyFrom(tensor);
                    results.set(spec.arg(), result);
                    tensor = result;
                }
                views.set(spec.arg(), tensor);
            }
            ReferenceTable.run(c.op(), c.pass(), views, false);
            this.exact = c.data() == VerifyCase.Data.EXACT && Bounds.canBeExact(c.op(), c.pass());
            this.errors = exact ? new Views() : NonlinearBounds.of(c.op(), c.pass(), inputs, results);
        }

        @Override
        public double value(ArgSpec out, int n, int c, int h, int w) {
            double value = results.get(out.arg()).get(n, c, h, w);
            // The 16-bit weight is the fp32 weight rounded again.
            return out.arg() == Arg.W_STORAGE ? Rounding.round(DataType.FP32, value) : value;
        }

        @Override
        public double error(ArgSpec out, int n, int c, int h, int w) {
            return exact ? 0 : errors.get(out.arg()).get(n, c, h, w);
        }
    }
}
