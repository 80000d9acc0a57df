package io.github.jcuconv.op;

import io.github.jcuconv.DataType;
import java.util.List;

/**
 * An operation with all its sizes and types: an immutable value, validated when it is made. Engines look up the class in a table, so a new
 * operation breaks none of them.
 */
public sealed interface OpDescriptor
        permits Conv2d,
                ConvTranspose2d,
                Dense,
                MaxPool2d,
                AvgPool2d,
                Lrn,
                BatchNorm,
                Activation,
                Dropout,
                SoftmaxCrossEntropy,
                Add,
                Concat,
                ChannelScale,
                Reorder,
                FiniteCheck,
                Sgd,
                Adam,
                StepControl {
    /** The operation's name on the command line, e.g. {@code conv2d}. */
    String name();

    /** The passes that it has. */
    List<Pass> passes();

    /**
     * The arguments of a pass, in a fixed order.
     *
     * @throws IllegalArgumentException if the operation has no such pass
     */
    List<ArgSpec> arguments(Pass pass);

    /** Whether two arguments may be the very same memory. Any other overlap of an output is refused. */
    default boolean mayAlias(Arg a, Arg b) {
        return false;
    }

    /** Multiply-adds of one forward pass; 0 for operations that are bound by memory. Every other pass needs as many. */
    default long multiplyAdds() {
        return 0;
    }

    /** The sizes as a shape line, e.g. {@code n2c64h14w14k64r3s3u1v1pt1pb1pl1pr1d1e1g1}. */
    String problem();

    /** What {@link #arguments} throws for a pass that the operation lacks. */
    static IllegalArgumentException noSuchPass(OpDescriptor op, Pass pass) {
        return new IllegalArgumentException(op.name() + " has no pass " + pass + "; it has " + op.passes());
    }

    /** Refuses a combination that does not fit, naming the operation. */
    static void require(boolean holds, String message) {
        if (!holds) {
            throw new IllegalArgumentException(message);
        }
    }

    /** The short name of a type in messages: fp32, fp16, bf16. */
    static String shortName(DataType type) {
        return type.name().toLowerCase(java.util.Locale.ROOT);
    }
}
