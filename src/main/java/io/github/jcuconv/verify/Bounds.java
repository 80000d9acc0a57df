package io.github.jcuconv.verify;

import io.github.jcuconv.DataType;
import io.github.jcuconv.op.Activation;
import io.github.jcuconv.op.Add;
import io.github.jcuconv.op.AvgPool2d;
import io.github.jcuconv.op.ChannelScale;
import io.github.jcuconv.op.Concat;
import io.github.jcuconv.op.Conv2d;
import io.github.jcuconv.op.ConvTranspose2d;
import io.github.jcuconv.op.Dense;
import io.github.jcuconv.op.Dropout;
import io.github.jcuconv.op.Epilogue;
import io.github.jcuconv.op.FiniteCheck;
import io.github.jcuconv.op.MaxPool2d;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Padding;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.Reorder;
import io.github.jcuconv.op.Sgd;
import io.github.jcuconv.op.Types;
import io.github.jcuconv.op.Window;

/**
 * How far a right fp32 computation can be from the fp64 result before it is rounded to the output type; the half ulp of that rounding is added
 * where results are compared. u = 2^-24 is the relative error of one fp32 operation. Products of 16-bit numbers are exact in fp32, so that the
 * same bounds serve every storage type.
 *
 * <p>Sums of products: (K + 2 + steps) u sum |x||w|, for K terms in any order, steps of the epilogue and one more when the output is added to:
 * each addition loses at most u of a partial sum, and no partial sum exceeds sum |x||w|. Activations of the epilogue have slopes of at most 1.
 * A scale of the epilogue is one rounding more, and a factor of the sum over absolute values.
 * The other operations are bounded in {@link NonlinearBounds}.
 *
 * <p>On tensor cores u is 2^-22 in the sums, because their adders cut off where fp32 would round, until dumps of a GPU tighten it. Products that
 * {@link Types#products} allows add their own error: two operands rounded to 11 bits lose at most 2^-11 each, and 2^-22 together; three
 * terms lose the product of the two rests and what is left of each operand, 2^-22 each.
 */
public final class Bounds {
    /** Relative error of one fp32 operation. */
    public static final double U = 0x1p-24;
    /** Relative error of one addition on tensor cores. */
    public static final double TENSOR_CORE_U = 0x1p-22;
    /** Largest integer below which fp32 holds every one. */
    public static final long EXACT_LIMIT = 1L << 24;
    /** Absolute error of the last activation of an epilogue: see {@link NonlinearBounds#activation}, of which this is the maximum over x. */
    private static final double EPILOGUE_ACTIVATION = 16 * U;
    /** Above every scale of an epilogue in real data, which {@link Inputs} draws. */
    private static final double LARGEST_SCALE = 4;
    /** Products under the smallest normal number may be flushed to zero. */
    private static final double FLUSHED = 0x1p-126;

    private Bounds() {}

    /** Whether an algorithm transforms its inputs first: what it then adds up is not what the bounds here are made of. */
    static boolean isTransformed(String algorithm) {
        return algorithm.contains("winograd") || algorithm.contains("fft");
    }

    /** Operations that only copy, compare, or round once: exact on any data. */
    public static boolean isCopy(OpDescriptor op, Pass pass) {
        return op instanceof Add
                || op instanceof Concat
                || op instanceof Reorder
                || op instanceof FiniteCheck
                || op instanceof MaxPool2d && pass == Pass.FWD
                || op instanceof Activation a && a.kind() == Activation.Kind.RELU;
    }

    /** Whether integer data leaves no room for any difference. */
    public static boolean canBeExact(OpDescriptor op, Pass pass) {
        if (op instanceof AvgPool2d a) {
            int pixels = a.window().r() * a.window().s();
            boolean constant = a.window().padding().equals(Padding.NONE) || a.countPadding();
            return Integer.bitCount(pixels) == 1 && constant && !a.ceil();
        }
        if (op instanceof Dropout d) {
            return d.rate() == 0 || d.rate() == 0.5f;
        }
        return isCopy(op, pass)
                || op instanceof Sgd
                || op instanceof ChannelScale
                || op instanceof MaxPool2d
                || isWeighted(op) && !hasSmoothActivation(op, pass);
    }

    /** Whether the error is a multiple of the same sum over absolute values. */
    static boolean isLinear(OpDescriptor op, Pass pass) {
        return isCopy(op, pass)
                || isWeighted(op)
                || op instanceof MaxPool2d
                || op instanceof AvgPool2d
                || op instanceof ChannelScale
                || op instanceof Dropout;
    }

