package io.github.jcuconv;

import io.github.jcuconv.internal.Gate;
import java.util.function.LongConsumer;

/** A mark in a stream that other streams and the host can wait for. Safe for use by several threads. */
public final class Event implements AutoCloseable {
    private final Engine engine;
    private final long handle;
    private final Gate gate = new Gate("event");

    Event(Engine engine, long handle) {
        this.engine = engine;
        this.handle = handle;
    }

    /** From now on stands for all work that the stream holds at this moment. */
    public void record(Stream stream) {
        stream.gate().enter();
        try {
            use(stream.engine(), e -> engine.spi().recordEvent(e, stream.handle()));
        } finally {
            stream.gate().exit();
        }
    }

    /** Waits on the host until the work that it stands for is done; returns at once if it was never recorded. */
    public void await() {
        use(engine, e -> engine.spi().awaitEvent(e));
    }

    void use(Engine user, LongConsumer call) {
        if (user != engine) {
            throw new IllegalArgumentException("event: belongs to another engine than the stream");
        }
        gate.enter();
        try {
            call.accept(handle);
        } finally {
            gate.exit();
        }
    }

    /** Ends it. A second call does nothing. */
    @Override
    public void close() {
        if (gate.close()) {
            engine.forget(this);
            engine.spi().destroyEvent(handle);
        }
    }
}
