package io.github.jcuconv.op;

import static io.github.jcuconv.op.OpDescriptor.require;

import io.github.jcuconv.Dims;
import java.util.List;

/**
 * Batch normalization per channel: {@code y = gamma * (x - mean) / sqrt(var + eps) + beta}.
 *
 * <p>Training takes mean and biased variance of the batch, saves both, and moves the running ones:
 * {@code running = (1 - momentum) * running + momentum * batch}, with the unbiased variance (PyTorch's rule). Inference uses the running ones.
 *
 * @param x shape of the input, N C H W
 * @param eps added to the variance
 * @param momentum weight of the new batch in the running statistics
 * @param types element types
 * @param phase inference or training
 */
public record BatchNorm(Dims x, float eps, float momentum, Types types, Phase phase) implements OpDescriptor {
    /** Checks the constants. */
    public BatchNorm {
        require(eps > 0, "batch-norm: eps must be positive");
        require(momentum >= 0 && momentum <= 1, "batch-norm: momentum must lie in 0..1");
    }

    /** eps 1e-5, momentum 0.1, fp32, inference. */
    public static BatchNorm of(Dims x) {
        return new BatchNorm(x, 1e-5f, 0.1f, Types.FP32, Phase.INFERENCE);
    }

    /** The same with these types. */
    public BatchNorm types(Types newTypes) {
        return new BatchNorm(x, eps, momentum, newTypes, phase);
    }

    /** The same for this phase. */
    public BatchNorm phase(Phase newPhase) {
        return new BatchNorm(x, eps, momentum, types, newPhase);
    }

    @Override
    public String name() {
        return "batch-norm";
    }

    @Override
    public List<Pass> passes() {
        return List.of(Pass.FWD, Pass.BWD);
    }

    @Override
    public List<ArgSpec> arguments(Pass pass) {
        Dims v = Dims.vector(x.c());
        return switch (pass) {
            case FWD ->
                phase == Phase.TRAINING
                        ? List.of(
                                ArgSpec.in(Arg.X, x, types.of(Arg.X)),
                                ArgSpec.in(Arg.GAMMA, v, types.of(Arg.GAMMA)),
                                ArgSpec.in(Arg.BETA, v, types.of(Arg.BETA)),
                                ArgSpec.out(Arg.Y, x, types.of(Arg.Y)),
                                ArgSpec.out(Arg.SAVE_MEAN, v, types.of(Arg.SAVE_MEAN)),
                                ArgSpec.out(Arg.SAVE_VAR, v, types.of(Arg.SAVE_VAR)),
                                ArgSpec.inout(Arg.RUNNING_MEAN, v, types.of(Arg.RUNNING_MEAN)),
                                ArgSpec.inout(Arg.RUNNING_VAR, v, types.of(Arg.RUNNING_VAR)))
                        : List.of(
                                ArgSpec.in(Arg.X, x, types.of(Arg.X)),
                                ArgSpec.in(Arg.GAMMA, v, types.of(Arg.GAMMA)),
                                ArgSpec.in(Arg.BETA, v, types.of(Arg.BETA)),
                                ArgSpec.in(Arg.RUNNING_MEAN, v, types.of(Arg.RUNNING_MEAN)),
                                ArgSpec.in(Arg.RUNNING_VAR, v, types.of(Arg.RUNNING_VAR)),
                                ArgSpec.out(Arg.Y, x, types.of(Arg.Y)));
            case BWD ->
                List.of(
                        ArgSpec.in(Arg.X, x, types.of(Arg.X)),
                        ArgSpec.in(Arg.DY, x, types.of(Arg.DY)),
                        ArgSpec.in(Arg.GAMMA, v, types.of(Arg.GAMMA)),
                        ArgSpec.in(Arg.SAVE_MEAN, v, types.of(Arg.SAVE_MEAN)),
                        ArgSpec.in(Arg.SAVE_VAR, v, types.of(Arg.SAVE_VAR)),
                        ArgSpec.out(Arg.DX, x, types.of(Arg.DX)),
                        ArgSpec.out(Arg.DGAMMA, v, types.of(Arg.DGAMMA)),
                        ArgSpec.out(Arg.DBETA, v, types.of(Arg.DBETA)));
            default -> throw OpDescriptor.noSuchPass(this, pass);
        };
    }

    @Override
    public String problem() {
        return "n" + x.n() + "c" + x.c() + "h" + x.h() + "w" + x.w();
    }
}
