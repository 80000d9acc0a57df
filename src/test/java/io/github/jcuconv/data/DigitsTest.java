package io.github.jcuconv.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class DigitsTest {
    /** Pins the bits on every machine; a change of the drawing must change this line on purpose. */
    @Test
    void theBitsOfASeedAreTheSameOnEveryMachine() {
        assertEquals(
                "4ffd683a27277ab871e5c25827ef06df5fdca92545e75b872e2ef47b3a976c25",
                Digits.make(1, 2000, 500).sha256());
    }

    @Test
    void aSmallSetIsAPrefixOfALargeOne() {
        Dataset large = Digits.make(3, 700, 300);
        Dataset small = Digits.make(3, 300, 10);
        for (int i = 0; i < 300; i++) {
            assertEquals(large.train().image(i), small.train().image(i));
            assertEquals(large.train().label(i), small.train().label(i));
        }
    }

    @Test
    void trainingAndTestPartAndSeedsDiffer() {
        Dataset one = Digits.make(1, 10, 10);
        assertNotEquals(one.train().image(0), one.test().image(0));
        assertNotEquals(one.sha256(), Digits.make(2, 10, 10).sha256());
    }

    @Test
    void classesAreBalancedAndNoImageIsEmpty() {
        Dataset data = Digits.make(1, 5000, 1);
        int[] counts = new int[10];
        for (int i = 0; i < data.train().count(); i++) {
            counts[data.train().label(i)]++;
            int bright = 0;
            for (int p = 0; p < data.train().imageSize(); p++) {
                bright += (data.train().image(i).get(p) & 0xff) > 100 ? 1 : 0;
            }
            assertTrue(bright >= 8, "image " + i + " has only " + bright + " bright pixels");
        }
        for (int count : counts) {
            // 500 expected, standard deviation 21.
            assertTrue(count > 400 && count < 600, Arrays.toString(counts));
        }
    }

    @Test
    void theConstantsOfNormalisationFitThePixels() {
        Dataset data = Digits.make(1, 3000, 1);
        double sum = 0;
        double squares = 0;
        for (int i = 0; i < data.train().count(); i++) {
            for (int p = 0; p < data.train().imageSize(); p++) {
                double v = (data.train().image(i).get(p) & 0xff) / 255.0;
                sum += v;
                squares += v * v;
            }
        }
        double n = (double) data.train().count() * data.train().imageSize();
        double mean = sum / n;
        assertEquals(mean, data.mean(), 0.01);
        assertEquals(Math.sqrt(squares / n - mean * mean), data.std(), 0.01);
    }

    @Test
    void noImagesAreACallersMistake() {
        assertThrows(IllegalArgumentException.class, () -> Digits.make(1, 0, 1));
    }
}
