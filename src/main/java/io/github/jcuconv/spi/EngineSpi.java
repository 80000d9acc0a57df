package io.github.jcuconv.spi;

import io.github.jcuconv.Layout;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.PlanRequest;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What an engine does. All methods are safe for use by several threads. An engine is one table from (descriptor class, pass) to a factory of
 * plans; what is not in the table is unsupported.
 */
public interface EngineSpi extends AutoCloseable {
    /**
     * A piece of memory as the engine sees it.
     *
     * @param address where it begins; distinct for memory that does not overlap
     * @param host the same memory as a direct buffer in native byte order, null if the host cannot see it
     */
    record Block(long address, @Nullable ByteBuffer host) {}

    /** Library, version, instruction set or device, threads: one line for people. */
    String describe();

    /** Whether the table has an entry: the feature matrix. */
    boolean supports(Class<? extends OpDescriptor> op, Pass pass);

    /** Why this very operation cannot be planned, empty if it can; more exact than {@link #supports}. */
    Optional<String> refusal(OpDescriptor op, Pass pass);

    /**
     * The layouts that the engine would take for a pass, one for each argument.
     *
     * @param known layouts that are settled already (an input that exists); the engine keeps them where it can without losing speed and
     *     proposes others where not: the caller then inserts a reorder
     */
    Map<Arg, Layout> propose(OpDescriptor op, Pass pass, Map<Arg, Layout> known);

    /**
     * Makes a plan; no trial runs.
     *
     * @throws io.github.jcuconv.UnsupportedException if the engine lacks it, or cannot do it within the workspace limit
     */
    PlanSpi plan(PlanRequest request);

    /** Exact bytes that {@link #allocate} takes from the system for a request of this size. */
    long allocationBytes(long bytes);

    /**
     * Allocates memory whose address is a multiple of 256; its contents are undefined.
     *
     * @throws io.github.jcuconv.OutOfMemoryException if it does not fit
     */
    Block allocate(long bytes);

    /** Frees what {@link #allocate} gave. */
    void free(Block block);

    /**
     * Takes memory of the caller's. Exactly one of the two is given.
     *
     * @param address an address that the engine can use, or 0
     * @param host a direct buffer in native byte order, or null
     * @throws IllegalArgumentException if the engine cannot use it
     */
    Block wrap(long address, @Nullable ByteBuffer host, long bytes);

    /** Makes a stream. */
    long createStream();

    /** Waits until all work of a stream is done. */
    void synchronize(long stream);

    /** Ends a stream that has no more work. */
    void destroyStream(long stream);

    /** Ends the engine; everything it gave out is closed already. */
    @Override
    void close();
}
