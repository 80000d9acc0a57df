package io.github.jcuconv.onednn;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Shares out the chunks of a Java kernel. The helpers park when idle, since oneDNN's threads need the cores; a caller that finds them busy
 * does all chunks itself. Which thread does a chunk changes no result.
 */
final class Workers implements AutoCloseable {
    /** A kernel cut into chunks that are independent of each other. */
    interface Task {
        /**
         * Does one chunk.
         *
         * @param worker number of the thread, 0 for the caller: what it may use alone
         */
        void chunk(int chunk, int worker);
    }

    private static final int SPINS = 20_000;
    private final Thread[] helpers;
    private final AtomicBoolean taken = new AtomicBoolean();
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicInteger working = new AtomicInteger();
    private final AtomicInteger round = new AtomicInteger();
    private volatile @Nullable Task task;
    private volatile @Nullable Thread waiter;
    private volatile @Nullable Throwable failure;
    private volatile boolean closed;
    private int chunks;

    Workers(int threads) {
        helpers = new Thread[Math.max(0, threads - 1)];
        for (int i = 0; i < helpers.length; i++) {
            int worker = i + 1;
            helpers[i] = new Thread(() -> help(worker), "jcuconv-onednn-" + worker);
            helpers[i].setDaemon(true);
            helpers[i].start();
        }
    }

    /** The caller and its helpers. */
    int threads() {
        return helpers.length + 1;
    }

    /** Runs all chunks and returns when they are done. */
    void run(Task work, int count) {
        if (count < 2 || helpers.length == 0 || !taken.compareAndSet(false, true)) {
            for (int chunk = 0; chunk < count; chunk++) {
                work.chunk(chunk, 0);
            }
            return;
        }
        try {
            chunks = count;
            failure = null;
            next.set(0);
            working.set(helpers.length);
            task = work;
            round.incrementAndGet();
            for (Thread helper : helpers) {
                LockSupport.unpark(helper);
            }
            claim(work, 0);
            await();
            task = null;
            Throwable thrown = failure;
            if (thrown != null) {
                throw new IllegalStateException("a kernel's helper thread failed", thrown);
            }
        } finally {
            taken.set(false);
        }
    }

    private void claim(Task work, int worker) {
        for (int chunk = next.getAndIncrement(); chunk < chunks; chunk = next.getAndIncrement()) {
            work.chunk(chunk, worker);
        }
    }

    /** Helpers that have not woken yet find no chunk left; waiting for them too keeps rounds apart. */
    private void await() {
        for (int i = 0; i < SPINS && working.get() > 0; i++) {
            Thread.onSpinWait();
        }
        waiter = Thread.currentThread();
        while (working.get() > 0) {
            LockSupport.park(this);
        }
        waiter = null;
    }

    private void help(int worker) {
        int seen = 0;
        while (!closed) {
            if (round.get() == seen) {
                LockSupport.park(this);
                continue;
            }
            seen = round.get();
            Task work = task;
            try {
                if (work != null) {
                    claim(work, worker);
                }
            } catch (RuntimeException | Error e) {
                failure = e;
            }
            if (working.decrementAndGet() == 0) {
                LockSupport.unpark(waiter);
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        for (Thread helper : helpers) {
            LockSupport.unpark(helper);
        }
    }
}
