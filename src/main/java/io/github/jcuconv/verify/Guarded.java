package io.github.jcuconv.verify;

import io.github.jcuconv.Engine;
import io.github.jcuconv.Memory;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/** Memory with 256 canary bytes on both sides, so that a write next to it is seen. */
final class Guarded implements AutoCloseable {
    private static final int MARGIN = 256;
    private static final byte CANARY = (byte) 0xA5;

    private final Memory whole;
    private final Memory inner;

    Guarded(Engine engine, long bytes) {
        whole = engine.allocate(bytes + 2L * MARGIN);
        inner = whole.slice(MARGIN, bytes);
        fill(whole.buffer(), CANARY);
    }

    Memory memory() {
        return inner;
    }

    ByteBuffer buffer() {
        return inner.buffer();
    }

    /** Fills all but the canaries. */
    void poison(byte value) {
        fill(inner.buffer(), value);
    }

    private static void fill(ByteBuffer buffer, byte value) {
        while (buffer.hasRemaining()) {
            buffer.put(value);
        }
    }

    /** A hash of the contents between the canaries. */
    long hash() {
        CRC32C crc = new CRC32C();
        crc.update(inner.buffer());
        return crc.getValue();
    }

    boolean canariesIntact() {
        ByteBuffer all = whole.buffer();
        for (int i = 0; i < MARGIN; i++) {
            if (all.get(i) != CANARY || all.get(all.limit() - 1 - i) != CANARY) {
                return false;
            }
        }
        return true;
    }

    @Override
    public void close() {
        whole.close();
    }
}
