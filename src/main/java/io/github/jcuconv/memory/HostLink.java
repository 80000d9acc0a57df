package io.github.jcuconv.memory;

import io.github.jcuconv.Event;
import io.github.jcuconv.HostBuffer;
import io.github.jcuconv.Memory;
import io.github.jcuconv.Stream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * Moves numbers between arrays of the host and an engine's memory, in the order of one stream. Memory that the host sees is written and read
 * directly. Elsewhere numbers go through two pinned slots in turn, and uploads are queued: arrays may change as soon as {@code write} returns,
 * and a slot is used again when the event behind its last upload has happened, so that writing a batch waits at most for the batch two before
 * it. One thread at a time.
 *
 * <p>Uploads share the stream of the work that reads them. A stream of their own would gain nothing while a training step reads its one input
 * region until the last weight gradient; a second region would cost a batch of memory and a second graph.
 */
public final class HostLink implements AutoCloseable {
    /** Parameters travel in pieces of a slot: small batches must not make the pieces tiny, nor large ones pin too much. */
    private static final long LEAST = 1 << 20;

    private static final long MOST = 1 << 28;

    private static final int SLOTS = 2;

    private record Slot(HostBuffer host, Event uploaded) {}

    /** Moves {@code count} numbers between a buffer and an array, from an index of the array on. */
    @FunctionalInterface
    private interface Mover {
        void move(ByteBuffer host, int index, int count);
    }

    private final Stream stream;
    private final List<Slot> slots;
    private final int capacity;
    private int turn;
    private int used;

    /**
     * Takes host memory only where the host does not see the engine's: twice what a batch needs.
     *
     * @param stream queue of the copies
     * @param memory the engine's memory, or a part of it
     * @param batchBytes bytes that are often written together
     */
    public HostLink(Stream stream, Memory memory, long batchBytes) {
        this.stream = stream;
        this.capacity = (int) Math.min(MOST, Math.max(LEAST, batchBytes));
        this.slots = new ArrayList<>();
        try {
            while (!isDirect(memory) && slots.size() < SLOTS) {
                HostBuffer host = memory.engine().newHostBuffer(capacity);
                slots.add(new Slot(host, memory.engine().newEvent()));
            }
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /** Host memory that it holds; no part of the engine's ledger. */
    public long pinnedBytes() {
        return (long) slots.size() * capacity;
    }

    private static boolean isDirect(Memory memory) {
        return memory.isHostVisible();
    }

    /** Queues writing these numbers from the begin of {@code to}. */
    public void write(Memory to, float[] values) {
        write(to, values, 0, values.length);
    }

    /** Queues writing some of these numbers from the begin of {@code to}. */
    public void write(Memory to, float[] values, int from, int numbers) {
        write(to, numbers, (host, index, count) -> host.asFloatBuffer().put(values, from + index, count));
    }

    /** Queues writing these numbers from the begin of {@code to}. */
    public void write(Memory to, int[] values) {
        write(to, values, 0, values.length);
    }

    /** Queues writing some of these numbers from the begin of {@code to}. */
    public void write(Memory to, int[] values, int from, int numbers) {
        write(to, numbers, (host, index, count) -> host.asIntBuffer().put(values, from + index, count));
    }

    /** Waits for all queued work and fills the array from the begin of {@code from}. */
    public void read(Memory from, float[] values) {
        read(from, values.length, (host, index, count) -> host.asFloatBuffer().get(values, index, count));
    }

    /** Waits for all queued work and fills the array from the begin of {@code from}. */
    public void read(Memory from, int[] values) {
        read(from, values.length, (host, index, count) -> host.asIntBuffer().get(values, index, count));
    }

    private void write(Memory to, int numbers, Mover mover) {
        if (isDirect(to)) {
            stream.synchronize(); // At once on the engines of today: their executions have finished when they return.
            mover.move(to.buffer(), 0, numbers);
            return;
        }
        for (int done = 0; done < numbers; ) {
            ByteBuffer room = room(numbers - done);
            int count = room.remaining() / Float.BYTES;
            mover.move(room, done, count);
            stream.upload(room, slice(to, done, count));
            slots.get(turn).uploaded.record(stream);
            done += count;
        }
    }

    private void read(Memory from, int numbers, Mover mover) {
        if (isDirect(from)) {
            stream.synchronize();
            mover.move(from.buffer(), 0, numbers);
            return;
        }
        for (int done = 0; done < numbers; ) {
            ByteBuffer room = room(numbers - done);
            int count = room.remaining() / Float.BYTES;
            stream.download(slice(from, done, count), room);
            stream.synchronize();
            mover.move(room, done, count);
            done += count;
        }
    }

    private static Memory slice(Memory memory, int index, int count) {
        return memory.slice((long) index * Float.BYTES, (long) count * Float.BYTES);
    }

    /** Room for so many numbers, or a whole slot: the rest of this slot, or the other one once its uploads are done. */
    private ByteBuffer room(int numbers) {
        int bytes = (int) Math.min(capacity / Float.BYTES, (long) numbers) * Float.BYTES;
        if (bytes > capacity - used) {
            turn = 1 - turn;
            used = 0;
            slots.get(turn).uploaded.await();
        }
        ByteBuffer room = slots.get(turn).host.buffer().slice(used, bytes).order(ByteOrder.nativeOrder());
        used += bytes;
        return room;
    }

    /** Gives the slots back; queued copies must have finished. */
    @Override
    public void close() {
        slots.forEach(slot -> {
            slot.uploaded.close();
            slot.host.close();
        });
    }
}
