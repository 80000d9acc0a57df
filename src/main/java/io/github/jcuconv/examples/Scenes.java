package io.github.jcuconv.examples;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Drawn streets of 64x64 pixels in colour, with a class for each pixel. Colours do not tell the classes: walls have the grey of the road,
 * windows and water the blue of the sky, and the bars in the walls the black of the poles, which are one or two pixels wide.
 */
final class Scenes {
    static final int SIZE = 64;
    static final int PIXELS = SIZE * SIZE;
    static final int CHANNELS = 3;
    static final List<String> CLASSES = List.of("sky", "wall", "road", "water", "pole");

    private static final int SKY = 0;
    private static final int WALL = 1;
    private static final int ROAD = 2;
    private static final int WATER = 3;
    private static final int POLE = 4;
    private static final double NOISE = 0.08;

    /** N C H W, 0 to 1, noise beyond it. */
    final float[] images;
    /** N H W. */
    final int[] labels;

    private final SplittableRandom random;
    private int scene;

    Scenes(int count, long seed) {
        images = new float[count * CHANNELS * PIXELS];
        labels = new int[count * PIXELS];
        random = new SplittableRandom(seed);
        for (scene = 0; scene < count; scene++) {
            draw();
        }
    }

    private void draw() {
        double light = random.nextDouble(0.75, 1.1);
        double grey = random.nextDouble(0.4, 0.55) * light;
        double[] blue = {0.5 * light, 0.65 * light, 0.8 * light};
        double[] street = {grey + random.nextDouble(-0.03, 0.03), grey, grey + random.nextDouble(-0.03, 0.03)};
        double[] black = {0.2 * light, 0.2 * light, 0.22 * light};
        int horizon = random.nextInt(24, 41);
        fill(0, 0, SIZE, horizon, SKY, blue);
        fill(0, horizon, SIZE, SIZE, ROAD, street);
        for (int i = random.nextInt(1, 4); i > 0; i--) {
            house(horizon, street, blue, black);
        }
        for (int i = random.nextInt(0, 3); i > 0; i--) {
            puddle(horizon, blue);
        }
        for (int i = random.nextInt(1, 4); i > 0; i--) {
            int x = random.nextInt(2, SIZE - 3);
            fill(
                    x,
                    random.nextInt(3, horizon - 14),
                    x + random.nextInt(1, 3),
                    random.nextInt(horizon + 4, 58),
                    POLE,
                    black);
        }
        int first = scene * CHANNELS * PIXELS;
        for (int i = first; i < first + CHANNELS * PIXELS; i++) {
            images[i] += (float) random.nextDouble(-NOISE, NOISE);
        }
    }

    /** A wall that stands on the street, with windows and bars. */
    private void house(int horizon, double[] street, double[] blue, double[] black) {
        int left = random.nextInt(-4, SIZE - 10);
        int width = random.nextInt(12, 26);
        int top = random.nextInt(6, horizon - 8);
        int bottom = horizon + random.nextInt(0, 4);
        fill(left, top, left + width, bottom, WALL, street);
        for (int x = left + 2; x + 4 < left + width; x += 6) {
            boolean bars = random.nextInt(3) == 0;
            for (int y = top + 2; y + 5 < bottom; y += 8) {
                fill(x, y, x + (bars ? 1 : 3), y + 5, WALL, bars ? black : blue);
            }
        }
    }

    private void puddle(int horizon, double[] blue) {
        int x = random.nextInt(SIZE);
        int y = random.nextInt(horizon + 8, SIZE + 2);
        int half = random.nextInt(6, 16);
        for (int row = -4; row <= 4; row++) {
            int reach = (int) Math.round(half * Math.sqrt(1 - row * row / 25.0));
            fill(x - reach, y + row, x + reach, y + row + 1, WATER, blue);
        }
    }

    /** What lies outside of the picture is left out. */
    private void fill(int left, int top, int right, int bottom, int label, double[] colour) {
        for (int y = Math.max(0, top); y < Math.min(SIZE, bottom); y++) {
            for (int x = Math.max(0, left); x < Math.min(SIZE, right); x++) {
                int p = y * SIZE + x;
                labels[scene * PIXELS + p] = label;
                for (int c = 0; c < CHANNELS; c++) {
                    images[(scene * CHANNELS + c) * PIXELS + p] = (float) colour[c];
                }
            }
        }
    }

    int count() {
        return labels.length / PIXELS;
    }

    /** Scenes {@code from} and those after it. */
    float[] batch(int from, int count) {
        int size = CHANNELS * PIXELS;
        return Arrays.copyOfRange(images, from * size, (from + count) * size);
    }

    /** Their classes. */
    int[] labels(int from, int count) {
        return Arrays.copyOfRange(labels, from * PIXELS, (from + count) * PIXELS);
    }

    /** A pixel's colour as 0xRRGGBB. */
    int rgb(int index) {
        int rgb = 0;
        for (int c = 0; c < CHANNELS; c++) {
            float value = images[(index / PIXELS * CHANNELS + c) * PIXELS + index % PIXELS];
            rgb = rgb << 8 | Math.round(255 * Math.max(0, Math.min(1, value)));
        }
        return rgb;
    }

    /** Whether a pixel of another class lies within two pixels. */
    boolean atBoundary(int index) {
        int p = index % PIXELS;
        for (int y = Math.max(0, p / SIZE - 2); y <= Math.min(SIZE - 1, p / SIZE + 2); y++) {
            for (int x = Math.max(0, p % SIZE - 2); x <= Math.min(SIZE - 1, p % SIZE + 2); x++) {
                if (labels[index - p + y * SIZE + x] != labels[index]) {
                    return true;
                }
            }
        }
        return false;
    }
}
