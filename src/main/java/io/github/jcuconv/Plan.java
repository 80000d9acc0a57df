package io.github.jcuconv;

import io.github.jcuconv.internal.Gate;
import io.github.jcuconv.op.ArgSpec;
import io.github.jcuconv.op.PlanRequest;
import io.github.jcuconv.spi.PlanSpi;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One pass of an operation, ready to run. Immutable, and safe for use by several threads at once, each with its own stream, workspace and
 * arguments.
 */
public final class Plan implements AutoCloseable {
    private final Engine engine;
    private final PlanRequest request;
    private final PlanSpi spi;
    private final ArgSpec[] specs;
    private final long[] bytes;
    private final Gate gate;

    Plan(Engine engine, PlanRequest request, PlanSpi spi) {
        this.engine = engine;
        this.request = request;
        this.spi = spi;
        List<ArgSpec> arguments = request.op().arguments(request.pass());
        this.specs = arguments.toArray(new ArgSpec[0]);
        this.bytes = new long[specs.length];
        for (int i = 0; i < specs.length; i++) {
            bytes[i] = request.bytes(specs[i]);
        }
        this.gate = new Gate("plan of " + request);
    }

    /** What it was made from. */
    public PlanRequest request() {
        return request;
    }

    /** Exact bytes of scratch that {@link #execute} needs, a multiple of 256, may be 0. */
    public long workspaceBytes() {
        return spi.workspaceBytes();
    }

    /** What runs, for people. */
    public String algorithm() {
        return spi.algorithm();
    }

    /** Why this runs and nothing else, in one line for people; empty where the engine does not say. */
    public String reason() {
        return spi.reason();
    }

    /**
     * How many choices {@link PlanRequest#choice} may name, within the limit of the workspace; 0 where there is nothing to choose. What a choice is,
     * a plan of it tells by {@link #algorithm}.
     */
    public int choices() {
        return spi.choices();
    }

    /**
     * Runs the pass. Allocates nothing, synchronises nothing and may return early: results are valid after {@link Stream#synchronize}.
     *
     * @param args memory for every argument of the pass
     * @param workspace at least {@link #workspaceBytes()} bytes, null if that is 0; contents undefined before and after
     * @param stream the queue to run on
     * @throws IllegalArgumentException if an argument is missing, too small, misaligned, of another engine, or overlaps an output
     * @throws IllegalStateException if the plan, the stream or an argument is closed
     */
    public void execute(Arguments args, @Nullable Memory workspace, Stream stream) {
        gate.enter();
        int held = 0;
        try {
            stream.gate().enter();
            held = 1;
            if (stream.engine() != engine) {
                throw new IllegalArgumentException("stream: belongs to another engine than the plan of " + request);
            }
            checkWorkspace(workspace);
            for (int i = 0; i < specs.length; i++) {
                Memory memory = args.get(specs[i].arg());
                memory.gate().enter();
                held++;
                check(args, workspace, i, memory);
            }
            if (stream.isCapturing()) {
                keepFor(stream, args, workspace);
            }
            spi.execute(args, workspace, stream.handle());
        } finally {
            for (int i = held - 2; i >= 0; i--) {
                args.get(specs[i].arg()).gate().exit();
            }
            if (held > 0) {
                stream.gate().exit();
            }
            gate.exit();
        }
    }

    /** What a graph will use again must outlive it. */
    private void keepFor(Stream stream, Arguments args, @Nullable Memory workspace) {
        stream.keep(gate);
        for (ArgSpec spec : specs) {
            stream.keep(args.get(spec.arg()).gate());
        }
        if (workspace != null) {
            stream.keep(workspace.gate());
        }
    }

    private void checkWorkspace(@Nullable Memory workspace) {
        long needed = spi.workspaceBytes();
        if (needed == 0) {
            return;
        }
        if (workspace == null || workspace.bytes() < needed) {
            throw new IllegalArgumentException("workspace of " + request + ": " + needed + " B needed, "
                    + (workspace == null ? "none" : workspace.bytes() + " B")
                    + " given; allocate plan.workspaceBytes()");
        }
        if (workspace.engine() != engine || workspace.address() % 256 != 0) {
            throw new IllegalArgumentException(
                    "workspace of " + request + ": must be memory of the plan's engine at a multiple of 256 B");
        }
        workspace.gate().check();
    }

    private void check(Arguments args, @Nullable Memory workspace, int i, Memory memory) {
        ArgSpec spec = specs[i];
        if (memory.engine() != engine) {
            throw new IllegalArgumentException(spec.arg() + " of " + request
                    + ": memory of another engine; allocate or wrap it with the plan's engine");
        }
        if (memory.bytes() < bytes[i]) {
            throw new IllegalArgumentException(
                    spec.arg() + " of " + request + ": " + bytes[i] + " B needed for " + spec.dims() + " " + spec.type()
                            + " in " + request.layout(spec.arg()) + ", " + memory.bytes() + " B given");
        }
        if (memory.address() % spec.type().bytes() != 0) {
            throw new IllegalArgumentException(spec.arg() + " of " + request + ": address must be a multiple of "
                    + spec.type().bytes() + " B");
        }
        if (workspace != null && overlap(memory, bytes[i], workspace, spi.workspaceBytes())) {
            throw new IllegalArgumentException(spec.arg() + " of " + request + " overlaps the workspace");
        }
        if (spec.access() == ArgSpec.Access.IN) {
            return;
        }
        for (int j = 0; j < specs.length; j++) {
            if (j == i) {
                continue;
            }
            Memory other = args.get(specs[j].arg());
            boolean same = other.address() == memory.address()
                    && spec.type() == specs[j].type()
                    && request.layout(spec.arg()).equals(request.layout(specs[j].arg()));
            if (overlap(memory, bytes[i], other, bytes[j])
                    && !(same && request.op().mayAlias(spec.arg(), specs[j].arg()))) {
                throw new IllegalArgumentException(spec.arg() + " of " + request + " overlaps " + specs[j].arg()
                        + "; outputs need memory of their own");
            }
        }
    }

    private static boolean overlap(Memory a, long aBytes, Memory b, long bBytes) {
        return a.address() < b.address() + bBytes && b.address() < a.address() + aBytes;
    }

    PlanSpi spi() {
        return spi;
    }

    /** Waits for executions, then releases the plan. A second call does nothing. */
    @Override
    public void close() {
        if (gate.close()) {
            gate.release(() -> engine.release(this));
        }
    }
}
