package io.github.jcuconv.internal;

import io.github.jcuconv.OutOfMemoryException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Field;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Direct buffers that are freed at once. They come from {@link ByteBuffer#allocateDirect}, so that the JVM's own pool counter is a second
 * witness of every byte.
 */
public final class HostMemory {
    /** Alignment of every allocation: a cache-line pair, enough for each vector width. */
    public static final int ALIGNMENT = 256;

    /** "Cannot reserve 1024 bytes of direct buffer memory (allocated: 512, limit: 1024)": the counters have no public reader in java.base. */
    private static final Pattern LIMIT = Pattern.compile("allocated: (\\d+), limit: (\\d+)");

    private static final MethodHandle INVOKE_CLEANER = invokeCleaner();

    private HostMemory() {}

    /** Bytes taken from the system for a request: the slack lets an aligned slice be cut out. */
    public static long allocationBytes(long bytes) {
        return bytes + ALIGNMENT;
    }

    /**
     * Allocates a direct buffer of {@link #allocationBytes} bytes, to be cut with {@link #aligned} and freed with {@link #free}.
     *
     * @throws OutOfMemoryException if the JVM's limit for direct memory is reached or the request is over 2 GiB
     */
    public static ByteBuffer allocate(long bytes) {
        long total = allocationBytes(bytes);
        if (total > Integer.MAX_VALUE) {
            throw new OutOfMemoryException(
                    bytes,
                    Integer.MAX_VALUE - ALIGNMENT,
                    "one allocation of this engine holds at most 2 GiB: take a smaller batch");
        }
        try {
            return ByteBuffer.allocateDirect((int) total).order(ByteOrder.nativeOrder());
        } catch (OutOfMemoryError e) {
            throw new OutOfMemoryException(
                    total, available(String.valueOf(e.getMessage())), "raise -XX:MaxDirectMemorySize, or take less");
        }
    }

    /** What the JVM says is left for direct buffers, -1 if it does not say. */
    private static long available(String message) {
        Matcher numbers = LIMIT.matcher(message);
        return numbers.find() ? Long.parseLong(numbers.group(2)) - Long.parseLong(numbers.group(1)) : -1;
    }

    /** The aligned part of an allocation. */
    public static ByteBuffer aligned(ByteBuffer allocation, long bytes) {
        int skip = (ALIGNMENT - allocation.alignmentOffset(0, ALIGNMENT)) % ALIGNMENT;
        return allocation.slice(skip, (int) bytes).order(ByteOrder.nativeOrder());
    }

    /** Frees an allocation; no view of it may be used afterwards. */
    public static void free(ByteBuffer allocation) {
        try {
            INVOKE_CLEANER.invokeExact(allocation);
        } catch (Throwable e) {
            throw new IllegalStateException("could not free a direct buffer", e);
        }
    }

    /** The JDK's only supported way to free a direct buffer on release 17; bound reflectively since the class is not in java.base. */
    private static MethodHandle invokeCleaner() {
        try {
            Class<?> unsafe = Class.forName("sun.misc.Unsafe");
            Field field = unsafe.getDeclaredField("theUnsafe");
            field.setAccessible(true);
            return MethodHandles.lookup()
                    .findVirtual(unsafe, "invokeCleaner", MethodType.methodType(void.class, ByteBuffer.class))
                    .bindTo(field.get(null));
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }
}
