package io.github.jcuconv.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class AugmentationTest {
    private static final int SIDE = 9;

    /** Images whose pixel is 10 h + w, so that a value tells where it came from; mean 0, std 1/255: values stay as they are. */
    private static Dataset ramps(int count, int channels) {
        byte[] images = new byte[count * channels * SIDE * SIDE];
        for (int i = 0; i < images.length; i++) {
            images[i] = (byte) (10 * (i / SIDE % SIDE) + i % SIDE);
        }
        Split split = Split.of(images, new byte[count], channels, SIDE, SIDE);
        return new Dataset("ramps", split, split, 1, 0, 1 / 255f);
    }

    /** The first epochs of one-image batches, in the order of the images. */
    private static float[][] drawn(Augmentation changes, int count, int channels, long seed, long epoch) {
        Batches batches = Batches.shuffled(ramps(count, channels), 1, seed).augmented(changes);
        batches.startEpoch(epoch);
        int[] order = batches.order();
        float[][] all = new float[count][];
        for (int i = 0; i < count; i++) {
            float[] x = new float[channels * SIDE * SIDE];
            batches.next(FloatBuffer.wrap(x), IntBuffer.allocate(1));
            all[order[i]] = x;
        }
        return all;
    }

    private static float[] plain() {
        return drawn(Augmentation.NONE, 1, 1, 1, 0)[0];
    }

    @Test
    void whatIsDrawnFollowsFromSeedEpochAndImage() {
        Augmentation some = new Augmentation(2, 10, 0.1f, true, 0.2f);
        float[][] once = drawn(some, 5, 3, 7, 2);
        assertTrue(Arrays.deepEquals(once, drawn(some, 5, 3, 7, 2)));
        assertFalse(Arrays.equals(once[0], drawn(some, 5, 3, 8, 2)[0]), "another seed");
        assertFalse(Arrays.equals(once[0], drawn(some, 5, 3, 7, 3)[0]), "another epoch");
        assertFalse(Arrays.equals(once[0], once[1]), "another image");
    }

    @Test
    void movesByAtMostTheShiftAndRepeatsTheBorder() {
        float most = 0;
        for (float[] x : drawn(new Augmentation(3, 0, 0, false, 0), 200, 1, 1, 0)) {
            float middle = x[SIDE * (SIDE / 2) + SIDE / 2]; // was 44
            float right = x[SIDE * (SIDE / 2) + SIDE / 2 + 1];
            assertEquals(1, right - middle, 1e-4, "a column is a column");
            assertTrue(middle >= 44 - 33.01 && middle <= 44 + 33.01, "moved by " + (middle - 44));
            most = Math.max(most, Math.abs(middle - 44));
            for (float v : x) {
                assertTrue(v >= 0 && v <= 88, "not of the image: " + v);
            }
        }
        assertTrue(most > 25, "of 33 at most " + most);
    }

    /** What leaves the middle by (a, b) comes from (a cos - b sin, a sin + b cos). */
    @Test
    void turnsAboutTheMiddle() {
        double largest = 0;
        for (float[] x : drawn(new Augmentation(0, 30, 0, false, 0), 100, 1, 1, 0)) {
            int m = SIDE / 2;
            assertEquals(44, x[SIDE * m + m], 1e-3);
            double down = x[SIDE * (m + 2) + m] - 44; // 10 x 2 cos + 2 sin
            double up = x[SIDE * (m - 2) + m] - 44;
            assertEquals(0, down + up, 1e-3);
            double beside = x[SIDE * m + m + 2] - 44; // -10 x 2 sin + 2 cos
            double sin = (down / 10 - beside) / (20.2);
            double cos = (down - 2 * sin) / 20;
            assertEquals(1, sin * sin + cos * cos, 1e-3);
            largest = Math.max(largest, Math.abs(Math.toDegrees(Math.atan2(sin, cos))));
        }
        assertTrue(largest > 25 && largest <= 30.01, "turned by at most " + largest);
    }

    @Test
    void growsAndShrinks() {
        List<Float> steps = new ArrayList<>();
        for (float[] x : drawn(new Augmentation(0, 0, 0.5f, false, 0), 100, 1, 1, 0)) {
            int middle = SIDE * (SIDE / 2) + SIDE / 2;
            assertEquals(44, x[middle], 1e-3);
            steps.add(x[middle + 1] - x[middle]);
        }
        float least = steps.stream().reduce(Math::min).orElseThrow();
        float most = steps.stream().reduce(Math::max).orElseThrow();
        assertTrue(least >= 1 / 1.5f - 1e-4 && least < 0.75, "at most 1.5 x: " + least);
        assertTrue(most <= 2.001 && most > 1.7, "at least 0.5 x: " + most);
    }

    @Test
    void mirrorsHalfOfTheImages() {
        float[] image = plain();
        int mirrored = 0;
        for (float[] x : drawn(new Augmentation(0, 0, 0, true, 0), 400, 1, 1, 0)) {
            if (Arrays.equals(x, image)) {
                continue;
            }
            mirrored++;
            for (int h = 0; h < SIDE; h++) {
                for (int w = 0; w < SIDE; w++) {
                    assertEquals(image[h * SIDE + SIDE - 1 - w], x[h * SIDE + w], 1e-4);
                }
            }
        }
        assertTrue(mirrored > 160 && mirrored < 240, mirrored + " of 400");
    }

    @Test
    void changesColoursOfEachChannelWithinTheirRange() {
        int apart = 0;
        for (float[] x : drawn(new Augmentation(0, 0, 0, false, 0.3f), 50, 3, 1, 0)) {
            for (float v : x) {
                assertTrue(v >= 0 && v <= 255, "no colour: " + v);
            }
            int plane = SIDE * SIDE;
            apart += Math.abs(x[plane - 1] - x[2 * plane - 1]) > 1 ? 1 : 0;
        }
        assertTrue(apart > 25, "channels differ in " + apart + " of 50");
    }

    @Test
    void imagesToTestOnStayAsTheyAre() {
        Batches batches = Batches.inOrder(ramps(1, 1), 1).augmented(new Augmentation(3, 10, 0, true, 0));
        float[] x = new float[SIDE * SIDE];
        batches.next(FloatBuffer.wrap(x), IntBuffer.allocate(1));
        assertArrayEquals(plain(), x);
    }

    @Test
    void numbersOutsideTheirRangeAreNamed() {
        assertThrows(IllegalArgumentException.class, () -> new Augmentation(-1, 0, 0, false, 0));
        assertThrows(IllegalArgumentException.class, () -> new Augmentation(0, 181, 0, false, 0));
        assertThrows(IllegalArgumentException.class, () -> new Augmentation(0, 0, 1, false, 0));
        assertThrows(IllegalArgumentException.class, () -> new Augmentation(0, 0, Float.NaN, false, 0));
        assertThrows(IllegalArgumentException.class, () -> new Augmentation(0, 0, 0, false, 1));
    }
}
