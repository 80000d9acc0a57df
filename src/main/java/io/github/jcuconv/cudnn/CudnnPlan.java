package io.github.jcuconv.cudnn;

import io.github.jcuconv.Arguments;
import io.github.jcuconv.Memory;
import io.github.jcuconv.spi.PlanSpi;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Calls of cuDNN one after the other, over descriptors that no call changes. */
record CudnnPlan(Handles handles, Descriptors descriptors, List<Step> steps, long workspaceBytes, String algorithm)
        implements PlanSpi {
    CudnnPlan {
        steps = List.copyOf(steps);
    }

    @Override
    public void execute(Arguments args, @Nullable Memory workspace, long stream) {
        Step.Call call = new Step.Call(handles.of(stream), args, workspace == null ? 0 : workspace.address(), stream);
        for (Step step : steps) {
            step.run(call);
        }
    }

    @Override
    public void close() {
        descriptors.close();
    }
}
