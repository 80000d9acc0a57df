package io.github.jcuconv;

import org.jspecify.annotations.Nullable;

/** A device or the library that drives it failed. */
public final class DeviceException extends JcuconvException {
    private static final long serialVersionUID = 1L;
    private final int status;

    /**
     * @param engine the engine
     * @param status the library's status number, 0 if it has none
     * @param text the library's own text
     * @param cause the underlying failure, null if there is none
     */
    public DeviceException(String engine, int status, String text, @Nullable Throwable cause) {
        super("engine " + engine + " failed: " + text, cause);
        this.status = status;
    }

    /** The library's status number, 0 if it has none. */
    public int status() {
        return status;
    }
}
