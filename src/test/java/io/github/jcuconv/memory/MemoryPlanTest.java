package io.github.jcuconv.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class MemoryPlanTest {
    private static MemoryPlan.Request request(String name, long bytes, int first, int last) {
        return new MemoryPlan.Request(name, Part.ACTIVATIONS, bytes, 0, first, last);
    }

    @Test
    void tensors_alive_at_the_same_time_never_overlap() {
        Random random = new Random(5);
        for (int round = 0; round < 200; round++) {
            List<MemoryPlan.Request> requests = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                int first = random.nextInt(20);
                requests.add(request("t" + i, 1 + random.nextInt(5000), first, first + random.nextInt(8)));
            }
            MemoryPlan plan = MemoryPlan.of(requests, b -> b);
            for (MemoryPlan.Slice a : plan.slices()) {
                assertEquals(0, a.offset() % MemoryPlan.ALIGNMENT);
                for (MemoryPlan.Slice b : plan.slices()) {
                    boolean together = a.request().first() <= b.request().last()
                            && b.request().first() <= a.request().last();
                    boolean overlap = a.offset() < b.offset() + b.request().bytes()
                            && b.offset() < a.offset() + a.request().bytes();
                    assertFalse(!a.equals(b) && together && overlap, a + " and " + b);
                }
            }
            long sum = plan.partsAtPeak().values().stream()
                    .mapToLong(Long::longValue)
                    .sum();
            assertEquals(plan.predictedBytes(), sum);
        }
    }

    @Test
    void tensors_that_never_meet_share_their_place() {
        MemoryPlan plan = MemoryPlan.of(List.of(request("a", 1000, 0, 1), request("b", 1000, 2, 3)), b -> b + 256);
        assertEquals(1024, plan.arenaBytes());
        assertEquals(1280, plan.predictedBytes());
    }

    @Test
    void peak_is_where_most_bytes_live() {
        MemoryPlan plan = MemoryPlan.of(
                List.of(request("a", 1024, 0, 5), request("b", 512, 1, 2), request("c", 2048, 4, 4)), b -> b);
        assertEquals(4, plan.peakStep());
        assertEquals(3072, plan.partsAtPeak().get(Part.ACTIVATIONS));
        assertEquals(3584, plan.partsInAll().get(Part.ACTIVATIONS));
    }

    @Test
    void a_lifetime_that_ends_before_it_begins_is_refused() {
        assertThrows(IllegalArgumentException.class, () -> request("a", 1, 3, 2));
    }
}
