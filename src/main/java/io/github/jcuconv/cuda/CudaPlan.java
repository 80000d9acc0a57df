package io.github.jcuconv.cuda;

import io.github.jcuconv.Arguments;
import io.github.jcuconv.Memory;
import io.github.jcuconv.spi.PlanSpi;
import org.jspecify.annotations.Nullable;

/** A plan of the C API. */
final class CudaPlan implements PlanSpi {
    private static final long WORKSPACE_UNIT = 256;

    private final Native api;
    private final long handle;
    private final long workspaceBytes;
    private final String algorithm;

    CudaPlan(Native api, long handle) {
        this.api = api;
        this.handle = handle;
        long bytes = api.made(PlanNatives.workspace(api.library(), handle));
        this.workspaceBytes = (bytes + WORKSPACE_UNIT - 1) / WORKSPACE_UNIT * WORKSPACE_UNIT;
        this.algorithm = PlanNatives.describe(api.library(), handle);
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
    public String reason() {
        return PlanNatives.explain(api.library(), handle);
    }

    @Override
    public int choices() {
        return Math.toIntExact(api.made(PlanNatives.choices(api.library(), handle)));
    }

    @Override
    public void execute(Arguments args, @Nullable Memory workspace, long stream) {
        long address = workspace == null ? 0 : workspace.address();
        long bytes = workspace == null ? 0 : workspace.bytes();
        api.check(PlanNatives.execute(api.library(), handle, args.table(), address, bytes, stream));
    }

    @Override
    public void close() {
        api.check(PlanNatives.destroy(api.library(), handle));
    }
}
