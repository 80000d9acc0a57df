package io.github.jcuconv.spi;

import io.github.jcuconv.Arguments;
import io.github.jcuconv.Memory;
import org.jspecify.annotations.Nullable;

/**
 * One planned pass. Immutable and safe for use by several threads at once, each with its own stream and workspace; owns no memory that an
 * execution writes. Callers have checked every argument before.
 */
public interface PlanSpi extends AutoCloseable {
    /** Exact bytes of scratch that {@link #execute} needs, a multiple of 256, may be 0. */
    long workspaceBytes();

    /** What runs, e.g. {@code jit:avx512_core}; for people. */
    String algorithm();

    /** Why this runs and nothing else, in one line for people; empty where the engine does not say. */
    default String reason() {
        return "";
    }

    /** How many {@link io.github.jcuconv.op.PlanRequest#choice choices} the request has; 0 where there is nothing to choose. */
    default int choices() {
        return 0;
    }

    /**
     * Runs the pass on a stream. Allocates nothing and synchronises nothing; may return before the work is done.
     *
     * @param args every argument of the pass, checked
     * @param workspace at least {@link #workspaceBytes()} bytes, null if that is 0; contents undefined before and after
     * @param stream a handle that {@link EngineSpi#createStream} gave
     */
    void execute(Arguments args, @Nullable Memory workspace, long stream);

    /** Releases what the plan holds; called once, after the last execution. */
    @Override
    void close();
}
