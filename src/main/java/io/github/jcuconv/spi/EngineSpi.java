package io.github.jcuconv.spi;

import io.github.jcuconv.Layout;
import io.github.jcuconv.internal.HostMemory;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.PlanRequest;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
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
     * Makes a plan; no trial runs, but where a library cannot choose without them: then once per problem, the choice being kept.
     *
     * @throws io.github.jcuconv.UnsupportedException if the engine lacks it, or cannot do it within the workspace limit
     */
    PlanSpi plan(PlanRequest request);

    /**
     * What the speed of choices depends on besides the problem, in one line: device and version of the library. Empty where no plan has {@link
     * PlanSpi#choices choices}.
     */
    default Optional<String> tunedFor() {
        return Optional.empty();
    }

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

    /**
     * Queues a copy from host memory. Engines whose memory the host sees need not override this and its three siblings.
     *
     * @param from a direct buffer; all that remains in it is copied, its position stays; must not change until the stream was synchronised
     */
    default void upload(ByteBuffer from, Block to, long stream) {
        hostOf(to).put(0, from, from.position(), from.remaining());
    }

    /**
     * Queues a copy to host memory.
     *
     * @param to a direct buffer; all that remains in it is filled, its position stays; undefined until the stream was synchronised
     */
    default void download(Block from, ByteBuffer to, long stream) {
        to.put(to.position(), hostOf(from), 0, to.remaining());
    }

    /** Queues a copy between two blocks that do not overlap. */
    default void copy(Block from, Block to, long bytes, long stream) {
        hostOf(to).put(0, hostOf(from), 0, Math.toIntExact(bytes));
    }

    /** Queues writing one byte value everywhere. */
    default void fill(Block to, long bytes, byte value, long stream) {
        ByteBuffer host = hostOf(to);
        byte[] some = new byte[(int) Math.min(bytes, 1 << 16)]; // A byte at a time takes a second for a gigabyte.
        Arrays.fill(some, value);
        for (int at = 0; at < bytes; at += some.length) {
            host.put(at, some, 0, (int) Math.min(some.length, bytes - at));
        }
    }

    /** A part of a block; it lies inside. */
    default Block slice(Block block, long offset, long bytes) {
        ByteBuffer host = block.host();
        return new Block(
                block.address() + offset,
                host == null ? null : host.slice((int) offset, (int) bytes).order(ByteOrder.nativeOrder()));
    }

    private static ByteBuffer hostOf(Block block) {
        return Objects.requireNonNull(block.host(), "an engine whose memory the host cannot see overrides its copies");
    }

    /** Allocates host memory, at least this much, that copies are fastest with: pinned, where there is such a thing. */
    default ByteBuffer allocateHost(long bytes) {
        return HostMemory.allocate(bytes);
    }

    /** Frees what {@link #allocateHost} gave. */
    default void freeHost(ByteBuffer buffer) {
        HostMemory.free(buffer);
    }

    /** Makes an event; engines whose executions have finished when they return need no events and give 0. */
    default long createEvent() {
        return 0;
    }

    /** Makes an event stand for all work that a stream holds now. */
    default void recordEvent(long event, long stream) {}

    /** Makes later work of a stream wait until an event has happened. */
    default void waitForEvent(long stream, long event) {}

    /** Waits on the host until an event has happened. */
    default void awaitEvent(long event) {}

    /** Waits for two recorded events; seconds of the engine's time from one to the other, 0 if the second happened first. */
    default double secondsBetween(long from, long to) {
        throw new UnsupportedOperationException("the engine has no events");
    }

    /** Ends an event. */
    default void destroyEvent(long event) {}

    /** Whether work can be captured as a graph. */
    default boolean capturesGraphs() {
        return false;
    }

    /** From now on work queued on the stream is recorded, not run. */
    default void beginCapture(long stream) {
        throw new UnsupportedOperationException("this engine captures no graphs");
    }

    /** Ends the recording and gives the graph. */
    default long endCapture(long stream) {
        throw new UnsupportedOperationException("this engine captures no graphs");
    }

    /** Queues a graph. */
    default void launchGraph(long graph, long stream) {
        throw new UnsupportedOperationException("this engine captures no graphs");
    }

    /** Ends a graph that is not running. */
    default void destroyGraph(long graph) {
        throw new UnsupportedOperationException("this engine captures no graphs");
    }

    /** Ends the use of memory that {@link #wrap} took. */
    default void unwrap(Block block) {}

    /** Makes a stream. */
    long createStream();

    /**
     * Takes a stream of the caller's.
     *
     * @throws IllegalArgumentException if the engine cannot use it
     */
    default long wrapStream(long nativeStream) {
        throw new IllegalArgumentException("this engine has no native streams to wrap");
    }

    /** Ends the use of a stream that {@link #wrapStream} took. */
    default void unwrapStream(long stream) {}

    /**
     * What the device's own libraries call a stream of ours, for an engine that puts such a library on another engine's streams; for
     * {@code cuda} a {@code cudaStream_t}.
     */
    default long nativeStream(long stream) {
        throw new UnsupportedOperationException("this engine has no native streams");
    }

    /** Waits until all work of a stream is done. */
    void synchronize(long stream);

    /** Ends a stream that has no more work. */
    void destroyStream(long stream);

    /** Ends the engine; everything it gave out is closed already. */
    @Override
    void close();
}
