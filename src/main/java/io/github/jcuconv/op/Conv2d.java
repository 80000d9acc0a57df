package io.github.jcuconv.op;

import static io.github.jcuconv.op.OpDescriptor.require;

import io.github.jcuconv.Dims;
import java.util.ArrayList;
import java.util.List;

/**
 * Two-dimensional convolution (cross-correlation: the filter is not flipped), also grouped, depthwise (groups = C) and 1x1.
 *
 * <pre>y[n,k,p,q] = epilogue( sum over c,r,s of x[n, c, p*u - top + r*d, q*v - left + s*e] * w[k,c,r,s] )</pre>
 *
 * with c inside the group of k. {@code dy} of the backward passes is the gradient of that sum: a fused activation is undone by its own
 * {@link Activation} pass before.
 *
 * @param x shape of the input, N C H W
 * @param k filters, a multiple of {@code groups}
 * @param window filter size, strides, dilations, padding
 * @param groups groups, a divisor of C and k
 * @param types element types
 * @param epilogue steps before y is stored
 * @param phase inference or training
 * @param pool maximum behind the epilogue; a convolution that has one has no backward passes
 */
public record Conv2d(Dims x, int k, Window window, int groups, Types types, Epilogue epilogue, Phase phase, Pool pool)
        implements OpDescriptor {
    /** What may stand before a maximum that is taken first: steps that keep the order. */
    private static final List<Epilogue.Step> MONOTONE = List.of(Epilogue.Step.BIAS, Epilogue.Step.RELU);

    /**
     * Max-pooling in the same step: y holds the maxima of windows side by side, and no sum is stored that is not one. Outputs that fill no window
     * are dropped.
     *
     * @param h rows of a window
     * @param w columns of a window
     */
    public record Pool(int h, int w) {
        /** Every sum is stored. */
        public static final Pool NONE = new Pool(1, 1);
    }

    /** Checks that groups divide, that the window fits, and that what is pooled can be. */
    public Conv2d {
        require(k >= 1, "conv2d: k is " + k + ", must be at least 1");
        require(
                groups >= 1 && x.c() % groups == 0 && k % groups == 0,
                "conv2d: groups " + groups + " must divide C = " + x.c() + " and K = " + k);
        require(
                window.outputHeight(x.h()) >= 1 && window.outputWidth(x.w()) >= 1,
                "conv2d: the window " + window.spanH() + "x" + window.spanW() + " is larger than the padded input of "
                        + x + "; add padding or take a smaller window");
        boolean fits = pool.h() >= 1
                && pool.w() >= 1
                && pool.h() <= window.outputHeight(x.h())
                && pool.w() <= window.outputWidth(x.w());
        require(fits, "conv2d: windows of " + pool.h() + "x" + pool.w() + " are not in the output of " + x);
        require(
                pool.equals(Pool.NONE)
                        || MONOTONE.equals(epilogue.steps())
                        || epilogue.steps().size() <= 1 && MONOTONE.containsAll(epilogue.steps()),
                "conv2d: before a max-pool the epilogue is a bias, then a ReLU, or less, not " + epilogue.steps());
    }

    /** A plain convolution: one group, fp32, no epilogue, inference. */
    public static Conv2d of(Dims x, int k, Window window) {
        return new Conv2d(x, k, window, 1, Types.FP32, Epilogue.NONE, Phase.INFERENCE, Pool.NONE);
    }

    /** The same with this many groups. */
    public Conv2d groups(int newGroups) {
        return new Conv2d(x, k, window, newGroups, types, epilogue, phase, pool);
    }

    /** The same with these types. */
    public Conv2d types(Types newTypes) {
        return new Conv2d(x, k, window, groups, newTypes, epilogue, phase, pool);
    }

    /** The same with this epilogue. */
    public Conv2d epilogue(Epilogue newEpilogue) {
        return new Conv2d(x, k, window, groups, types, newEpilogue, phase, pool);
    }

    /** The same for this phase. */
    public Conv2d phase(Phase newPhase) {
        return new Conv2d(x, k, window, groups, types, epilogue, newPhase, pool);
    }

    /** The same with the maxima of windows of h x w in place of its outputs: inference alone. */
    public Conv2d maxPool(int h, int w) {
        return new Conv2d(x, k, window, groups, types, epilogue, phase, new Pool(h, w));
    }

    /** Whether it stores maxima of its outputs in place of them. */
    public boolean isPooled() {
        return !pool.equals(Pool.NONE);
    }

    /** Shape of the output: N K P Q. */
    public Dims y() {
        return new Dims(x.n(), k, window.outputHeight(x.h()) / pool.h(), window.outputWidth(x.w()) / pool.w());
    }

    /** Shape of the filters: K C/G R S. */
    public Dims w() {
        return new Dims(k, x.c() / groups, window.r(), window.s());
    }

    @Override
    public String name() {
        return "conv2d";
    }

    @Override
    public List<Pass> passes() {
        return isPooled() ? List.of(Pass.FPROP) : List.of(Pass.FPROP, Pass.DGRAD, Pass.WGRAD, Pass.DBIAS);
    }

    @Override
    public List<ArgSpec> arguments(Pass pass) {
        if (!passes().contains(pass)) {
            throw OpDescriptor.noSuchPass(this, pass);
        }
        return weighted(this, pass, x, w(), y(), k, types, epilogue);
    }

    @Override
    public long multiplyAdds() {
        return y().count() * pool.h() * pool.w() * w().perImage();
    }

    @Override
    public String problem() {
        String pooled = isPooled() ? "ph" + pool.h() + "pw" + pool.w() : "";
        return "n" + x.n() + "c" + x.c() + "h" + x.h() + "w" + x.w() + "k" + k + window.letters() + "g" + groups
                + pooled;
    }

    /** The arguments that convolution, transposed convolution and dense share. */
    static List<ArgSpec> weighted(
            OpDescriptor op, Pass pass, Dims x, Dims w, Dims y, int k, Types types, Epilogue epilogue) {
        List<ArgSpec> args = new ArrayList<>();
        boolean bias = epilogue.has(Epilogue.Step.BIAS);
        switch (pass) {
            case FPROP -> {
                args.add(ArgSpec.in(Arg.X, x, types.of(Arg.X)));
                args.add(ArgSpec.in(Arg.W, w, types.of(Arg.W)));
                if (bias) {
                    args.add(ArgSpec.in(Arg.BIAS, Dims.vector(k), types.of(Arg.BIAS)));
                }
                if (epilogue.has(Epilogue.Step.SCALE)) {
                    args.add(ArgSpec.in(Arg.SCALE, Dims.vector(k), types.of(Arg.SCALE)));
                }
                if (epilogue.has(Epilogue.Step.RESIDUAL)) {
                    args.add(ArgSpec.in(Arg.RESIDUAL, y, types.of(Arg.RESIDUAL)));
                }
                args.add(ArgSpec.out(Arg.Y, y, types.of(Arg.Y)));
            }
            case DGRAD -> {
                args.add(ArgSpec.in(Arg.DY, y, types.of(Arg.DY)));
                args.add(ArgSpec.in(Arg.W, w, types.of(Arg.W)));
                args.add(ArgSpec.out(Arg.DX, x, types.of(Arg.DX)));
            }
            case WGRAD -> {
                args.add(ArgSpec.in(Arg.X, x, types.of(Arg.X)));
                args.add(ArgSpec.in(Arg.DY, y, types.of(Arg.DY)));
                args.add(ArgSpec.out(Arg.DW, w, types.of(Arg.DW)));
                if (bias) {
                    args.add(ArgSpec.out(Arg.DBIAS, Dims.vector(k), types.of(Arg.DBIAS)));
                }
            }
            case DBIAS -> {
                args.add(ArgSpec.in(Arg.DY, y, types.of(Arg.DY)));
                args.add(ArgSpec.out(Arg.DBIAS, Dims.vector(k), types.of(Arg.DBIAS)));
            }
            default -> throw OpDescriptor.noSuchPass(op, pass);
        }
        return List.copyOf(args);
    }
}
