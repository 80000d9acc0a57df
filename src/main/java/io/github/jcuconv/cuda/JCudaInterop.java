package io.github.jcuconv.cuda;

import io.github.jcuconv.Engine;
import io.github.jcuconv.Memory;
import io.github.jcuconv.Stream;
import jcuda.NativePointerObject;
import jcuda.Pointer;
import jcuda.runtime.cudaStream_t;

/**
 * JCuda's pointers and streams as memory and streams of the engine {@code cuda}, for frameworks that hold them already. Nothing is copied and
 * nothing taken over: the caller frees what the caller made, after closing what came from here.
 */
public final class JCudaInterop {
    private JCudaInterop() {}

    /**
     * Wraps device memory of the caller's. The driver is asked here, once; executions compare numbers only.
     *
     * @param engine the engine {@code cuda}
     * @param pointer a device pointer, also one with a byte offset: a slice
     * @param bytes how much of it, from the offset on
     * @throws IllegalArgumentException if the pointer is null, is a host pointer, or does not lie in live device memory with this many bytes
     */
    public static Memory wrap(Engine engine, Pointer pointer, long bytes) {
        if (pointer == null) {
            throw new IllegalArgumentException("wrap: the pointer is null");
        }
        long address = new DevicePointer(pointer).address();
        if (address == 0) {
            throw new IllegalArgumentException("wrap: " + pointer
                    + " is a null or a host pointer; pass one that cudaMalloc or cuMemAlloc filled in");
        }
        return engine.wrap(address, bytes);
    }

    /**
     * Wraps a stream of the caller's.
     *
     * @param engine the engine {@code cuda}
     * @param stream a stream that lives longer than the result; a new {@code cudaStream_t()} that was not created stands for the default stream
     * @throws IllegalArgumentException if it is null
     */
    public static Stream wrap(Engine engine, cudaStream_t stream) {
        if (stream == null) {
            throw new IllegalArgumentException("wrap: the stream is null");
        }
        return engine.wrapStream(new Handle(stream).value());
    }

    /** Reads what JCuda shows to subclasses only. */
    private static final class DevicePointer extends Pointer {
        DevicePointer(Pointer other) {
            super(other);
        }

        /** 0 for null and for host pointers, which keep their address elsewhere. */
        long address() {
            return getNativePointer() == 0 ? 0 : getNativePointer() + getByteOffset();
        }
    }

    /** Likewise for streams. */
    private static final class Handle extends NativePointerObject {
        Handle(NativePointerObject other) {
            super(other);
        }

        long value() {
            return getNativePointer();
        }
    }
}
