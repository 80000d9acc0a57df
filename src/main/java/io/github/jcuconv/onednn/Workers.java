package io.github.jcuconv.onednn;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Shares out the chunks of a Java kernel. The helpers park when idle, since oneDNN's threads need the cores; a caller that finds them busy
 * does all chunks itself, and nobody waits for a helper that has not taken a chunk. Which thread does a chunk changes no result.
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

    private static final int SPINS = 2_000;
    /** Bits of a chunk's number in {@link #state}; above them as many for their count, above those the number of the round. */
    private static final int BITS = 20;

    private static final int MOST_CHUNKS = (1 << BITS) - 1;

    private final Thread[] helpers;
    private final AtomicBoolean taken = new AtomicBoolean();
    /** The next chunk, the number of chunks and the round in one word, so that no helper takes a chunk of a later round unawares. */
    private final AtomicLong state = new AtomicLong();

    private final AtomicInteger done = new AtomicInteger();
    private volatile @Nullable Task task;
    private volatile @Nullable Thread waiter;
    private volatile @Nullable Throwable failure;
    private volatile boolean closed;

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
        if (count < 2 || count > MOST_CHUNKS || helpers.length == 0 || !taken.compareAndSet(false, true)) {
            for (int chunk = 0; chunk < count; chunk++) {
                work.chunk(chunk, 0);
            }
            return;
        }
        try {
            failure = null;
            done.set(0);
            task = work;
            long round = (state.get() >>> 2 * BITS) + 1;
            state.set(round << 2 * BITS | (long) count << BITS);
            for (int i = 0; i < Math.min(helpers.length, count - 1); i++) {
                LockSupport.unpark(helpers[i]);
            }
            claimAll(0);
            await(count);
            Throwable thrown = failure;
            if (thrown != null) {
                throw new IllegalStateException("a Java kernel failed", thrown);
            }
        } finally {
            taken.set(false);
        }
    }

    /** Takes chunks until there are none. A round cannot end while a taken chunk is not done, so its task stays. */
    private void claimAll(int worker) {
        for (long now = state.get(); (now & MOST_CHUNKS) < (now >>> BITS & MOST_CHUNKS); now = state.get()) {
            if (state.compareAndSet(now, now + 1)) {
                work((int) (now & MOST_CHUNKS), (int) (now >>> BITS & MOST_CHUNKS), worker);
            }
        }
    }

    private void work(int chunk, int count, int worker) {
        try {
            Task work = task;
            if (work != null) {
                work.chunk(chunk, worker);
            }
        } catch (RuntimeException | Error e) {
            failure = e;
        }
        if (done.incrementAndGet() == count) {
            LockSupport.unpark(waiter);
        }
    }

    private void await(int count) {
        for (int i = 0; i < SPINS && done.get() < count; i++) {
            Thread.onSpinWait();
        }
        waiter = Thread.currentThread();
        while (done.get() < count) {
            LockSupport.park(this);
        }
        waiter = null;
    }

    private void help(int worker) {
        while (!closed) {
            claimAll(worker);
            LockSupport.park(this);
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
