package io.github.jcuconv.cuda;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Libraries, memory, streams, events and graphs of the C API (native/include/jcuconv/jcuconv.h), whose functions they are named after. The glue
 * checks every argument, so that no call can crash the JVM. {@code library} is what {@link #open} gave. An {@code int} result is a status, 0 for
 * success; a {@code long} result is what was made, or the negative status.
 */
final class DeviceNatives {
    private DeviceNatives() {}

    /** Opens a build of the C API by its absolute path; a number below 0 if that fails, with the reason in {@link #openError}. */
    static native int open(@Nullable String path);

    static native String openError();

    /** Version of the library: 10000 * major + 100 * minor + patch. */
    static native long version(int library);

    /** The text of this thread's last failure. */
    static native String lastMessage(int library);

    /** Devices that the library finds, or the negative status. */
    static native int deviceCount(int library);

    /** One line about the current device; empty if there is none. */
    static native String describe(int library);

    /** Free bytes of the device, or the negative status. */
    static native long freeMemory(int library);

    static native long malloc(int library, long bytes);

    static native int free(int library, long address);

    /** Pinned memory as a direct buffer, null if there is none left. */
    static native @Nullable ByteBuffer mallocHost(int library, long bytes);

    static native int freeHost(int library, @Nullable ByteBuffer memory);

    static native int wrap(int library, long address, long bytes);

    static native int unwrap(int library, long address);

    /** Copies {@code bytes} bytes of the direct buffer, from {@code offset} on. */
    static native int upload(int library, @Nullable ByteBuffer from, long offset, long bytes, long to, long stream);

    static native int download(int library, long from, @Nullable ByteBuffer to, long offset, long bytes, long stream);

    static native int copy(int library, long from, long to, long bytes, long stream);

    static native int fill(int library, long to, int value, long bytes, long stream);

    static native long streamCreate(int library);

    static native long streamWrap(int library, long nativeStream);

    /** What the driver calls a stream: a cudaStream_t. */
    static native long streamNative(int library, long stream);

    static native int streamSynchronize(int library, long stream);

    static native int streamDestroy(int library, long stream);

    static native int streamWaitEvent(int library, long stream, long event);

    static native long eventCreate(int library);

    static native int eventRecord(int library, long event, long stream);

    static native int eventSynchronize(int library, long event);

    static native long eventElapsed(int library, long from, long to);

    static native int eventDestroy(int library, long event);

    static native int graphBegin(int library, long stream);

    static native long graphEnd(int library, long stream);

    static native int graphLaunch(int library, long graph, long stream);

    static native int graphDestroy(int library, long graph);
}
