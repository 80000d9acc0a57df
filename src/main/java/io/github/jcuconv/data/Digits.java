package io.github.jcuconv.data;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The data set {@code digits}: grey digits of 28x28 pixels drawn from pen strokes with random distortion. It needs
 * neither files nor a network, and is no substitute for MNIST: accuracies of the two must not be compared.
 *
 * <p>Each image is a function of (seed, part, index) and of IEEE arithmetic alone, so the bits are the same on every
 * machine. Strong shifts, turns and stray strokes make it hard for a network without convolution.
 */
public final class Digits {
    /** Training images that {@link #make(long)} draws. */
    public static final int TRAIN = 20_000;

    /** Test images that {@link #make(long)} draws. */
    public static final int TEST = 5_000;

    private static final int SIZE = 28;
    private static final int CLASSES = 10;
    private static final int CURVE_STEPS = 5;
    private static final int GRID = 4;

    /** The constants that {@link Batches} normalises with, measured over the training part of seed 1. */
    private static final float MEAN = 0.121f;

    private static final float STD = 0.249f;

    /**
     * How hard the digits are; lengths in pixels, angles in radians.
     *
     * @param shift largest shift of the centre, in each direction
     * @param turn largest rotation to either side
     * @param minHeight least height of a digit
     * @param maxHeight largest height of a digit
     * @param shear largest slant, as x per y
     * @param jitter largest move of a stroke's point, in units of the digit's height
     * @param warp largest displacement of the elastic distortion
     * @param strays most stray strokes beside the digit
     * @param noise largest grey added to or taken from a pixel, of 255
     */
    record Difficulty(
            float shift,
            float turn,
            float minHeight,
            float maxHeight,
            float shear,
            float jitter,
            float warp,
            int strays,
            float noise) {}

    static final Difficulty DEFAULT = new Difficulty(4.5f, 0.3f, 14f, 20f, 0.25f, 0.04f, 1.2f, 2, 40f);

    private Digits() {}

    /** Draws the data set with its usual sizes; equal seeds give equal bytes. */
    public static Dataset make(long seed) {
        return make(seed, TRAIN, TEST);
    }

    /**
     * Draws the data set; a smaller one is a prefix of a larger one with the same seed.
     *
     * @throws IllegalArgumentException if a count is below 1
     */
    public static Dataset make(long seed, int train, int test) {
        return make(seed, train, test, DEFAULT);
    }

    static Dataset make(long seed, int train, int test, Difficulty difficulty) {
        return new Dataset(
                "digits", draw(seed, 0, train, difficulty), draw(seed, 1, test, difficulty), CLASSES, MEAN, STD);
    }

    private static Split draw(long seed, int part, int count, Difficulty difficulty) {
        if (count < 1) {
            throw new IllegalArgumentException("digits: image count " + count + " must be at least 1");
        }
        byte[] images = new byte[Math.multiplyExact(count, SIZE * SIZE)];
        byte[] labels = new byte[count];
        int chunk = 256;
        IntStream.range(0, (count + chunk - 1) / chunk).parallel().forEach(c -> {
            Canvas canvas = new Canvas();
            for (int i = c * chunk; i < Math.min(count, (c + 1) * chunk); i++) {
                labels[i] = (byte) drawOne(SplitMix64.of(seed, part, i), difficulty, canvas);
                canvas.store(images, i * SIZE * SIZE);
            }
        });
        return new Split(images, labels, 1, SIZE, SIZE);
    }

    /** Draws one digit and returns its class. */
    private static int drawOne(SplitMix64 random, Difficulty d, Canvas canvas) {
        int digit = random.below(CLASSES);
        List<float[][]> glyphs = DigitStrokes.of(digit);
        float[][] glyph = glyphs.get(random.below(glyphs.size()));
        canvas.clear();

        float height = random.between(d.minHeight, d.maxHeight);
        float stretch = random.between(0.75f, 1.3f);
        float angle = random.between(-d.turn, d.turn);
        float shear = random.between(-d.shear, d.shear);
        // StrictMath: the bits of Math.sin may differ between machines.
        float cos = (float) StrictMath.cos(angle);
        float sin = (float) StrictMath.sin(angle);
        float centreX = SIZE / 2f + random.between(-d.shift, d.shift);
        float centreY = SIZE / 2f + random.between(-d.shift, d.shift);
        float pen = random.between(0.7f, 1.7f);
        float ink = random.between(0.65f, 1f);
        Warp warp = new Warp(random, d.warp);

        for (float[] stroke : glyph) {
            float[] points = new float[stroke.length];
            for (int i = 0; i < stroke.length; i += 2) {
                float y = (stroke[i + 1] + random.between(-d.jitter, d.jitter)) * height;
                float x = (stroke[i] + random.between(-d.jitter, d.jitter)) * height * stretch + shear * y;
                points[i] = centreX + cos * x - sin * y;
                points[i + 1] = centreY + sin * x + cos * y;
            }
            drawCurve(points, warp, pen, ink, canvas);
        }
        int strays = random.below(d.strays + 1);
        for (int s = 0; s < strays; s++) {
            float x = random.between(1, SIZE - 1);
            float y = random.between(1, SIZE - 1);
            float[] line = {x, y, x + random.between(-5, 5), y + random.between(-5, 5)};
            drawCurve(line, warp, random.between(0.5f, 1.2f), random.between(0.3f, 0.9f), canvas);
        }
        canvas.addNoise(random, d.noise);
        return digit;
    }

