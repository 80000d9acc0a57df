package io.github.jcuconv.memory;

import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Places tensors with lifetimes. No arena can be smaller than the most bytes that are alive at once; orders are tried until one comes near that,
 * and the best is kept. Arrays instead of objects, since networks of a thousand steps are planned again and again in search of what fits.
 */
final class Packer {
    /** An arena above the bound by less than 2 to minus this is not worth another order. */
    private static final int NEAR = 8;

    /** Packings for each order. */
    private static final int TRIES = 24;

    private final int count;
    private final int[] first;
    private final int[] last;
    private final long[] size;
    private final long[] offsets;
    private final int peakStep;
    private final long bound;
    private long arena = Long.MAX_VALUE;

    Packer(List<MemoryPlan.Request> requests) {
        count = requests.size();
        first = requests.stream().mapToInt(MemoryPlan.Request::first).toArray();
        last = requests.stream().mapToInt(MemoryPlan.Request::last).toArray();
        size = requests.stream().mapToLong(r -> MemoryPlan.roundUp(r.bytes())).toArray();
        offsets = new long[count];
        long[] live = live();
        peakStep = IntStream.range(0, live.length).reduce(0, (a, b) -> live[b] > live[a] ? b : a);
        bound = live[peakStep];
        for (Comparator<Integer> order : orders()) {
            search(IntStream.range(0, count)
                    .boxed()
                    .sorted(order)
                    .mapToInt(Integer::intValue)
                    .toArray());
        }
    }

    /** Packs in an order; then again and again with the tensor that stood out put first. */
    private void search(int[] queue) {
        for (int tries = 0; tries < TRIES && arena - bound > bound >> NEAR; tries++) {
            int standsOut = pack(queue);
            for (int k = standsOut; k > 0; k--) {
                int swapped = queue[k];
                queue[k] = queue[k - 1];
                queue[k - 1] = swapped;
            }
        }
    }

    /** Bytes alive at each step. */
    private long[] live() {
        int steps = IntStream.of(last).max().orElse(0) + 1;
        long[] live = new long[steps + 1];
        for (int i = 0; i < count; i++) {
            live[first[i]] += size[i];
            live[last[i] + 1] -= size[i];
        }
        for (int step = 1; step < steps; step++) {
            live[step] += live[step - 1];
        }
        return live;
    }

    /** Size first is nearly always best; long lives first nests forward and backward; the moment of the peak must have no holes. */
    private List<Comparator<Integer>> orders() {
        Comparator<Integer> bySize = Comparator.comparingLong(i -> -size[i]);
        Comparator<Integer> byLife = Comparator.comparingInt(i -> first[i] - last[i]);
        Comparator<Integer> peakFirst = Comparator.comparing(i -> first[i] > peakStep || last[i] < peakStep);
        return List.of(
                bySize.thenComparing(byLife),
                byLife.thenComparing(bySize),
                peakFirst.thenComparing(byLife).thenComparing(bySize));
    }

    /** Keeps the result if it is the best so far; returns the place in the queue of the tensor that made the arena as large as it is. */
    private int pack(int[] queue) {
        long[] at = new long[count];
        int[] byOffset = new int[count];
        long end = 0;
        int last = 0;
        for (int placed = 0; placed < count; placed++) {
            int i = queue[placed];
            at[i] = lowestGap(i, at, byOffset, placed);
            if (at[i] + size[i] > end) {
                end = at[i] + size[i];
                last = placed;
            }
            if (end >= arena) {
                return placed;
            }
            insert(i, at, byOffset, placed);
        }
        arena = end;
        System.arraycopy(at, 0, offsets, 0, count);
        return last;
    }

    private long lowestGap(int i, long[] at, int[] byOffset, int placed) {
        long offset = 0;
        for (int k = 0; k < placed; k++) {
            int other = byOffset[k];
            if (first[other] > last[i] || first[i] > last[other]) {
                continue;
            }
            if (offset + size[i] <= at[other]) {
                break;
            }
            offset = Math.max(offset, at[other] + size[other]);
        }
        return offset;
    }

    private static void insert(int i, long[] at, int[] byOffset, int placed) {
        int low = 0;
        int high = placed;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (at[byOffset[middle]] <= at[i]) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        System.arraycopy(byOffset, low, byOffset, low + 1, placed - low);
        byOffset[low] = i;
    }

    long offset(int request) {
        return offsets[request];
    }

    /** End of the last tensor. */
    long arenaBytes() {
        return count == 0 ? 0 : arena;
    }

    /** The first step at which the most bytes are alive. */
    int peakStep() {
        return peakStep;
    }
}
