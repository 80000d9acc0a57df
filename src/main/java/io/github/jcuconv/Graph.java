package io.github.jcuconv;

import io.github.jcuconv.internal.Gate;
import java.util.Set;

/** Work that {@link Stream#capture} recorded: launched as one, with the addresses and numbers of the capture. One thread at a time. */
public final class Graph implements AutoCloseable {
    private final Engine engine;
    private final long handle;
    private final Set<Gate> used;
    private final Gate gate = new Gate("graph");

    Graph(Engine engine, long handle, Set<Gate> used) {
        this.engine = engine;
        this.handle = handle;
        this.used = used;
    }

    /** Queues it on a stream of the same engine. */
    public void launch(Stream stream) {
        if (stream.engine() != engine) {
            throw new IllegalArgumentException("graph: belongs to another engine than the stream");
        }
        gate.enter();
        try {
            stream.gate().enter();
            try {
                engine.spi().launchGraph(handle, stream.handle());
            } finally {
                stream.gate().exit();
            }
        } finally {
            gate.exit();
        }
    }

    /** Ends it, and lets go of what it used; its launches must have finished. A second call does nothing. */
    @Override
    public void close() {
        if (gate.close()) {
            engine.forget(this);
            engine.spi().destroyGraph(handle);
            used.forEach(Gate::letGo);
        }
    }
}
