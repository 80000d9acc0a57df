package io.github.jcuconv;

import io.github.jcuconv.internal.Gate;
import java.nio.ByteBuffer;
import java.util.LinkedHashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A queue of work in order. Belongs to one thread at a time. Host memory given to a copy must stay unchanged, or unread, until
 * {@link #synchronize}.
 */
public final class Stream implements AutoCloseable {
    private final Engine engine;
    private final long handle;
    private final boolean owned;
    private final Gate gate = new Gate("stream");
    /** What the graph being captured uses, null when nothing is captured. */
    private @Nullable Set<Gate> captured;

    Stream(Engine engine, long handle, boolean owned) {
        this.engine = engine;
        this.handle = handle;
        this.owned = owned;
    }

    /** Waits until all work of this stream is done; results are valid afterwards. */
    public void synchronize() {
        gate.enter();
        try {
            engine.spi().synchronize(handle);
        } finally {
            gate.exit();
        }
    }

    /**
     * Queues a copy of what remains in a direct buffer; the buffer's position stays.
     *
     * @throws IllegalArgumentException if the buffer is not direct or larger than the memory
     */
    public void upload(ByteBuffer from, Memory to) {
        requireDirect("upload", from);
        requireRoom("upload", from.remaining(), to.bytes());
        use(to, () -> engine.spi().upload(from, to.block(), handle));
    }

    /**
     * Queues a copy that fills what remains in a direct buffer; the buffer's position stays.
     *
     * @throws IllegalArgumentException if the buffer is not direct, read-only, or larger than the memory
     */
    public void download(Memory from, ByteBuffer to) {
        requireDirect("download", to);
        if (to.isReadOnly()) {
            throw new IllegalArgumentException("download: the buffer is read-only");
        }
        requireRoom("download", to.remaining(), from.bytes());
        use(from, () -> engine.spi().download(from.block(), to, handle));
    }

    /**
     * Queues a copy of all of one memory to the begin of another.
     *
     * @throws IllegalArgumentException if the target is smaller or the two overlap
     */
    public void copy(Memory from, Memory to) {
        requireRoom("copy", from.bytes(), to.bytes());
        boolean meet = from.address() < to.address() + from.bytes() && to.address() < from.address() + from.bytes();
        if (from.engine() == to.engine() && meet) {
            throw new IllegalArgumentException("copy: the two overlap");
        }
        use(from, () -> use(to, () -> engine.spi().copy(from.block(), to.block(), from.bytes(), handle)));
    }

    /** Queues writing one byte value everywhere. */
    public void fill(Memory to, byte value) {
        use(to, () -> engine.spi().fill(to.block(), to.bytes(), value, handle));
    }

    /** Makes later work of this stream wait until the event has happened. */
    public void waitFor(Event event) {
        gate.enter();
        try {
            event.use(engine, e -> engine.spi().waitForEvent(handle, e));
        } finally {
            gate.exit();
        }
    }

    /**
     * Records the work that {@code queue} queues on this stream instead of running it. Addresses, plans and numbers are baked in; memory and
     * plans that it uses live until the graph is closed.
     *
     * @param queue queues work on this stream; must not allocate, synchronise or close anything
     * @throws UnsupportedException if the engine captures no graphs, see {@link Engine#capturesGraphs}
     */
    public Graph capture(Runnable queue) {
        if (!engine.capturesGraphs()) {
            throw new UnsupportedException(
                    engine.name(),
                    "graph capture",
                    "its executions have finished when they return",
                    java.util.List.of());
        }
        gate.enter();
        Set<Gate> used = new LinkedHashSet<>();
        try {
            engine.spi().beginCapture(handle);
            captured = used;
            long graph;
            try {
                queue.run();
            } finally {
                captured = null;
                graph = engine.spi().endCapture(handle);
            }
            return engine.register(new Graph(engine, graph, used));
        } catch (RuntimeException e) {
            used.forEach(Gate::letGo);
            throw e;
        } finally {
            gate.exit();
        }
    }

    boolean isCapturing() {
        return captured != null;
    }

    /** Keeps an object alive for the graph being captured. */
    void keep(Gate used) {
        if (captured != null && captured.add(used)) {
            used.hold();
        }
    }

    private void use(Memory memory, Runnable work) {
        if (memory.engine() != engine) {
            throw new IllegalArgumentException("the memory belongs to another engine than the stream");
        }
        gate.enter();
        try {
            memory.gate().enter();
            try {
                keep(memory.gate());
                work.run();
            } finally {
                memory.gate().exit();
            }
        } finally {
            gate.exit();
        }
    }

    private static void requireDirect(String what, ByteBuffer buffer) {
        if (!buffer.isDirect()) {
            throw new IllegalArgumentException(
                    what + ": the buffer must be direct; use Engine.newHostBuffer or ByteBuffer.allocateDirect");
        }
    }

    private static void requireRoom(String what, long bytes, long room) {
        if (bytes > room) {
            throw new IllegalArgumentException(what + ": " + bytes + " B do not fit into " + room + " B");
        }
    }

    Engine engine() {
        return engine;
    }

    /** The engine's handle of it. */
    long handle() {
        return handle;
    }

    Gate gate() {
        return gate;
    }

    boolean owned() {
        return owned;
    }

    /** Waits for its work, then ends it; a stream of the caller's own only leaves this library. A second call does nothing. */
    @Override
    public void close() {
        if (gate.close()) {
            engine.release(this, handle);
        }
    }
}
