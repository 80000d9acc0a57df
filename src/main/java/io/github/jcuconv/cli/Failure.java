package io.github.jcuconv.cli;

/** Something went wrong that is nobody's argument and no file: exit 1 with its message. */
final class Failure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Failure(String message) {
        super(message);
    }
}
