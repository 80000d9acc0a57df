package io.github.jcuconv.data;

import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.ArrayDeque;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Decodes the rest of an epoch on one background thread, at most two batches ahead of the consumer.
 *
 * <p>The thread waits on a monitor when it is ahead: a spinning helper would take a core from the engine. While a
 * Prefetch is open its {@link Batches} belong to it; afterwards seek them to the {@link Batch#after} of the last batch
 * used. {@code next} and {@code close} belong to one thread.
 */
public final class Prefetch implements AutoCloseable {
    private static final int AHEAD = 2;

    /**
     * One decoded batch; valid until the next call of {@link Prefetch#next} or {@link Prefetch#close}.
     *
     * @param x float32 NCHW
     * @param labels the classes, {@link Batches#NO_LABEL} for padding
     * @param count number of real images
     * @param after where to go on when the run stops after this batch
     */
    public record Batch(FloatBuffer x, IntBuffer labels, int count, Batches.Position after) {}

    private record Slot(FloatBuffer x, IntBuffer labels) {}

    private final Object lock = new Object();
    private final Batches batches;
    private final ArrayDeque<Slot> free = new ArrayDeque<>();
    private final ArrayDeque<Batch> ready = new ArrayDeque<>();
    private final Thread thread;
    private @Nullable Batch inUse;
    private @Nullable Throwable failure;
    private boolean finished;
    private boolean closed;

    /**
     * Starts to decode from the current position of {@code batches} to the end of the epoch.
     *
     * @param allocate gives a buffer of that many floats; called three times, in this thread: one batch in the
     *     consumer's hand and two ahead
     */
    public Prefetch(Batches batches, IntFunction<FloatBuffer> allocate) {
        this.batches = batches;
        for (int i = 0; i < AHEAD + 1; i++) {
            free.add(new Slot(allocate.apply(batches.batchElements()), IntBuffer.allocate(batches.batchSize())));
        }
        this.thread = new Thread(this::decode, "jcuconv-prefetch");
        thread.setDaemon(true);
        thread.start();
    }

    private void decode() {
        try {
            while (batches.hasNext()) {
                Slot slot = awaitFree();
                if (slot == null) {
                    return;
                }
                int count = batches.next(slot.x(), slot.labels());
                synchronized (lock) {
                    ready.add(new Batch(slot.x(), slot.labels(), count, batches.position()));
                    lock.notifyAll();
                }
            }
        } catch (Throwable e) {
            synchronized (lock) {
                failure = e;
            }
        } finally {
            synchronized (lock) {
                finished = true;
                lock.notifyAll();
            }
        }
    }

    private @Nullable Slot awaitFree() throws InterruptedException {
        synchronized (lock) {
            while (!closed && (free.isEmpty() || ready.size() >= AHEAD)) {
                lock.wait();
            }
            return closed ? null : free.remove();
        }
    }

    /**
     * The next batch, or null when the epoch is over; waits for it if need be and takes the batch before it back.
     *
     * @throws IllegalStateException after {@link #close}
     * @throws RuntimeException what decoding threw, after the batches decoded before it
     */
    public @Nullable Batch next() {
        synchronized (lock) {
            if (closed) {
                throw new IllegalStateException("this Prefetch is closed");
            }
            Batch used = inUse;
            if (used != null) {
                free.add(new Slot(used.x(), used.labels()));
                inUse = null;
                lock.notifyAll();
            }
            boolean interrupted = false;
            while (ready.isEmpty() && !finished) {
                try {
                    lock.wait();
                } catch (InterruptedException e) {
                    interrupted = true;
                    break;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted while waiting for a batch");
            }
            Batch next = ready.poll();
            if (next == null && failure != null) {
                throw rethrow(failure);
            }
            if (next != null) {
                inUse = next;
                lock.notifyAll();
            }
            return next;
        }
    }

    /** For tests: waits until the thread is as far ahead as it may be, or has ended. */
    void awaitIdle() throws InterruptedException {
        synchronized (lock) {
            while (!finished && ready.size() < AHEAD) {
                lock.wait();
            }
        }
    }

    /** For tests. */
    Thread thread() {
        return thread;
    }

    /** Thrown as it is: a wrapper would hide its type from the caller. */
    private static RuntimeException rethrow(Throwable failure) {
        if (failure instanceof Error error) {
            throw error;
        }
        return failure instanceof RuntimeException e
                ? e
                : new IllegalStateException("the loader thread failed", failure);
    }

    /** Stops the thread and waits until it has ended; harmless when called again. */
    @Override
    public void close() {
        synchronized (lock) {
            closed = true;
            lock.notifyAll();
        }
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
