package io.github.jcuconv.cudnn;

import java.lang.reflect.Field;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import jcuda.NativePointerObject;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasMath;
import jcuda.jcudnn.JCudnn;
import jcuda.jcudnn.cudnnHandle;
import jcuda.runtime.cudaStream_t;
import org.jspecify.annotations.Nullable;

/**
 * The libraries' handles for each stream: like a stream, they serve one thread at a time. Handles are dear (the libraries load their kernels into
 * them, and cuBLAS a workspace of its own), so those of streams that ended are kept for the next.
 */
final class Handles implements AutoCloseable {
    /** cuBLAS is null where it is not used. */
    record Pair(cudnnHandle dnn, @Nullable cublasHandle blas) {}

    private final boolean cublas;
    private final Map<Long, Pair> bound = new HashMap<>();
    private final Deque<Pair> free = new ArrayDeque<>();

    Handles(boolean cublas) {
        this.cublas = cublas;
    }

    /**
     * Gives a stream its handles.
     *
     * @param stream the engine's name of the stream
     * @param nativeStream a cudaStream_t
     */
    synchronized void bind(long stream, long nativeStream) {
        if (free.isEmpty()) {
            free.push(make());
        }
        Pair pair = free.element();
        cudaStream_t wrapped = wrap(nativeStream);
        Cudnn.call("cudnnSetStream", () -> JCudnn.cudnnSetStream(pair.dnn, wrapped));
        if (pair.blas != null) {
            Cublas.call("cublasSetStream", () -> JCublas2.cublasSetStream(pair.blas, wrapped));
        }
        bound.put(stream, free.pop());
    }

    private Pair make() {
        cudnnHandle dnn = new cudnnHandle();
        Cudnn.call("cudnnCreate", () -> JCudnn.cudnnCreate(dnn));
        if (!cublas) {
            return new Pair(dnn, null);
        }
        cublasHandle blas = new cublasHandle();
        Cublas.call("cublasCreate", () -> JCublas2.cublasCreate(blas));
        Cublas.call(
                "cublasSetMathMode",
                () -> JCublas2.cublasSetMathMode(blas, cublasMath.CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION));
        return new Pair(dnn, blas);
    }

    synchronized void unbind(long stream) {
        Pair pair = bound.remove(stream);
        if (pair != null) {
            free.push(pair);
        }
    }

    synchronized Pair of(long stream) {
        Pair pair = bound.get(stream);
        if (pair == null) {
            throw new IllegalStateException("stream " + Long.toHexString(stream) + " is closed");
        }
        return pair;
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
            Pair pair = free.pop();
            Cudnn.call("cudnnDestroy", () -> JCudnn.cudnnDestroy(pair.dnn));
            if (pair.blas != null) {
                Cublas.call("cublasDestroy", () -> JCublas2.cublasDestroy(pair.blas));
            }
        }
    }
}
