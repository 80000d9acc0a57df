package io.github.jcuconv.internal;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** Counts the users of a closeable object: close waits for them, entering after close throws. */
public final class Gate {
    private static final int CLOSED = 1 << 31;
    private final AtomicInteger state = new AtomicInteger();
    private final String what;
    private int holders;
    private @Nullable Runnable release;

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

    /**
     * Keeps the object's resources alive beyond its close, until {@link #letGo}.
     *
     * @throws IllegalStateException if closed
     */
    public synchronized void hold() {
        check();
        holders++;
    }

    /** Ends a {@link #hold}; the last one runs a release that waits. */
    public void letGo() {
        Runnable due;
        synchronized (this) {
            holders--;
            due = holders == 0 ? release : null;
            release = holders == 0 ? null : release;
        }
        if (due != null) {
            due.run();
        }
    }

    /** Runs the release of a closed object's resources: now, or when the last holder lets go. */
    public void release(Runnable action) {
        synchronized (this) {
            if (holders > 0) {
                release = action;
                return;
            }
        }
        action.run();
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
