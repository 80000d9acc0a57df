package io.github.jcuconv.verify;

import io.github.jcuconv.Dims;
import io.github.jcuconv.op.Adam;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.ArgSpec;
import io.github.jcuconv.op.Epilogue;
import io.github.jcuconv.op.FiniteCheck;
import io.github.jcuconv.op.Hyper;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.Sgd;
import io.github.jcuconv.op.SoftmaxCrossEntropy;
import io.github.jcuconv.op.StepControl;
import io.github.jcuconv.reference.ReferenceTable;
import io.github.jcuconv.reference.Tensor;
import io.github.jcuconv.reference.Views;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;

/** The seeded inputs of a case, typed and plain. What only a forward pass can make (maxima, saved statistics, y) comes from the oracle's. */
final class Inputs {
    private static final Set<Arg> FROM_FORWARD = EnumSet.of(Arg.ARGMAX, Arg.SAVED, Arg.SAVE_MEAN, Arg.SAVE_VAR, Arg.Y);
    private static final int[] RANGES = {16, 8, 4, 2, 1};
    /** Rate, scale, decay, momentum, beta2, eps, corrections after three steps, apply; powers of two for exact data. */
    private static final double[] REAL_HYPER = {0.01, 1 / 1024.0, 1e-3, 0.9, 0.999, 1e-8, 0.271, 0.002997001, 1};

    private static final double[] EXACT_HYPER = {0.5, 0.25, 0.5, 0.5, 0.5, 1, 0.5, 0.5, 1};

    private Inputs() {}

    /** Every input, and every output that the pass reads; other outputs are absent. */
    static Views of(VerifyCase c) {
        Views inputs = new Views();
        List<ArgSpec> specs = c.op().arguments(c.pass());
        boolean needsForward = c.pass() == Pass.BWD && specs.stream().anyMatch(Inputs::fromForward);
        Views forward = needsForward ? forward(c) : new Views();
        for (ArgSpec spec : specs) {
            if (needsForward && forward.has(spec.arg())) {
                inputs.set(spec.arg(), forward.get(spec.arg()));
            } else if (reads(c, spec)) {
                inputs.set(spec.arg(), fill(c, spec));
            }
        }
        return inputs;
    }

    /** Whether the pass reads what the argument holds before. */
    static boolean reads(VerifyCase c, ArgSpec spec) {
        return spec.access() != ArgSpec.Access.OUT || c.accumulate();
    }

    private static boolean fromForward(ArgSpec spec) {
        return spec.access() == ArgSpec.Access.IN && FROM_FORWARD.contains(spec.arg());
    }

    /** Inputs and results of the forward pass that belongs to a backward one. */
    static Views forward(VerifyCase c) {
        Views views = new Views();
        for (ArgSpec spec : c.op().arguments(Pass.FWD)) {
            boolean out = spec.access() == ArgSpec.Access.OUT;
            views.set(spec.arg(), out ? Tensor.zeros(spec.dims(), spec.type()) : fill(c, spec));
        }
        ReferenceTable.run(c.op(), Pass.FWD, views, false);
        return views;
    }

    /** Operations that branch on a number: odd seeds give them an overflow, or tell them to skip the update. */
    static boolean dependOnParity(OpDescriptor op) {
        return op instanceof FiniteCheck
                || op instanceof Sgd
                || op instanceof Adam
                || op instanceof StepControl s && s.lossScaling();
    }

    private static Tensor fill(VerifyCase c, ArgSpec spec) {
        Tensor tensor = Tensor.zeros(spec.dims(), spec.type());
        SplittableRandom random =
                new SplittableRandom(c.seed() * 64 + spec.arg().ordinal());
        if (c.op() instanceof StepControl control) {
            return stepControl(c, control, spec.arg(), tensor);
        }
        int count = (int) spec.dims().count();
        boolean exact = c.data() == VerifyCase.Data.EXACT;
        int range = exact ? range(c.op(), c.pass()) : 0;
        boolean filter = spec.arg() == Arg.W && Bounds.isWeighted(c.op());
        double scale = filter ? filterScale(c.op()) : 1;
        for (int i = 0; i < count; i++) {
            tensor.put(
                    i,
                    switch (spec.arg()) {
                        case LABELS -> label(c.op(), random);
                        case SEED -> random.nextInt();
                        case HYPER -> exact ? EXACT_HYPER[i] : i == Hyper.APPLY ? 1 - c.seed() % 2 : REAL_HYPER[i];
                        case LOSS_SCALE -> 1024;
                        case V, RUNNING_VAR -> 0.25 + random.nextDouble();
                        case GAMMA -> 1 + normal(random) / 4;
                        default -> exact ? random.nextInt(-range, range + 1) : normal(random) * scale;
                    });
        }
        if (spec.arg() == Arg.X && c.op() instanceof FiniteCheck && c.seed() % 2 == 1) {
            tensor.put(random.nextInt(count), random.nextBoolean() ? Double.NaN : Double.NEGATIVE_INFINITY);
        }
        return tensor;
    }

