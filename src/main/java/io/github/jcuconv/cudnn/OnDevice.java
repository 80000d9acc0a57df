package io.github.jcuconv.cudnn;

import io.github.jcuconv.spi.EngineSpi;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Memory, streams and events of another engine, with handles of cuDNN and cuBLAS for each stream. Graphs are left out: what cuDNN does on a stream under capture
 * differs from release to release.
 */
abstract class OnDevice implements EngineSpi {
    private final EngineSpi device;
    private final Handles handles;

    OnDevice(EngineSpi device, boolean cublas) {
        this.device = device;
        this.handles = new Handles(cublas);
    }

    final EngineSpi device() {
        return device;
    }

    final Handles handles() {
        return handles;
    }

    @Override
    public final long createStream() {
        long stream = device.createStream();
        return bound(stream, () -> device.destroyStream(stream));
    }

    @Override
    public final long wrapStream(long nativeStream) {
        long stream = device.wrapStream(nativeStream);
        return bound(stream, () -> device.unwrapStream(stream));
    }

    private long bound(long stream, Runnable undo) {
        try {
            handles.bind(stream, device.nativeStream(stream));
            return stream;
        } catch (RuntimeException e) {
            undo.run();
            throw e;
        }
    }

    @Override
    public final void destroyStream(long stream) {
        handles.unbind(stream);
        device.destroyStream(stream);
    }

    @Override
    public final void unwrapStream(long stream) {
        handles.unbind(stream);
        device.unwrapStream(stream);
    }

    @Override
    public final long nativeStream(long stream) {
        return device.nativeStream(stream);
    }

    @Override
    public final void synchronize(long stream) {
        device.synchronize(stream);
    }

    @Override
    public final long allocationBytes(long bytes) {
        return device.allocationBytes(bytes);
    }

    @Override
    public final Block allocate(long bytes) {
        return device.allocate(bytes);
    }

    @Override
    public final void free(Block block) {
        device.free(block);
    }

    @Override
    public final Block wrap(long address, @Nullable ByteBuffer host, long bytes) {
        return device.wrap(address, host, bytes);
    }

    @Override
    public final void unwrap(Block block) {
        device.unwrap(block);
    }

    @Override
    public final void upload(ByteBuffer from, Block to, long stream) {
        device.upload(from, to, stream);
    }

    @Override
    public final void download(Block from, ByteBuffer to, long stream) {
        device.download(from, to, stream);
    }

    @Override
    public final void copy(Block from, Block to, long bytes, long stream) {
        device.copy(from, to, bytes, stream);
    }

    @Override
    public final void fill(Block to, long bytes, byte value, long stream) {
        device.fill(to, bytes, value, stream);
    }

    @Override
    public final ByteBuffer allocateHost(long bytes) {
        return device.allocateHost(bytes);
    }

    @Override
    public final void freeHost(ByteBuffer buffer) {
        device.freeHost(buffer);
    }

    @Override
    public final long createEvent() {
        return device.createEvent();
    }

    @Override
    public final void recordEvent(long event, long stream) {
        device.recordEvent(event, stream);
    }

    @Override
    public final void waitForEvent(long stream, long event) {
        device.waitForEvent(stream, event);
    }

    @Override
    public final void awaitEvent(long event) {
        device.awaitEvent(event);
    }

    @Override
    public final double secondsBetween(long from, long to) {
        return device.secondsBetween(from, to);
    }

    @Override
    public final void destroyEvent(long event) {
        device.destroyEvent(event);
    }

    @Override
    public void close() {
        handles.close();
        device.close();
    }
}
