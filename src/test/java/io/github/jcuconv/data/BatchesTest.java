package io.github.jcuconv.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.Arrays;
import java.util.BitSet;
import org.junit.jupiter.api.Test;

class BatchesTest {
    /** Image i of 2x1x3 has the pixels i, i+1, ...; its label is i % 7. */
    static Dataset data(int train, int test) {
        return new Dataset("ramp", split(train), split(test), 7, 0.25f, 0.5f);
    }

    private static Split split(int count) {
        byte[] images = new byte[count * 6];
        byte[] labels = new byte[count];
        for (int i = 0; i < count; i++) {
            for (int p = 0; p < 6; p++) {
                images[i * 6 + p] = (byte) (i + p);
            }
            labels[i] = (byte) (i % 7);
        }
        return Split.of(images, labels, 2, 1, 3);
    }

    @Test
    void decodesBytesAsUnsignedAndNormalised() {
        Batches batches = Batches.inOrder(data(200, 200), 200);
        FloatBuffer x = FloatBuffer.allocate(1200);
        IntBuffer labels = IntBuffer.allocate(200);
        assertEquals(200, batches.next(x, labels));
        for (int i = 0; i < 200; i++) {
            for (int p = 0; p < 6; p++) {
                assertEquals((((i + p) & 0xff) / 255f - 0.25f) / 0.5f, x.get(i * 6 + p));
            }
            assertEquals(i % 7, labels.get(i));
        }
        assertEquals(0, x.position());
    }

    @Test
    void aPartialLastBatchIsPaddedInOrderAndDroppedWhenShuffled() {
        Batches test = Batches.inOrder(data(10, 10), 4);
        FloatBuffer x = FloatBuffer.allocate(24);
        IntBuffer labels = IntBuffer.allocate(4);
        assertEquals(3, test.batchCount());
        assertEquals(10, test.imageCount());
        assertEquals(4, test.next(x, labels));
        assertEquals(4, test.next(x, labels));
        Arrays.fill(x.array(), Float.NaN);
        assertEquals(2, test.next(x, labels));
        assertArrayEquals(new int[] {8 % 7, 9 % 7, Batches.NO_LABEL, Batches.NO_LABEL}, labels.array());
        for (int p = 12; p < 24; p++) {
            assertEquals(0f, x.get(p));
        }
        assertFalse(test.hasNext());
        assertThrows(IllegalStateException.class, () -> test.next(x, labels));

        Batches train = Batches.shuffled(data(10, 10), 4, 1);
        assertEquals(2, train.batchCount());
        assertEquals(8, train.imageCount());
    }

    @Test
    void eachEpochIsAnotherPermutationAndTheSameSeedGivesTheSame() {
        Dataset data = data(1000, 1);
        Batches a = Batches.shuffled(data, 10, 42);
        int[] first = a.order();
        a.startEpoch(1);
        int[] second = a.order();
        assertFalse(Arrays.equals(first, second));
        for (int[] order : new int[][] {first, second}) {
            BitSet seen = new BitSet();
            Arrays.stream(order).forEach(seen::set);
            assertEquals(1000, seen.cardinality());
        }
        assertArrayEquals(first, Batches.shuffled(data, 10, 42).order());
        assertFalse(Arrays.equals(first, Batches.shuffled(data, 10, 43).order()));
    }

    /** Pins the bits: a change of generator would silently break resumed runs. */
    @Test
    void theOrderOfASeedNeverChanges() {
        assertEquals(
                "[3, 6, 4, 0, 9, 8, 5, 1, 2, 7]",
                Arrays.toString(Batches.shuffled(data(10, 1), 1, 1).order()));
    }

    @Test
    void everyImageComesEquallyOftenFirst() {
        Dataset data = data(5, 1);
        int[] first = new int[5];
        for (int seed = 0; seed < 5000; seed++) {
            first[Batches.shuffled(data, 1, seed).order()[0]]++;
        }
        for (int count : first) {
            // 1000 expected, standard deviation 28.
            assertTrue(count > 860 && count < 1140, Arrays.toString(first));
        }
    }

