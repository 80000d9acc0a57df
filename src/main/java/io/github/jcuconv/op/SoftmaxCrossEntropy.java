package io.github.jcuconv.op;

import io.github.jcuconv.Dims;
import java.util.List;

/**
 * Softmax over C with cross-entropy, averaged over the N*H*W pixels whose label is not the ignored one (0 if there are none).
 *
 * <p>FWD writes the mean loss; BWD writes {@code LOSS_SCALE * (softmax(x) - onehot) / pixels}, 0 for ignored pixels. Labels are N 1 H W,
 * 0..C-1 or the ignored label; any other label makes the loss NaN and the gradient of that pixel NaN.
 *
 * @param x shape of the logits, N C H W
 * @param ignoreLabel label of pixels that do not count, negative
 * @param types element types
 */
public record SoftmaxCrossEntropy(Dims x, int ignoreLabel, Types types) implements OpDescriptor {
    /** The usual ignored label. */
    public static final int IGNORE = -1;

    /** Checks that the ignored label is no class. */
    public SoftmaxCrossEntropy {
        OpDescriptor.require(ignoreLabel < 0, "softmax-cross-entropy: the ignored label must be negative");
    }

    /** fp32 logits, -1 ignored. */
    public static SoftmaxCrossEntropy of(Dims x) {
        return new SoftmaxCrossEntropy(x, IGNORE, Types.FP32);
    }

    /** The same with these types. */
    public SoftmaxCrossEntropy types(Types newTypes) {
        return new SoftmaxCrossEntropy(x, ignoreLabel, newTypes);
    }

    @Override
    public String name() {
        return "softmax-cross-entropy";
    }

    @Override
    public List<Pass> passes() {
        return List.of(Pass.FWD, Pass.BWD);
    }

    @Override
    public List<ArgSpec> arguments(Pass pass) {
        ArgSpec logits = ArgSpec.in(Arg.X, x, types.of(Arg.X));
        ArgSpec labels = ArgSpec.in(Arg.LABELS, new Dims(x.n(), 1, x.h(), x.w()), types.of(Arg.LABELS));
        Dims one = Dims.vector(1);
        return switch (pass) {
            case FWD -> List.of(logits, labels, ArgSpec.out(Arg.LOSS, one, types.of(Arg.LOSS)));
            case BWD ->
                List.of(
                        logits,
                        labels,
                        ArgSpec.in(Arg.LOSS_SCALE, one, types.of(Arg.LOSS_SCALE)),
                        ArgSpec.out(Arg.DX, x, types.of(Arg.DX)));
            default -> throw OpDescriptor.noSuchPass(this, pass);
        };
    }

    @Override
    public String problem() {
        return "n" + x.n() + "c" + x.c() + "h" + x.h() + "w" + x.w();
    }
}
