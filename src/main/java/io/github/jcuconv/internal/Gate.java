package io.github.jcuconv.internal;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/** Counts the users of a closeable object: close waits for them, entering after close throws. */
public final class Gate {
    private static final int CLOSED = 1 << 31;
    private final AtomicInteger state = new AtomicInteger();
    private final String what;

    /** @param what the object's name in messages */
    public Gate(String what) {
        this.what = what;
    }

    /**
     * Begins a use.
     *
     * @throws IllegalStateException if closed
     */
    public void enter() {
        if (state.incrementAndGet() < 0) {
            state.decrementAndGet();
            throw closed();
        }
    }

    /** Ends a use. */
    public void exit() {
        state.decrementAndGet();
    }

    /** Closes and waits for uses to end; true for the first caller only. */
    public boolean close() {
        int before = state.getAndUpdate(s -> s | CLOSED);
        if (before < 0) {
            return false;
        }
        while (state.get() != CLOSED) {
            LockSupport.parkNanos(10_000);
        }
        return true;
    }

    /** Whether close was called. */
    public boolean isClosed() {
        return state.get() < 0;
    }

    /** Throws if closed. */
    public void check() {
        if (isClosed()) {
            throw closed();
        }
    }

    private IllegalStateException closed() {
        return new IllegalStateException(what + " is closed; do not use it after close()");
    }
}
