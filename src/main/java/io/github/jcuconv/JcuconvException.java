package io.github.jcuconv;

import org.jspecify.annotations.Nullable;

/** The root of the library's own errors. Callers' mistakes are {@link IllegalArgumentException} and {@link IllegalStateException}. */
public sealed class JcuconvException extends RuntimeException
        permits UnsupportedException, OutOfMemoryException, DeviceException, CorruptFileException, FileException {
    private static final long serialVersionUID = 1L;

    JcuconvException(String message) {
        super(message);
    }

    JcuconvException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
