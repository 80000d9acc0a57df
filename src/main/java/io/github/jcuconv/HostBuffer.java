package io.github.jcuconv;

import io.github.jcuconv.internal.Gate;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Host memory that copies to and from an engine's memory are fastest with: pinned on a GPU. Not part of the engine's ledger. */
public final class HostBuffer implements AutoCloseable {
    private final Engine engine;
    private final ByteBuffer memory;
    private final int bytes;
    private final Gate gate = new Gate("host buffer");

    HostBuffer(Engine engine, ByteBuffer memory, int bytes) {
        this.engine = engine;
        this.memory = memory;
        this.bytes = bytes;
    }

    /** A new view of all of it, in native byte order. Not to be used after close. */
    public ByteBuffer buffer() {
        gate.check();
        return memory.slice(0, bytes).order(ByteOrder.nativeOrder());
    }

    /** Gives it back; copies that use it must have finished. A second call does nothing. */
    @Override
    public void close() {
        if (gate.close()) {
            engine.forget(this);
            engine.spi().freeHost(memory);
        }
    }
}