    /** Counters at their turning points: the ends of the table, carries, the step before the loss scale grows. */
    private static Tensor stepControl(VerifyCase c, StepControl op, Arg arg, Tensor tensor) {
        SplittableRandom random = new SplittableRandom((c.seed() * 64 + arg.ordinal()) * 31 + op.hashCode());
        for (int i = 0; i < tensor.dims().count(); i++) {
            tensor.put(
                    i,
                    switch (arg) {
                        case FLAG -> c.seed() % 2 == 1 ? oneOf(random, 1, -1) : 0;
                        case RATES -> random.nextDouble();
                        case COUNTERS -> counter(op, i, random);
                        case LOSS_SCALE -> oneOf(random, 1, 1024, 1 << 24);
                        case SEED -> random.nextInt();
                        // Rows differ, so that none can stand for another.
                        default -> REAL_HYPER[i % Hyper.COUNT] * (1 - Math.floorDiv(i, Hyper.COUNT) * 0.0625);
                    });
        }
        return tensor;
    }

    private static int counter(StepControl op, int index, SplittableRandom random) {
        return switch (index) {
            case StepControl.STEP -> oneOf(random, 0, op.rates() / 2, op.rates() - 1, op.rates(), -1);
            case StepControl.UPDATES -> oneOf(random, 0, 1, 100, -1);
            case StepControl.STEP + 1, StepControl.UPDATES + 1 -> oneOf(random, 0, 0, 1);
            case StepControl.GOOD_STEPS -> oneOf(random, 0, op.growthInterval() - 1);
            case StepControl.RANKS -> oneOf(random, 1, 3, 8);
            default -> random.nextInt();
        };
    }

    private static int oneOf(SplittableRandom random, int... values) {
        return values[random.nextInt(values.length)];
    }

    /**
     * The largest a of a short list such that integers within -a..a keep every sum exact: K a a + 3 a <= 2^24, for K products, a bias, a
     * residual and what the output held before; a scale multiplies all of it by up to a.
     *
     * @throws IllegalArgumentException if no integers do
     */
    static int range(OpDescriptor op, Pass pass) {
        long terms = Bounds.terms(op, pass);
        boolean scaled = Bounds.epilogue(op, pass).has(Epilogue.Step.SCALE);
        for (int a : RANGES) {
            if ((terms * a * a + 3L * a) * (scaled ? a : 1) <= Bounds.EXACT_LIMIT) {
                return a;
            }
        }
        throw new IllegalArgumentException(
                op.name() + " " + pass + ": sums of " + terms + " products cannot be kept exact in fp32");
    }

    /** Irwin-Hall of four uniform numbers, scaled to variance 1: bounded by 3.5, so that no tail surprises fp16. */
    private static double normal(SplittableRandom random) {
        return (random.nextDouble() + random.nextDouble() + random.nextDouble() + random.nextDouble() - 2)
                * Math.sqrt(3);
    }

    /** Keeps sums near 1, as initialisers do: a power of two close to 1 / sqrt(K). */
    private static double filterScale(OpDescriptor op) {
        return Math.scalb(1.0, -Math.getExponent((double) Bounds.terms(op, Pass.FPROP)) / 2);
    }

    private static int label(OpDescriptor op, SplittableRandom random) {
        SoftmaxCrossEntropy softmax = (SoftmaxCrossEntropy) op;
        return random.nextInt(10) == 0
                ? softmax.ignoreLabel()
                : random.nextInt(softmax.x().c());
    }

    static int countLabels(Tensor labels, int ignored) {
        int count = 0;
        for (int i = 0; i < labels.dims().count(); i++) {
            count += (int) labels.at(i) == ignored ? 0 : 1;
        }
        return count;
    }

    /** The absolute values, fp64. */
    static Tensor absolute(Tensor tensor) {
        Dims d = tensor.dims();
        Tensor absolute = Tensor.exact(d);
        absolute.copyFrom(tensor);
        for (int i = 0; i < d.count(); i++) {
            absolute.put(i, Math.abs(absolute.at(i)));
        }
        return absolute;
    }
}