    /** A straight line through two points, a Catmull-Rom curve through more. */
    private static void drawCurve(float[] p, Warp warp, float pen, float ink, Canvas canvas) {
        int last = p.length / 2 - 1;
        float fromX = warp.x(p[0], p[1]);
        float fromY = warp.y(p[0], p[1]);
        for (int i = 0; i < last; i++) {
            int before = Math.max(i - 1, 0) * 2;
            int after = Math.min(i + 2, last) * 2;
            for (int s = 1; s <= CURVE_STEPS; s++) {
                float t = s / (float) CURVE_STEPS;
                float x = spline(p[before], p[2 * i], p[2 * i + 2], p[after], t);
                float y = spline(p[before + 1], p[2 * i + 1], p[2 * i + 3], p[after + 1], t);
                float toX = warp.x(x, y);
                float toY = warp.y(x, y);
                canvas.line(fromX, fromY, toX, toY, pen, ink);
                fromX = toX;
                fromY = toY;
            }
        }
    }

    private static float spline(float a, float b, float c, float d, float t) {
        float linear = (c - a) * 0.5f;
        float square = a - 2.5f * b + 2 * c - 0.5f * d;
        float cube = (d - a) * 0.5f + (b - c) * 1.5f;
        return b + t * (linear + t * (square + t * cube));
    }

    /** A smooth random displacement: values on a coarse grid, interpolated bilinearly. */
    private static final class Warp {
        private final float[] dx = new float[GRID * GRID];
        private final float[] dy = new float[GRID * GRID];

        Warp(SplitMix64 random, float most) {
            for (int i = 0; i < dx.length; i++) {
                dx[i] = random.between(-most, most);
                dy[i] = random.between(-most, most);
            }
        }

        float x(float x, float y) {
            return x + at(dx, x, y);
        }

        float y(float x, float y) {
            return y + at(dy, x, y);
        }

        private static float at(float[] grid, float x, float y) {
            float gx = Math.min(Math.max(x * (GRID - 1) / SIZE, 0), GRID - 1.001f);
            float gy = Math.min(Math.max(y * (GRID - 1) / SIZE, 0), GRID - 1.001f);
            int ix = (int) gx;
            int iy = (int) gy;
            float fx = gx - ix;
            float fy = gy - iy;
            int i = iy * GRID + ix;
            float top = grid[i] + fx * (grid[i + 1] - grid[i]);
            float bottom = grid[i + GRID] + fx * (grid[i + GRID + 1] - grid[i + GRID]);
            return top + fy * (bottom - top);
        }
    }

    /** Grey values in 0..1 of one image. */
    private static final class Canvas {
        private final float[] grey = new float[SIZE * SIZE];

        void clear() {
            Arrays.fill(grey, 0f);
        }

        /** A line with round ends; {@code pen} is its radius, its edge is one pixel soft. */
        void line(float x0, float y0, float x1, float y1, float pen, float ink) {
            float reach = pen + 0.5f;
            int left = Math.max(0, (int) (Math.min(x0, x1) - reach));
            int right = Math.min(SIZE - 1, (int) (Math.max(x0, x1) + reach));
            int top = Math.max(0, (int) (Math.min(y0, y1) - reach));
            int bottom = Math.min(SIZE - 1, (int) (Math.max(y0, y1) + reach));
            float vx = x1 - x0;
            float vy = y1 - y0;
            float scale = 1f / Math.max(vx * vx + vy * vy, 1e-6f);
            for (int row = top; row <= bottom; row++) {
                for (int column = left; column <= right; column++) {
                    float px = column + 0.5f - x0;
                    float py = row + 0.5f - y0;
                    float t = Math.min(Math.max((px * vx + py * vy) * scale, 0f), 1f);
                    float ex = px - t * vx;
                    float ey = py - t * vy;
                    // Math.sqrt is correctly rounded everywhere, unlike the other functions of Math.
                    float distance = (float) Math.sqrt(ex * ex + ey * ey);
                    float value = ink * Math.min(reach - distance, 1f);
                    int i = row * SIZE + column;
                    grey[i] = Math.max(grey[i], value);
                }
            }
        }

        /** Sum of four uniform bytes, near enough to a bell curve; one random number serves two pixels. */
        void addNoise(SplitMix64 random, float most) {
            for (int i = 0; i < grey.length; i += 2) {
                long bits = random.nextLong();
                grey[i] += noise((int) bits) * most / 255f;
                grey[i + 1] += noise((int) (bits >>> 32)) * most / 255f;
            }
        }

        private static float noise(int bits) {
            int sum = (bits & 0xff) + (bits >>> 8 & 0xff) + (bits >>> 16 & 0xff) + (bits >>> 24);
            return (sum - 510) / 510f;
        }

        void store(byte[] images, int at) {
            for (int i = 0; i < grey.length; i++) {
                images[at + i] = (byte) (int) (Math.min(Math.max(grey[i], 0f), 1f) * 255f + 0.5f);
            }
        }
    }
}
