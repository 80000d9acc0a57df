package io.github.jcuconv.op;

import static io.github.jcuconv.op.OpDescriptor.require;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Dims;
import java.util.ArrayList;
import java.util.List;

/**
 * The numbers that change with each step of a training, all of them in the engine's memory, so that a step needs no decision of the host. It
 * stands before the optimizers:
 *
 * <ul>
 *   <li>A step overflowed if there is loss scaling and FLAG is not 0; it is applied otherwise, and then updates += 1.
 *   <li>In each row of HYPER, numbered as in {@link Hyper}: the learning rate is {@code RATES[min(step, rates - 1)]}, the gradient scale 1 /
 *       (LOSS_SCALE * ranks), the corrections are 1 - beta1^updates and 1 - beta2^updates, in fp64 and rounded once, and apply is 1 or 0; the
 *       other numbers stay.
 *   <li>With loss scaling, an overflow sets LOSS_SCALE to max(1, LOSS_SCALE / 2) and the good steps to 0; the {@code growthInterval}-th good
 *       step in a row sets it to min(2^24, LOSS_SCALE * 2) and the good steps to 0 (Micikevicius et al., 2018).
 *   <li>step += 1, and SEED, which {@link Dropout} reads, gets the new step.
 * </ul>
 *
 * @param rates learning rates in RATES; later steps keep the last one
 * @param rows rows of HYPER, one for each optimizer, 1 to 4
 * @param lossScaling whether overflows are looked for and the loss scale moves
 * @param growthInterval good steps in a row after which the loss scale doubles
 */
public record StepControl(int rates, int rows, boolean lossScaling, int growthInterval) implements OpDescriptor {
    /** Low half of the steps done, in COUNTERS. */
    public static final int STEP = 0;
    /** Low half of the steps that changed the weights; each high half follows its low one. */
    public static final int UPDATES = 2;
    /** Good steps since the loss scale changed. */
    public static final int GOOD_STEPS = 4;
    /** How many gradients were summed; only read. */
    public static final int RANKS = 5;
    /** 1 if the last step was applied, 0 if it was skipped. */
    public static final int APPLIED = 6;
    /** How many counters there are; the last one is reserved and stays. */
    public static final int COUNTERS = 8;

    /** The largest loss scale that growth leads to. */
    public static final float LARGEST_SCALE = 0x1p24f;
    /** The most rows that the kernels take. */
    public static final int MOST_ROWS = 4;

    /** Checks the numbers. */
    public StepControl {
        require(rates >= 1, "step-control: rates is " + rates + ", must be at least 1");
        require(rows >= 1 && rows <= MOST_ROWS, "step-control: rows is " + rows + ", must lie in 1.." + MOST_ROWS);
        require(growthInterval >= 1, "step-control: growth interval is " + growthInterval + ", must be at least 1");
    }

    @Override
    public String name() {
        return "step-control";
    }

    @Override
    public List<Pass> passes() {
        return List.of(Pass.UPDATE);
    }

    @Override
    public List<ArgSpec> arguments(Pass pass) {
        if (pass != Pass.UPDATE) {
            throw OpDescriptor.noSuchPass(this, pass);
        }
        List<ArgSpec> args = new ArrayList<>();
        if (lossScaling) {
            args.add(ArgSpec.in(Arg.FLAG, Dims.vector(1), DataType.INT32));
        }
        args.add(ArgSpec.in(Arg.RATES, Dims.vector(rates), DataType.FP32));
        args.add(ArgSpec.inout(Arg.COUNTERS, Dims.vector(COUNTERS), DataType.INT32));
        args.add(ArgSpec.inout(Arg.LOSS_SCALE, Dims.vector(1), DataType.FP32));
        args.add(ArgSpec.inout(Arg.SEED, Dims.vector(4), DataType.INT32));
        args.add(ArgSpec.inout(Arg.HYPER, Dims.vector(rows * Hyper.COUNT), DataType.FP32));
        return List.copyOf(args);
    }

    @Override
    public String problem() {
        return "rates" + rates + "rows" + rows + "scaling" + (lossScaling ? 1 : 0) + "growth" + growthInterval;
    }
}
