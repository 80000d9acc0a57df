package io.github.jcuconv.testing;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A stream of {@link LateEngine}: nothing runs before somebody waits for it. The engine's lock guards it. */
final class LateQueue {
    /** Something to do, and the blocks of memory that it uses. */
    record Work(Runnable run, Set<Long> blocks) {}

    /** A place in a queue. */
    record Mark(LateQueue queue, long position) {
        void reach() {
            queue.runUntil(position);
        }
    }

    private final Deque<Work> waiting = new ArrayDeque<>();
    private @Nullable List<Work> recording;
    private long added;
    private long begun;

    void add(Runnable run, Set<Long> blocks) {
        Work work = new Work(run, blocks);
        if (recording != null) {
            recording.add(work);
            return;
        }
        waiting.add(work);
        added++;
    }

    Mark mark() {
        if (recording != null) {
            throw new IllegalStateException("an event cannot be recorded during capture here");
        }
        return new Mark(this, added);
    }

    boolean uses(long block) {
        return waiting.stream().anyMatch(work -> work.blocks().contains(block));
    }

    void finish() {
        if (recording != null) {
            throw new IllegalStateException("synchronised during capture");
        }
        runUntil(added);
    }

    private void runUntil(long position) {
        while (begun < position) {
            begun++;
            waiting.remove().run().run();
        }
    }

    void startRecording() {
        if (recording != null) {
            throw new IllegalStateException("capture within capture");
        }
        recording = new ArrayList<>();
    }

    List<Work> endRecording() {
        List<Work> recorded = recording;
        if (recorded == null) {
            throw new IllegalStateException("no capture to end");
        }
        recording = null;
        return recorded;
    }
}
