package io.github.jcuconv.memory;

import io.github.jcuconv.OutOfMemoryException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Tensors with lifetimes, packed into one arena. The size of the arena is known before anything is allocated, and it is what is allocated.
 *
 * <p>Lifetimes are inclusive ranges of step numbers. Packing is greedy: each tensor at the lowest offset that no tensor alive at the same time
 * occupies, in several orders, of which the smallest arena is taken. Immutable.
 */
public final class MemoryPlan {
    /** Every slice begins at a multiple of this. */
    public static final int ALIGNMENT = 256;

    private static final int MOST_CONSUMERS = 5;

    /**
     * A tensor to place.
     *
     * @param name the tensor's name
     * @param part what it is for
     * @param bytes bytes with layout padding
     * @param paddingBytes bytes of these that are layout padding
     * @param first first step that touches it
     * @param last last step that touches it
     */
    public record Request(String name, Part part, long bytes, long paddingBytes, int first, int last) {
        /** Checks the range. */
        public Request {
            if (bytes < 0 || paddingBytes < 0 || paddingBytes > bytes || first < 0 || last < first) {
                throw new IllegalArgumentException("tensor " + name + ": " + bytes + " B (" + paddingBytes
                        + " B padding) in steps " + first + ".." + last + " is no valid request");
            }
        }
    }

    /**
     * A placed tensor.
     *
     * @param request what was asked
     * @param offset where it begins in the arena, a multiple of {@link #ALIGNMENT}
     */
    public record Slice(Request request, long offset) {
        /** Bytes it occupies, rounded up. */
        public long reserved() {
            return roundUp(request.bytes());
        }

        boolean livesAt(int step) {
            return request.first() <= step && step <= request.last();
        }
    }

    private final List<Slice> slices;
    private final long arenaBytes;
    private final long allocationBytes;
    private final int peakStep;
    private final List<String> stepNames;

    private MemoryPlan(
            List<Slice> slices, long arenaBytes, long allocationBytes, int peakStep, List<String> stepNames) {
        this.slices = slices;
        this.arenaBytes = arenaBytes;
        this.allocationBytes = allocationBytes;
        this.peakStep = peakStep;
        this.stepNames = List.copyOf(stepNames);
    }

    /** How many bytes an allocator takes for a request. */
    public interface Allocator {
        /** Exact bytes taken from the system. */
        long allocationBytes(long bytes);
    }

    /**
     * Packs.
     *
     * @param requests what to place; the slices keep this order
     * @param allocator the allocator that will give the arena
     */
    public static MemoryPlan of(List<Request> requests, Allocator allocator) {
        return of(requests, allocator, List.of());
    }

    /** The same with names of the steps, for people. */
    public static MemoryPlan of(List<Request> requests, Allocator allocator, List<String> stepNames) {
        Packer packer = new Packer(requests);
        List<Slice> slices = new ArrayList<>();
        for (int i = 0; i < requests.size(); i++) {
            slices.add(new Slice(requests.get(i), packer.offset(i)));
        }
        long arena = Math.max(ALIGNMENT, packer.arenaBytes());
        return new MemoryPlan(
                List.copyOf(slices), arena, allocator.allocationBytes(arena), packer.peakStep(), stepNames);
    }

    /** Rounds up to a multiple of {@link #ALIGNMENT}. */
    public static long roundUp(long bytes) {
        return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    /** The placed tensors in the order of the requests. */
    public List<Slice> slices() {
        return slices;
    }

    /** Bytes of the arena. */
    public long arenaBytes() {
        return arenaBytes;
    }

    /** The prediction: bytes that allocating the arena takes from the system. */
    public long predictedBytes() {
        return allocationBytes;
    }

    /** The step at which the most bytes are alive. */
    public int peakStep() {
        return peakStep;
    }

    /** The name of a step: {@code conv1} forward, {@code dx conv1} and {@code dw conv1} backward; its number if it has none. */
    public String stepName(int step) {
        return step < stepNames.size() ? stepNames.get(step) : Integer.toString(step);
    }

    /** How many steps there are. */
    public int steps() {
        return 1 + slices.stream().mapToInt(s -> s.request().last()).max().orElse(-1);
    }

    /** The largest tensors alive at the moment of the peak. */
    public List<OutOfMemoryException.Consumer> largestAtPeak() {
        return slices.stream()
                .filter(s -> s.livesAt(peakStep))
                .sorted(Comparator.comparingLong((Slice s) -> -s.reserved()))
                .limit(MOST_CONSUMERS)
                .map(s -> new OutOfMemoryException.Consumer(s.request().name(), s.reserved()))
                .toList();
    }

    /** Bytes by part at the moment of the peak; they add up to {@link #predictedBytes}. */
    public Map<Part, Long> partsAtPeak() {
        Map<Part, Long> parts = new EnumMap<>(Part.class);
        long live = 0;
        for (Slice s : slices) {
            if (s.livesAt(peakStep)) {
                add(parts, s);
                live += s.reserved();
            }
        }
        parts.merge(Part.ALIGNMENT, allocationBytes - arenaBytes, Long::sum);
        parts.merge(Part.UNUSED, arenaBytes - live, Long::sum);
        return parts;
    }

    /** Bytes of all tensors by part, also of those that are not alive together. */
    public Map<Part, Long> partsInAll() {
        Map<Part, Long> parts = new EnumMap<>(Part.class);
        slices.forEach(s -> add(parts, s));
        return parts;
    }

    /** Bytes, without padding, of the tensors of a part that are alive at a step and still needed after it. */
    public long keptAcross(int step, Part part) {
        return slices.stream()
                .map(Slice::request)
                .filter(r -> r.part() == part && r.first() <= step && r.last() > step)
                .mapToLong(r -> r.bytes() - r.paddingBytes())
                .sum();
    }

    private static void add(Map<Part, Long> parts, Slice s) {
        Request r = s.request();
        parts.merge(r.part(), r.bytes() - r.paddingBytes(), Long::sum);
        parts.merge(Part.PADDING, r.paddingBytes(), Long::sum);
        parts.merge(Part.ALIGNMENT, s.reserved() - r.bytes(), Long::sum);
    }
}
