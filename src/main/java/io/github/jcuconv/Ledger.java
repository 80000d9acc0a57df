package io.github.jcuconv;

/** Counts the bytes that an engine holds, at its only allocator. Knows nothing of any plan. Safe for use by several threads. */
public final class Ledger {
    private long live;
    private long peak;
    private long allocations;
    private long limit = Long.MAX_VALUE;

    Ledger() {}

    /** Bytes that may still be allocated. */
    synchronized long available() {
        return Math.max(0, limit - live);
    }

    synchronized void limit(long bytes) {
        limit = bytes;
    }

    synchronized void add(long bytes) {
        live += bytes;
        peak = Math.max(peak, live);
        allocations++;
    }

    synchronized void remove(long bytes) {
        live -= bytes;
    }

    /** Bytes held now. */
    public synchronized long liveBytes() {
        return live;
    }

    /** The most bytes that were held at once. */
    public synchronized long peakBytes() {
        return peak;
    }

    /** How many allocations there were in all. */
    public synchronized long allocations() {
        return allocations;
    }
}
