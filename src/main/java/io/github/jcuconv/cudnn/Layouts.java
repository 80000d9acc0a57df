package io.github.jcuconv.cudnn;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Dims;
import io.github.jcuconv.Layout;
import io.github.jcuconv.UnsupportedException;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.ArgSpec;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.PlanRequest;
import io.github.jcuconv.op.Window;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What cuDNN asks of all its tensors: one plain layout, one type, and padding that is the same on both sides. */
final class Layouts {
    private Layouts() {}

    /**
     * A layout that is settled, for all, and before others that of what was kept; else NCHW for fp32, which every algorithm takes, and NHWC in 16 bits, which tensor cores like
     * better.
     */
    static Map<Arg, Layout> alike(OpDescriptor op, Pass pass, Map<Arg, Layout> known) {
        List<ArgSpec> specs = op.arguments(pass);
        Layout common = specs.get(0).type() == DataType.FP32 ? Layout.Plain.NCHW : Layout.Plain.NHWC;
        for (ArgSpec spec : specs) {
            Layout layout = known.get(spec.arg());
            if (layout instanceof Layout.Opaque kept && isKept(spec.arg())) {
                common = kept.format().startsWith(Layout.Plain.NHWC.name()) ? Layout.Plain.NHWC : Layout.Plain.NCHW;
                break;
            }
            if (layout instanceof Layout.Plain settled && !hasOneOrder(spec.dims())) {
                common = settled;
            }
        }
        Map<Arg, Layout> proposed = new EnumMap<>(Arg.class);
        for (ArgSpec spec : specs) {
            proposed.put(spec.arg(), hasOneOrder(spec.dims()) ? Layout.Plain.NCHW : common);
        }
        return proposed;
    }

    /** Whether the plain layouts of this shape are one and the same. */
    static boolean hasOneOrder(Dims d) {
        return d.c() == 1 || (long) d.h() * d.w() == 1;
    }

    /**
     * The layout of all tensors of a request; those that an engine keeps for itself aside.
     *
     * @throws UnsupportedException if they differ
     */
    static Layout.Plain common(PlanRequest request) {
        Layout.Plain common = null;
        for (ArgSpec spec : request.op().arguments(request.pass())) {
            if (hasOneOrder(spec.dims()) || isKept(spec.arg())) {
                continue;
            }
            Layout layout = request.layout(spec.arg());
            if (!(layout instanceof Layout.Plain plain) || common != null && common != plain) {
                throw new UnsupportedException(
                        Cudnn.ENGINE,
                        request.toString(),
                        spec.arg() + " has the layout " + layout + ", must be "
                                + (common == null ? "plain" : "that of the others, " + common)
                                + "; put a reorder before it",
                        List.of("reference"));
            }
            common = plain;
        }
        return common == null ? Layout.Plain.NCHW : common;
    }

    /** The layout that all of a proposal share; NCHW where the shapes have but one order. */
    static Layout shared(Map<Arg, Layout> proposed, OpDescriptor op, Pass pass) {
        return op.arguments(pass).stream()
                .filter(spec -> !isKept(spec.arg()) && !hasOneOrder(spec.dims()))
                .findFirst()
                .map(spec -> proposed.get(spec.arg()))
                .orElse(Layout.Plain.NCHW);
    }

    /** What a forward pass keeps for its backward pass. */
    static boolean isKept(Arg arg) {
        return arg == Arg.ARGMAX || arg == Arg.SAVED;
    }

    /** Why types of arguments do not go together. */
    static Optional<String> mixedTypes(OpDescriptor op, Pass pass) {
        ArgSpec first = op.arguments(pass).get(0);
        return op.arguments(pass).stream()
                .filter(spec -> !isKept(spec.arg()) && spec.type() != first.type())
                .findFirst()
                .map(spec -> "cuDNN wants one type: " + first.arg() + " is " + first.type() + ", " + spec.arg() + " is "
                        + spec.type());
    }

    /** Why a type is not taken outside of convolution. */
    static Optional<String> bf16(OpDescriptor op, Pass pass) {
        return op.arguments(pass).stream().anyMatch(spec -> spec.type() == DataType.BF16)
                ? Optional.of("cuDNN's legacy interface promises bf16 for convolution only")
                : Optional.empty();
    }

    /**
     * Why cuDNN cannot slide a window so. It pads both sides alike; more at the bottom or the right does no harm where no window begins there.
     *
     * @param x what the window slides over
     * @param y where it stops
     */
    static Optional<String> padding(Window w, Dims x, Dims y) {
        int rows = Math.floorDiv(x.h() + 2 * w.padding().top() - w.spanH(), w.strideH()) + 1;
        int columns = Math.floorDiv(x.w() + 2 * w.padding().left() - w.spanW(), w.strideW()) + 1;
        return rows == y.h() && columns == y.w()
                ? Optional.empty()
                : Optional.of(
                        "cuDNN's legacy interface pads top and bottom alike, left and right alike, and rounds sizes down: "
                                + rows + "x" + columns + " outputs instead of " + y.h() + "x" + y.w());
    }
}
