package io.github.jcuconv.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class PrefetchTest {
    private static final Dataset DATA = BatchesTest.data(500, 23);

    private static float[] copy(FloatBuffer x) {
        float[] values = new float[x.limit()];
        x.duplicate().rewind().get(values);
        return values;
    }

    @Test
    void givesTheSameBatchesAsTheWalkItself() {
        Batches plain = Batches.shuffled(DATA, 7, 5);
        List<float[]> expected = new ArrayList<>();
        FloatBuffer x = FloatBuffer.allocate(plain.batchElements());
        IntBuffer labels = IntBuffer.allocate(7);
        while (plain.hasNext()) {
            plain.next(x, labels);
            expected.add(copy(x));
        }
        try (Prefetch prefetch = new Prefetch(Batches.shuffled(DATA, 7, 5), FloatBuffer::allocate)) {
            int n = 0;
            Prefetch.Batch batch;
            while ((batch = prefetch.next()) != null) {
                assertArrayEquals(expected.get(n), copy(batch.x()));
                n++;
                assertEquals(new Batches.Position(0, n), batch.after());
                assertEquals(7, batch.count());
            }
            assertEquals(expected.size(), n);
            assertNull(prefetch.next());
        }
    }

    @Test
    void decodesTwoBatchesAheadAndNoMore() throws InterruptedException {
        Batches batches = Batches.shuffled(DATA, 7, 5);
        try (Prefetch prefetch = new Prefetch(batches, FloatBuffer::allocate)) {
            Prefetch.Batch first = prefetch.next();
            assertNotNull(first);
            prefetch.awaitIdle();
            assertEquals(new Batches.Position(0, 3), batches.position());
        }
    }

    @Test
    void theBatchInTheConsumersHandIsNotOverwritten() throws InterruptedException {
        try (Prefetch prefetch = new Prefetch(Batches.shuffled(DATA, 7, 5), FloatBuffer::allocate)) {
            Prefetch.Batch first = prefetch.next();
            assertNotNull(first);
            float[] before = copy(first.x());
            prefetch.awaitIdle();
            assertArrayEquals(before, copy(first.x()));
        }
    }

    @Test
    void closeInTheMiddleEndsTheThread() {
        Prefetch prefetch = new Prefetch(Batches.shuffled(DATA, 7, 5), FloatBuffer::allocate);
        assertNotNull(prefetch.next());
        assertTrue(prefetch.thread().isAlive());
        prefetch.close();
        assertFalse(prefetch.thread().isAlive());
        prefetch.close();
        assertThrows(IllegalStateException.class, prefetch::next);
    }

    @Test
    void whatDecodingThrewComesOutOfNextWithItsType() {
        // Too small by one float, so that the loader's thread throws.
        try (Prefetch prefetch = new Prefetch(Batches.inOrder(DATA, 7), n -> FloatBuffer.allocate(n - 1))) {
            IllegalArgumentException e = assertThrows(IllegalArgumentException.class, prefetch::next);
            assertTrue(e.getMessage().contains("a batch needs"), e.getMessage());
            assertThrows(IllegalArgumentException.class, prefetch::next);
        }
    }

    @Test
    void anInterruptedConsumerGetsAnErrorAndKeepsItsFlag() {
        try (Prefetch prefetch = new Prefetch(Batches.inOrder(DATA, 23), FloatBuffer::allocate)) {
            assertNotNull(prefetch.next());
            assertNull(prefetch.next());
            Thread.currentThread().interrupt();
            assertNull(prefetch.next());
            assertTrue(Thread.interrupted());
        }
    }
}
