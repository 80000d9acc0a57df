package io.github.jcuconv.op;

import static io.github.jcuconv.op.OpDescriptor.require;

import io.github.jcuconv.Dims;
import java.util.ArrayList;
import java.util.List;

/**
 * Local response normalization across channels: {@code y = x * scale^-beta}, {@code scale[c] = k + a * sum of x[c']^2} over the
 * {@code size} channels c' from c - (size-1)/2 on, clipped to the channels that exist; a is alpha / size or alpha, as the convention says.
 *
 * @param x shape of the input, N C H W
 * @param size channels in the window, odd
 * @param alpha factor
 * @param beta exponent
 * @param k constant
 * @param convention whether alpha is divided by the size
 * @param types element types
 * @param phase inference or training
 */
public record Lrn(Dims x, int size, float alpha, float beta, float k, Convention convention, Types types, Phase phase)
        implements OpDescriptor {
    /** The two meanings of alpha in use. */
    public enum Convention {
        /** alpha / size: Caffe, cuDNN, PyTorch, oneDNN. */
        ALPHA_OVER_SIZE,
        /** alpha: the AlexNet paper, TensorFlow. */
        ALPHA
    }

    /** Checks the window and the constants. */
    public Lrn {
        require(size >= 1 && size % 2 == 1, "lrn: size is " + size + ", must be odd and at least 1");
        require(k > 0 && alpha >= 0 && beta >= 0, "lrn: k must be positive, alpha and beta must not be negative");
    }

    /** size 5, alpha 1e-4 divided by the size, beta 0.75, k 1 (Caffe's defaults), fp32, inference. */
    public static Lrn of(Dims x) {
        return new Lrn(x, 5, 1e-4f, 0.75f, 1f, Convention.ALPHA_OVER_SIZE, Types.FP32, Phase.INFERENCE);
    }

    /** The same with these types. */
    public Lrn types(Types newTypes) {
        return new Lrn(x, size, alpha, beta, k, convention, newTypes, phase);
    }

    /** The same for this phase. */
    public Lrn phase(Phase newPhase) {
        return new Lrn(x, size, alpha, beta, k, convention, types, newPhase);
    }

    /** The factor on the sum of squares. */
    public float factor() {
        return convention == Convention.ALPHA_OVER_SIZE ? alpha / size : alpha;
    }

    @Override
    public String name() {
        return "lrn";
    }

    @Override
    public List<Pass> passes() {
        return List.of(Pass.FWD, Pass.BWD);
    }

    @Override
    public List<ArgSpec> arguments(Pass pass) {
        List<ArgSpec> args = new ArrayList<>();
        switch (pass) {
            case FWD -> {
                args.add(ArgSpec.in(Arg.X, x, types.of(Arg.X)));
                args.add(ArgSpec.out(Arg.Y, x, types.of(Arg.Y)));
                if (phase == Phase.TRAINING) {
                    args.add(ArgSpec.out(Arg.SAVED, x, types.of(Arg.SAVED)));
                }
            }
            case BWD -> {
                args.add(ArgSpec.in(Arg.X, x, types.of(Arg.X)));
                args.add(ArgSpec.in(Arg.DY, x, types.of(Arg.DY)));
                args.add(ArgSpec.in(Arg.SAVED, x, types.of(Arg.SAVED)));
                args.add(ArgSpec.out(Arg.DX, x, types.of(Arg.DX)));
            }
            default -> throw OpDescriptor.noSuchPass(this, pass);
        }
        return List.copyOf(args);
    }

    @Override
    public String problem() {
        return "n" + x.n() + "c" + x.c() + "h" + x.h() + "w" + x.w() + "size" + size;
    }
}
