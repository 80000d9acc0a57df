package io.github.jcuconv.cuda;

import io.github.jcuconv.DeviceException;
import io.github.jcuconv.OutOfMemoryException;
import io.github.jcuconv.UnsupportedException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** One opened build of the C API, and what its statuses mean in Java. */
final class Native {
    /** Ranges of jcuconv_status (native/include/jcuconv/status.h). */
    private static final int INVALID_HANDLE = 100;

    private static final int UNSUPPORTED = 300;
    private static final int OUT_OF_MEMORY = 400;

    private static final Map<String, Native> OPENED = new HashMap<>();
    private static boolean glueLoaded;

    private final String engine;
    private final int library;

    private Native(String engine, int library) {
        this.engine = engine;
        this.library = library;
    }

    /**
     * Loads the build of an engine, once per JVM.
     *
     * @param engine cuda or emulated
     * @throws UnsupportedException if it is not there or cannot be loaded; the rule says why and what to do
     */
    static synchronized Native of(String engine) {
        Native opened = OPENED.get(engine);
        if (opened != null) {
            return opened;
        }
        if (!glueLoaded) {
            NativeLibraries.load("jcuconv_jni");
            glueLoaded = true;
        }
        Path path = NativeLibraries.locate("jcuconv_" + engine);
        int library = DeviceNatives.open(path.toString());
        if (library < 0) {
            throw new UnsupportedException(engine, "here", DeviceNatives.openError(), List.of("onednn"));
        }
        Native made = new Native(engine, library);
        OPENED.put(engine, made);
        return made;
    }

    int library() {
        return library;
    }

    String engine() {
        return engine;
    }

    /** Throws for a status that is no success. */
    void check(int status) {
        if (status != 0) {
            throw failure(status, 0);
        }
    }

    /** What was made; throws for a negative status. */
    long made(long result) {
        if (result < 0) {
            throw failure(Math.toIntExact(-result), 0);
        }
        return result;
    }

    /** The exception for a status; {@code bytes} is what an allocation asked for. */
    RuntimeException failure(int status, long bytes) {
        String text = DeviceNatives.lastMessage(library);
        if (status == INVALID_HANDLE) {
            return new IllegalStateException("engine " + engine + ": " + text);
        }
        if (status < UNSUPPORTED) {
            return new IllegalArgumentException("engine " + engine + ": " + text);
        }
        if (status < OUT_OF_MEMORY) {
            return new UnsupportedException(engine, "this", text, List.of());
        }
        if (status == OUT_OF_MEMORY) {
            return new OutOfMemoryException(
                    bytes, DeviceNatives.freeMemory(library), "take a smaller batch or 16-bit storage (" + text + ")");
        }
        return new DeviceException(engine, status, text, null);
    }
}
