package io.github.jcuconv;

/** An allocation did not fit. Nothing was allocated; the process can go on with less. */
public final class OutOfMemoryException extends JcuconvException {
    private static final long serialVersionUID = 1L;
    private final long requestedBytes;
    private final long availableBytes;

    /**
     * @param requestedBytes bytes asked for
     * @param availableBytes bytes that were left, -1 if unknown
     * @param advice what to do
     */
    public OutOfMemoryException(long requestedBytes, long availableBytes, String advice) {
        super("out of memory: " + requestedBytes + " B requested, "
                + (availableBytes < 0 ? "an unknown number" : availableBytes + " B") + " available; " + advice);
        this.requestedBytes = requestedBytes;
        this.availableBytes = availableBytes;
    }

    /** Bytes asked for. */
    public long requestedBytes() {
        return requestedBytes;
    }

    /** Bytes that were left, -1 if unknown. */
    public long availableBytes() {
        return availableBytes;
    }
}
