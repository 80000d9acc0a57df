package io.github.jcuconv.op;

import static io.github.jcuconv.op.OpDescriptor.require;

import io.github.jcuconv.Dims;
import java.util.List;

/**
 * A fully connected layer: every output sees the whole image. {@code y[n,k] = epilogue(sum over c,h,w of x[n,c,h,w] * w[k,c,h,w])}.
 *
 * @param x shape of the input, N C H W
 * @param k outputs
 * @param types element types
 * @param epilogue steps before y is stored
 * @param phase inference or training
 */
public record Dense(Dims x, int k, Types types, Epilogue epilogue, Phase phase) implements OpDescriptor {
    /** Checks k. */
    public Dense {
        require(k >= 1, "dense: k is " + k + ", must be at least 1");
    }

    /** fp32, no epilogue, inference. */
    public static Dense of(Dims x, int k) {
        return new Dense(x, k, Types.FP32, Epilogue.NONE, Phase.INFERENCE);
    }

    /** The same with these types. */
    public Dense types(Types newTypes) {
        return new Dense(x, k, newTypes, epilogue, phase);
    }

    /** The same with this epilogue. */
    public Dense epilogue(Epilogue newEpilogue) {
        return new Dense(x, k, types, newEpilogue, phase);
    }

    /** The same for this phase. */
    public Dense phase(Phase newPhase) {
        return new Dense(x, k, types, epilogue, newPhase);
    }

    /** Shape of the output: N k 1 1. */
    public Dims y() {
        return new Dims(x.n(), k, 1, 1);
    }

    /** Shape of the weights: k C H W. */
    public Dims w() {
        return x.withN(k);
    }

    @Override
    public String name() {
        return "dense";
    }

    @Override
    public List<Pass> passes() {
        return List.of(Pass.FPROP, Pass.DGRAD, Pass.WGRAD, Pass.DBIAS);
    }

    @Override
    public List<ArgSpec> arguments(Pass pass) {
        return Conv2d.weighted(this, pass, x, w(), y(), k, types, epilogue);
    }

    @Override
    public long multiplyAdds() {
        return y().count() * x.perImage();
    }

    @Override
    public String problem() {
        return "n" + x.n() + "c" + x.c() + "h" + x.h() + "w" + x.w() + "k" + k;
    }
}
