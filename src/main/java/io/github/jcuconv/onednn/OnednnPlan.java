package io.github.jcuconv.onednn;

import io.github.jcuconv.Arguments;
import io.github.jcuconv.Memory;
import io.github.jcuconv.spi.PlanSpi;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Supplier;
import org.bytedeco.dnnl.primitive;
import org.bytedeco.dnnl.stream;
import org.jspecify.annotations.Nullable;

/**
 * The steps of a pass. An execution takes a set of steps from a pool without locks and puts it back, so that the pool grows to the number of
 * concurrent executions and no further.
 */
final class OnednnPlan implements PlanSpi {
    private static final int POOL = 64;
    private final OnednnEngine engine;
    private final List<Supplier<Step>> recipe;
    private final List<primitive> primitives;
    private final String algorithm;
    private final long workspaceBytes;
    private final int slices;
    private final AtomicReferenceArray<Step @Nullable []> pool = new AtomicReferenceArray<>(POOL);

    OnednnPlan(
            OnednnEngine engine,
            List<Supplier<Step>> recipe,
            List<primitive> primitives,
            String algorithm,
            long workspaceBytes,
            int slices) {
        this.engine = engine;
        this.recipe = List.copyOf(recipe);
        this.primitives = List.copyOf(primitives);
        this.algorithm = algorithm;
        this.workspaceBytes = workspaceBytes;
        this.slices = slices;
        give(cook());
    }

    @Override
    public long workspaceBytes() {
        return workspaceBytes;
    }

    @Override
    public String algorithm() {
        return algorithm;
    }

    @Override
    public void execute(Arguments args, @Nullable Memory workspace, long streamHandle) {
        stream queue = engine.stream(streamHandle);
        Step[] steps = take();
        try {
            for (int slice = 0; slice < slices; slice++) {
                for (Step step : steps) {
                    step.run(args, workspace, queue, slice);
                }
            }
        } finally {
            give(steps);
        }
    }

    private Step[] cook() {
        return recipe.stream().map(Supplier::get).toArray(Step[]::new);
    }

    private Step[] take() {
        for (int i = 0; i < POOL; i++) {
            if (pool.get(i) != null) {
                Step[] steps = pool.getAndSet(i, null);
                if (steps != null) {
                    return steps;
                }
            }
        }
        return cook();
    }

    private void give(Step[] steps) {
        for (int i = 0; i < POOL; i++) {
            if (pool.get(i) == null && pool.compareAndSet(i, null, steps)) {
                return;
            }
        }
        closeAll(steps);
    }

    private static void closeAll(Step[] steps) {
        for (Step step : steps) {
            step.close();
        }
    }

    @Override
    public void close() {
        for (int i = 0; i < POOL; i++) {
            Step[] steps = pool.getAndSet(i, null);
            if (steps != null) {
                closeAll(steps);
            }
        }
        primitives.forEach(primitive::close);
    }
}
