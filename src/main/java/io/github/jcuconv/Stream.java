package io.github.jcuconv;

import io.github.jcuconv.internal.Gate;

/** A queue of work in order. Belongs to one thread at a time. */
public final class Stream implements AutoCloseable {
    private final Engine engine;
    private final long handle;
    private final Gate gate = new Gate("stream");

    Stream(Engine engine, long handle) {
        this.engine = engine;
        this.handle = handle;
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

    Engine engine() {
        return engine;
    }

    long handle() {
        return handle;
    }

    Gate gate() {
        return gate;
    }

    /** Waits for its work, then ends it. A second call does nothing. */
    @Override
    public void close() {
        if (gate.close()) {
            engine.release(this, handle);
        }
    }
}
