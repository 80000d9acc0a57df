package io.github.jcuconv;

import java.util.List;
import java.util.stream.Collectors;

/** An allocation did not fit. Nothing was allocated; the process can go on with less. */
public final class OutOfMemoryException extends JcuconvException {
    private static final long serialVersionUID = 1L;
    /** More would be a list, not an answer. */
    static final int MOST_CONSUMERS = 5;

    private final long requestedBytes;
    private final long availableBytes;
    private final transient List<Consumer> largestConsumers;
    private final String advice;

    /**
     * What holds memory, or would.
     *
     * @param name a tensor, or what an allocation is
     * @param bytes its size
     */
    public record Consumer(String name, long bytes) {}

    /**
     * @param requestedBytes bytes asked for
     * @param availableBytes bytes that were left, -1 if unknown
     * @param advice what to do
     */
    public OutOfMemoryException(long requestedBytes, long availableBytes, String advice) {
        this(requestedBytes, availableBytes, List.of(), advice);
    }

    /**
     * @param requestedBytes bytes asked for
     * @param availableBytes bytes that were left, -1 if unknown
     * @param largestConsumers what takes most, largest first
     * @param advice what to do
     */
    public OutOfMemoryException(
            long requestedBytes, long availableBytes, List<Consumer> largestConsumers, String advice) {
        super("out of memory: " + requestedBytes + " B requested, "
                + (availableBytes < 0 ? "an unknown number" : availableBytes + " B") + " available; "
                + (largestConsumers.isEmpty() ? "" : text(largestConsumers)) + advice);
        this.requestedBytes = requestedBytes;
        this.availableBytes = availableBytes;
        this.largestConsumers = List.copyOf(largestConsumers);
        this.advice = advice;
    }

    private static String text(List<Consumer> consumers) {
        return consumers.stream()
                .map(c -> c.name() + " " + c.bytes() + " B")
                .collect(Collectors.joining(", ", "largest: ", "; "));
    }

    /** Bytes asked for. */
    public long requestedBytes() {
        return requestedBytes;
    }

    /** Bytes that were left, -1 if unknown. */
    public long availableBytes() {
        return availableBytes;
    }

    /** What takes most, largest first; empty if unknown. */
    public List<Consumer> largestConsumers() {
        return largestConsumers == null ? List.of() : largestConsumers;
    }

    /** What to do. */
    public String advice() {
        return advice;
    }
}
