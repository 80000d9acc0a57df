package io.github.jcuconv.cuda;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Dims;
import io.github.jcuconv.Layout;
import io.github.jcuconv.UnsupportedException;
import io.github.jcuconv.op.Activation;
import io.github.jcuconv.op.Add;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.ArgSpec;
import io.github.jcuconv.op.Conv2d;
import io.github.jcuconv.op.Dense;
import io.github.jcuconv.op.FiniteCheck;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.PlanRequest;
import io.github.jcuconv.op.Reorder;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The layouts and types that the kernels take: NHWC and KRSC, one storage type per operation. */
final class Layouts {
    private Layouts() {}

    /** What an operation asks of the layouts of its arguments. */
    private enum Rule {
        /** Each argument is NHWC. */
        NHWC,
        /** Any plain layout, the same for all. */
        ALIKE,
        /** Any plain layout for each. */
        FREE
    }

    private static Rule rule(OpDescriptor op) {
        if (op instanceof Reorder) {
            return Rule.FREE;
        }
        boolean alike =
                op instanceof Activation || op instanceof Add || op instanceof FiniteCheck || op instanceof Dense;
        return alike ? Rule.ALIKE : Rule.NHWC;
    }

    static Map<Arg, Layout> propose(OpDescriptor op, Pass pass, Map<Arg, Layout> known) {
        Rule rule = rule(op);
        Layout common = Layout.Plain.NHWC;
        if (rule == Rule.ALIKE && !(op instanceof Dense)) {
            for (ArgSpec spec : op.arguments(pass)) {
                if (known.get(spec.arg()) instanceof Layout.Plain settled) {
                    common = settled;
                    break;
                }
            }
        }
        Map<Arg, Layout> proposed = new EnumMap<>(Arg.class);
        for (ArgSpec spec : op.arguments(pass)) {
            boolean free = rule == Rule.FREE || hasOneOrder(spec.dims());
            boolean keep = free && known.get(spec.arg()) instanceof Layout.Plain;
            proposed.put(
                    spec.arg(), keep ? known.get(spec.arg()) : hasOneOrder(spec.dims()) ? Layout.Plain.NCHW : common);
        }
        return proposed;
    }

    /** Whether the plain layouts of this shape are one and the same. */
    private static boolean hasOneOrder(Dims d) {
        return d.c() == 1 || (long) d.h() * d.w() == 1;
    }

    static void check(String engine, PlanRequest request) {
        Rule rule = rule(request.op());
        Layout common = null;
        for (ArgSpec spec : request.op().arguments(request.pass())) {
            Layout layout = request.layout(spec.arg());
            boolean fits = layout instanceof Layout.Plain;
            if (fits && !hasOneOrder(spec.dims()) && rule != Rule.FREE) {
                common = common == null ? layout : common;
                fits = rule == Rule.NHWC ? layout == Layout.Plain.NHWC : layout == common;
            }
            if (!fits) {
                throw new UnsupportedException(
                        engine,
                        request.toString(),
                        spec.arg() + " has the layout " + layout + ", must be "
                                + (rule == Rule.NHWC ? "NHWC" : rule == Rule.ALIKE ? "that of the others" : "plain")
                                + "; put a reorder before it",
                        List.of("reference"));
            }
        }
    }

    /** The kernels know one storage type per operation, fp32 for what is fp32 by default, and in products forward fp32 for what is written. */
    static Optional<String> refusal(OpDescriptor op, Pass pass) {
        if (op instanceof Reorder reorder) {
            boolean floating = reorder.from().isFloating() && reorder.to().isFloating();
            return floating ? Optional.empty() : Optional.of("reorder works on FP32, FP16 and BF16 only");
        }
        DataType storage = null;
        for (ArgSpec spec : op.arguments(pass)) {
            if (isStored(spec.arg())) {
                storage = storage == null ? spec.type() : storage;
                DataType expected = isOutput(spec.arg()) && hasWideOutput(op, pass) ? DataType.FP32 : storage;
                if (spec.type() != expected) {
                    return Optional.of(
                            spec.arg() + " is " + spec.type() + ", must be " + expected + " like the others");
                }
            } else if (spec.type().isFloating() && spec.type() != DataType.FP32 && spec.arg() != Arg.W_STORAGE) {
                return Optional.of(spec.arg() + " is " + spec.type() + ", must be FP32");
            }
        }
        return Optional.empty();
    }

    private static boolean isOutput(Arg arg) {
        return arg == Arg.Y || arg == Arg.RESIDUAL;
    }

    private static boolean hasWideOutput(OpDescriptor op, Pass pass) {
        boolean can = op instanceof Conv2d || op instanceof Dense;
        return can
                && pass == Pass.FPROP
                && op.arguments(pass).stream().anyMatch(spec -> spec.arg() == Arg.Y && spec.type() == DataType.FP32);
    }

    private static boolean isStored(Arg arg) {
        return switch (arg) {
            case X, X2, W, Y, RESIDUAL, DX, DX2, DY -> true;
            default -> false;
        };
    }
}