    @Test
    void shardsAreDisjointAndEquallyLongWhenShuffled() {
        Batches whole = Batches.shuffled(data(103, 1), 5, 7);
        BitSet seen = new BitSet();
        for (int rank = 0; rank < 4; rank++) {
            int[] order = whole.shard(rank, 4).order();
            assertEquals(25, order.length);
            Arrays.stream(order).forEach(seen::set);
        }
        assertEquals(100, seen.cardinality());
    }

    @Test
    void shardsInOrderLeaveNoImageOut() {
        Batches whole = Batches.inOrder(data(1, 10), 3);
        BitSet seen = new BitSet();
        for (int rank = 0; rank < 4; rank++) {
            Arrays.stream(whole.shard(rank, 4).order()).forEach(seen::set);
        }
        assertEquals(10, seen.cardinality());
        assertEquals(3, whole.shard(1, 4).order().length);
        assertEquals(2, whole.shard(2, 4).order().length);
    }

    @Test
    void aWalkResumedAtItsPositionGoesOnWithTheSameBatches() {
        Dataset data = data(50, 1);
        Batches uninterrupted = Batches.shuffled(data, 8, 3);
        uninterrupted.startEpoch(2);
        FloatBuffer x = FloatBuffer.allocate(48);
        IntBuffer labels = IntBuffer.allocate(8);
        uninterrupted.next(x, labels);
        uninterrupted.next(x, labels);
        Batches.Position position = uninterrupted.position();
        assertEquals(new Batches.Position(2, 2), position);
        uninterrupted.next(x, labels);
        float[] expected = x.array().clone();

        Batches resumed = Batches.shuffled(data, 8, 3);
        resumed.next(x, labels);
        assertNotEquals(FloatBuffer.wrap(expected), x);
        resumed.seek(position);
        resumed.next(x, labels);
        assertArrayEquals(expected, x.array());
    }

    @Test
    void callersMistakesNameTheRule() {
        Dataset data = data(10, 10);
        assertThrows(IllegalArgumentException.class, () -> Batches.shuffled(data, 0, 1));
        assertThrows(IllegalArgumentException.class, () -> Batches.inOrder(data, 0));
        assertThrows(IllegalArgumentException.class, () -> Batches.shuffled(data, 11, 1));
        Batches batches = Batches.shuffled(data, 5, 1);
        assertThrows(IllegalArgumentException.class, () -> batches.shard(2, 2));
        assertThrows(IllegalArgumentException.class, () -> batches.shard(0, 3));
        assertThrows(IllegalArgumentException.class, () -> batches.seek(new Batches.Position(0, 3)));
        assertThrows(
                IllegalArgumentException.class, () -> batches.next(FloatBuffer.allocate(29), IntBuffer.allocate(5)));
        assertThrows(
                IllegalArgumentException.class, () -> batches.next(FloatBuffer.allocate(30), IntBuffer.allocate(4)));
    }

    @Test
    void everyImageIsHeldOutInExactlyOneFold() {
        Dataset data = data(100, 5);
        BitSet seen = new BitSet();
        for (int part = 0; part < 3; part++) {
            Dataset fold = data.fold(part, 3, 9);
            assertEquals(100, fold.train().count() + fold.test().count());
            BitSet held = new BitSet();
            for (int i = 0; i < fold.test().count(); i++) {
                int first = fold.test().image(i).get(0) & 0xff; // the image's number
                assertEquals(first % 7, fold.test().label(i));
                held.set(first);
            }
            assertFalse(held.intersects(seen), "held out twice");
            seen.or(held);
            for (int i = 0; i < fold.train().count(); i++) {
                assertFalse(held.get(fold.train().image(i).get(0) & 0xff), "trained on and held out");
            }
        }
        assertEquals(100, seen.cardinality());
        assertEquals(data.fold(1, 3, 9).sha256(), data.fold(1, 3, 9).sha256());
        assertNotEquals(data.fold(1, 3, 9).sha256(), data.fold(1, 3, 8).sha256());
        assertThrows(IllegalArgumentException.class, () -> data.fold(3, 3, 9));
        assertThrows(IllegalArgumentException.class, () -> data.fold(0, 1, 9));
    }
}