    /** Convolution, transposed convolution, dense. */
    static boolean isWeighted(OpDescriptor op) {
        return op instanceof Conv2d || op instanceof ConvTranspose2d || op instanceof Dense;
    }

    /** The most products, or summands, that one output element adds up. */
    public static long terms(OpDescriptor op, Pass pass) {
        if (op instanceof Conv2d c) {
            return switch (pass) {
                case FPROP -> c.w().perImage();
                case DGRAD ->
                    (long) c.k() / c.groups() * c.window().r() * c.window().s();
                default -> c.y().count() / c.k();
            };
        }
        if (op instanceof ConvTranspose2d c) {
            return switch (pass) {
                case FPROP ->
                    (long) c.x().c() / c.groups() * c.window().r() * c.window().s();
                case DGRAD -> c.w().perImage();
                default -> Math.max(c.y().count() / c.k(), c.x().count() / c.x().c());
            };
        }
        if (op instanceof Dense d) {
            return switch (pass) {
                case FPROP -> d.x().perImage();
                case DGRAD -> d.k();
                default -> d.x().n();
            };
        }
        if (op instanceof MaxPool2d m) {
            return pixels(m.window());
        }
        if (op instanceof ChannelScale s) {
            return pass == Pass.BWD ? (long) s.x().h() * s.x().w() : 1;
        }
        return op instanceof AvgPool2d a ? pixels(a.window()) : 1;
    }

    private static long pixels(Window window) {
        return (long) window.r() * window.s();
    }

    /**
     * Factor on the sum of absolute products: (K + 2 + steps) u; an average adds the error of its division, dropout that of its factor.
     *
     * @param algorithm what an engine says it ran; kernels on tensor cores have mma in their names
     */
    static double factor(OpDescriptor op, Pass pass, boolean accumulate, String algorithm) {
        boolean tensorCores = isWeighted(op) && algorithm.contains("mma");
        double u = tensorCores ? TENSOR_CORE_U : U;
        return (terms(op, pass) + 2 + epilogue(op, pass).steps().size() + (accumulate ? 1 : 0) + 2) * u
                + (tensorCores ? products(op) : 0);
    }

    private static double products(OpDescriptor op) {
        Types types =
                op instanceof Conv2d c ? c.types() : op instanceof ConvTranspose2d t ? t.types() : ((Dense) op).types();
        if (types.storage() != DataType.FP32) {
            return 0;
        }
        return switch (types.products()) {
            case EXACT -> 0;
            case TF32 -> 0x1p-10 + 0x1p-22;
            case TF32X3 -> 3 * 0x1p-22;
        };
    }

    /** What does not scale with the data: flushed products, and the activation of the epilogue; a scale may stand behind it. */
    static double floor(OpDescriptor op, Pass pass) {
        double largest = epilogue(op, pass).has(Epilogue.Step.SCALE) ? LARGEST_SCALE : 1;
        return largest * ((terms(op, pass) + 2) * FLUSHED + (hasSmoothActivation(op, pass) ? EPILOGUE_ACTIVATION : 0));
    }

    private static boolean hasSmoothActivation(OpDescriptor op, Pass pass) {
        Epilogue epilogue = epilogue(op, pass);
        return epilogue.has(Epilogue.Step.TANH) || epilogue.has(Epilogue.Step.SIGMOID);
    }

    static Epilogue epilogue(OpDescriptor op, Pass pass) {
        if (pass != Pass.FPROP) {
            return Epilogue.NONE;
        }
        return op instanceof Conv2d c
                ? c.epilogue()
                : op instanceof ConvTranspose2d t ? t.epilogue() : op instanceof Dense d ? d.epilogue() : Epilogue.NONE;
    }

    /** The operation whose value on absolute inputs is the sum of absolute products: without activations. */
    static OpDescriptor magnitude(OpDescriptor op) {
        Epilogue sums = new Epilogue(epilogue(op, Pass.FPROP).steps().stream()
                .filter(step ->
                        step == Epilogue.Step.BIAS || step == Epilogue.Step.RESIDUAL || step == Epilogue.Step.SCALE)
                .toList());
        return op instanceof Conv2d c
                ? c.epilogue(sums)
                : op instanceof ConvTranspose2d t ? t.epilogue(sums) : op instanceof Dense d ? d.epilogue(sums) : op;
    }
}
