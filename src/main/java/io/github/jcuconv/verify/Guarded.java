package io.github.jcuconv.verify;

import io.github.jcuconv.Engine;
import io.github.jcuconv.HostBuffer;
import io.github.jcuconv.Memory;
import io.github.jcuconv.Stream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/**
 * Memory of an engine with 256 canary bytes on both sides, so that a write next to it is seen, and a mirror of it on the host. Everything crosses
 * through the stream: the host need not see the engine's memory.
 */
final class Guarded implements AutoCloseable {
    private static final int MARGIN = 256;
    private static final byte CANARY = (byte) 0xA5;

    private final Stream stream;
    private final Memory whole;
    private final Memory inner;
    private final HostBuffer held;
    private final ByteBuffer mirror;

    Guarded(Engine engine, Stream stream, long bytes) {
        this.stream = stream;
        this.whole = engine.allocate(bytes + 2L * MARGIN);
        this.inner = whole.slice(MARGIN, bytes);
        this.held = engine.newHostBuffer(whole.bytes());
        this.mirror = held.buffer();
        stream.fill(whole, CANARY);
    }

    Memory memory() {
        return inner;
    }

    /** What lies between the canaries: to be written before {@link #upload}, and read after {@link #download}. */
    ByteBuffer contents() {
        return mirror.slice(MARGIN, mirror.capacity() - 2 * MARGIN).order(ByteOrder.nativeOrder());
    }

    /** Queues filling all but the canaries. */
    void poison(byte value) {
        stream.fill(inner, value);
    }

    /** Queues the contents; the mirror must stay as it is until the stream was synchronised. */
    void upload() {
        stream.upload(contents(), inner);
    }

    /** Queues contents and canaries back, once earlier uploads were synchronised; they are there when the stream was synchronised again. */
    void download() {
        stream.download(whole, mirror);
    }

    /** A hash of the mirrored contents. */
    long hash() {
        CRC32C crc = new CRC32C();
        crc.update(contents());
        return crc.getValue();
    }

    /** Whether the downloaded canaries are as they were. */
    boolean canariesIntact() {
        for (int i = 0; i < MARGIN; i++) {
            if (mirror.get(i) != CANARY || mirror.get(mirror.limit() - 1 - i) != CANARY) {
                return false;
            }
        }
        return true;
    }

    /** The stream must have been synchronised. */
    @Override
    public void close() {
        whole.close();
        held.close();
    }
}
