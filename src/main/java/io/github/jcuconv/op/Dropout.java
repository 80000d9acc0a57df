package io.github.jcuconv.op;

import static io.github.jcuconv.op.OpDescriptor.require;

import io.github.jcuconv.Dims;
import java.util.List;

/**
 * Dropout of training: each element is zeroed with probability {@code rate}, the others are multiplied by 1 / (1 - rate). The mask is not
 * stored: both passes draw it from Philox4x32-10 (Salmon et al., SC 2011). SEED holds two INT32 (low and high half of the seed) and two INT32
 * (low and high half of the step); element i in N C H W order takes word i % 4 of the block with counter (i / 4, layer, step low, step high)
 * and is dropped when that word, unsigned, is below rate * 2^32.
 *
 * @param x shape, N C H W
 * @param rate probability of zero, 0 &lt;= rate &lt; 1
 * @param layer number that tells the dropouts of one network apart
 * @param types element types
 */
public record Dropout(Dims x, float rate, int layer, Types types) implements OpDescriptor {
    /** Checks the rate. */
    public Dropout {
        require(rate >= 0 && rate < 1, "dropout: rate is " + rate + ", must be at least 0 and below 1");
    }

    /** fp32. */
    public static Dropout of(Dims x, float rate, int layer) {
        return new Dropout(x, rate, layer, Types.FP32);
    }

    /** The same with these types. */
    public Dropout types(Types newTypes) {
        return new Dropout(x, rate, layer, newTypes);
    }

    /** The mask of four elements: bit j set when element 4 * block + j is dropped. */
    public int droppedOfBlock(long block, int seedLow, int seedHigh, int stepLow, int stepHigh) {
        long threshold = (long) ((double) rate * 0x1p32);
        return Philox.below(block, layer, stepLow, stepHigh, seedLow, seedHigh, threshold);
    }

    @Override
    public String name() {
        return "dropout";
    }

    @Override
    public List<Pass> passes() {
        return List.of(Pass.FWD, Pass.BWD);
    }

    @Override
    public List<ArgSpec> arguments(Pass pass) {
        ArgSpec seed = ArgSpec.in(Arg.SEED, Dims.vector(4), types.of(Arg.SEED));
        return switch (pass) {
            case FWD -> List.of(ArgSpec.in(Arg.X, x, types.of(Arg.X)), seed, ArgSpec.out(Arg.Y, x, types.of(Arg.Y)));
            case BWD ->
                List.of(ArgSpec.in(Arg.DY, x, types.of(Arg.DY)), seed, ArgSpec.out(Arg.DX, x, types.of(Arg.DX)));
            default -> throw OpDescriptor.noSuchPass(this, pass);
        };
    }

    @Override
    public boolean mayAlias(Arg a, Arg b) {
        return a == Arg.Y && b == Arg.X || a == Arg.DX && b == Arg.DY;
    }

    @Override
    public String problem() {
        return "n" + x.n() + "c" + x.c() + "h" + x.h() + "w" + x.w();
    }
}
