package io.github.jcuconv;

import io.github.jcuconv.internal.Gate;
import java.util.function.LongConsumer;

/** A mark in a stream that other streams and the host can wait for. Safe for use by several threads. */
public final class Event implements AutoCloseable {
    private final Engine engine;
    private final long handle;
    private final Gate gate = new Gate("event");
    /** By the host's clock, for engines without events: their executions have finished when they return. */
    private volatile long recorded;

    Event(Engine engine, long handle) {
        this.engine = engine;
        this.handle = handle;
    }

    /** From now on stands for all work that the stream holds at this moment. */
    public void record(Stream stream) {
        stream.gate().enter();
        try {
            use(stream.engine(), e -> engine.spi().recordEvent(e, stream.handle()));
            recorded = System.nanoTime();
        } finally {
            stream.gate().exit();
        }
    }

    /** Waits on the host until the work that it stands for is done; returns at once if it was never recorded. */
    public void await() {
        use(engine, e -> engine.spi().awaitEvent(e));
    }

    /**
     * Waits for both events; the engine's time from the earlier one to this one, in seconds, 0 if this one happened first.
     *
     * @throws IllegalArgumentException if the other event belongs to another engine
     * @throws IllegalStateException if one of them was never recorded, or recorded last in a capture
     */
    public double secondsSince(Event earlier) {
        if (recorded == 0 || earlier.recorded == 0) {
            throw new IllegalStateException("event: was never recorded");
        }
        double[] seconds = new double[1];
        earlier.use(
                engine,
                from -> use(engine, to -> {
                    boolean none = from == 0 && to == 0;
                    seconds[0] = none
                            ? Math.max(0, recorded - earlier.recorded) / 1e9
                            : engine.spi().secondsBetween(from, to);
                }));
        return seconds[0];
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
