package io.github.jcuconv;

import io.github.jcuconv.internal.Gate;
import io.github.jcuconv.spi.EngineSpi;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * Memory that an engine can use: allocated by it, or the caller's own, wrapped once. A slice shares the life of what it was cut from.
 *
 * <p>Wrapped memory belongs to the caller: freeing it while this object is in use is the caller's fault. Safe for use by several threads;
 * what is written in it is ordered by streams.
 */
public final class Memory implements AutoCloseable {
    private final Engine engine;
    private final @Nullable Memory root;
    private final EngineSpi.Block block;
    private final long bytes;
    private final Gate gate;
    private final long allocatedBytes;

    Memory(Engine engine, EngineSpi.Block block, long bytes, long allocatedBytes) {
        this.engine = engine;
        this.root = null;
        this.block = block;
        this.bytes = bytes;
        this.gate = new Gate("memory of " + bytes + " B");
        this.allocatedBytes = allocatedBytes;
    }

    private Memory(Memory parent, long offset, long bytes) {
        this.engine = parent.engine;
        this.root = parent.root == null ? parent : parent.root;
        this.block = engine.spi().slice(parent.block, offset, bytes);
        this.bytes = bytes;
        this.gate = parent.gate;
        this.allocatedBytes = 0;
    }

    /**
     * A part of this memory.
     *
     * @throws IllegalArgumentException if it does not lie inside
     */
    public Memory slice(long offset, long length) {
        gate.check();
        if (offset < 0 || length < 0 || offset + length > bytes) {
            throw new IllegalArgumentException(
                    "slice of " + length + " B at " + offset + " does not lie inside memory of " + bytes + " B");
        }
        return new Memory(this, offset, length);
    }

    /** Its size in bytes. */
    public long bytes() {
        return bytes;
    }

    /** Where it begins, in the engine's address space. */
    public long address() {
        return block.address();
    }

    /** The engine that can use it. */
    public Engine engine() {
        return engine;
    }

    /** Whether {@link #buffer} works; where it does not, copies through a {@link Stream} do. */
    public boolean isHostVisible() {
        return block.host() != null;
    }

    /**
     * The memory as a buffer that the host reads and writes, in native byte order: a new view with its own position.
     *
     * @throws IllegalStateException if closed
     * @throws UnsupportedOperationException if the host cannot see it
     */
    public ByteBuffer buffer() {
        gate.check();
        return host().duplicate().order(ByteOrder.nativeOrder());
    }

    /** The host's buffer itself, for engines: no new object; use absolute access only. */
    public ByteBuffer host() {
        ByteBuffer host = block.host();
        if (host == null) {
            throw new UnsupportedOperationException("the host cannot see this memory of " + bytes + " B; copy it");
        }
        return host;
    }

    EngineSpi.Block block() {
        return block;
    }

    long allocatedBytes() {
        return allocatedBytes;
    }

    Gate gate() {
        return gate;
    }

    /**
     * Waits for calls that use it, then gives it back; memory that a {@link Graph} uses lives on until the graph is closed. Queued work must have
     * finished: synchronise its stream before. Does nothing on a slice, on a second call, or to the caller's own
     * memory.
     */
    @Override
    public void close() {
        if (root == null && gate.close()) {
            gate.release(() -> engine.release(this));
        }
    }
}
