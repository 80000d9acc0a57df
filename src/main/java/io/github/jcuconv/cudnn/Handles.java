package io.github.jcuconv.cudnn;

import java.lang.reflect.Field;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import jcuda.NativePointerObject;
import jcuda.jcudnn.JCudnn;
import jcuda.jcudnn.cudnnHandle;
import jcuda.runtime.cudaStream_t;

/**
 * A cuDNN handle for each stream: both serve one thread at a time. Handles are dear (cuDNN loads its kernels into them), so those of streams that
 * ended are kept for the next.
 */
final class Handles implements AutoCloseable {
    private final Map<Long, cudnnHandle> bound = new HashMap<>();
    private final Deque<cudnnHandle> free = new ArrayDeque<>();

    /**
     * Gives a stream its handle.
     *
     * @param stream the engine's name of the stream
     * @param nativeStream a cudaStream_t
     */
    synchronized void bind(long stream, long nativeStream) {
        cudnnHandle handle = free.poll();
        if (handle == null) {
            cudnnHandle made = new cudnnHandle();
            Cudnn.call("cudnnCreate", () -> JCudnn.cudnnCreate(made));
            handle = made;
        }
        cudnnHandle taken = handle;
        free.push(taken);
        Cudnn.call("cudnnSetStream", () -> JCudnn.cudnnSetStream(taken, wrap(nativeStream)));
        bound.put(stream, free.pop());
    }

    synchronized void unbind(long stream) {
        cudnnHandle handle = bound.remove(stream);
        if (handle != null) {
            free.push(handle);
        }
    }

    synchronized cudnnHandle of(long stream) {
        cudnnHandle handle = bound.get(stream);
        if (handle == null) {
            throw new IllegalStateException("stream " + Long.toHexString(stream) + " is closed");
        }
        return handle;
    }

    /** JCuda's streams take no address; this is what its natives read. */
    private static cudaStream_t wrap(long nativeStream) {
        try {
            cudaStream_t stream = new cudaStream_t();
            Field address = NativePointerObject.class.getDeclaredField("nativePointer");
            address.setAccessible(true);
            address.setLong(stream, nativeStream);
            return stream;
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("JCuda has no field nativePointer; take its release 12.6.0", e);
        }
    }

    @Override
    public synchronized void close() {
        free.addAll(bound.values());
        bound.clear();
        while (!free.isEmpty()) {
            cudnnHandle handle = free.pop();
            Cudnn.call("cudnnDestroy", () -> JCudnn.cudnnDestroy(handle));
        }
    }
}
