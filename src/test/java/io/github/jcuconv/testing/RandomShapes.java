package io.github.jcuconv.testing;

import io.github.jcuconv.verify.ShapeLine;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Seeded convolution shapes: awkward on purpose, small enough for the oracle. */
public final class RandomShapes {
    private static final int[] CHANNELS = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 19, 24, 31, 32, 33, 48, 64};
    private static final int[] SIZES = {1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 14, 15, 16, 17, 19, 23, 28};
    private static final int[] WINDOWS = {1, 1, 2, 3, 3, 3, 4, 5, 7};
    private static final long LARGEST = 1_000_000;

    private RandomShapes() {}

    /** {@code count} shapes; the same seed gives the same list, and a longer list begins with a shorter one. */
    public static List<ShapeLine> convolutions(long seed, int count) {
        SplittableRandom random = new SplittableRandom(seed);
        List<ShapeLine> shapes = new ArrayList<>();
        while (shapes.size() < count) {
            String shape = shape(random);
            if (!shape.isEmpty()) {
                ShapeLine.parse("seed " + seed, shapes.size() + 1, shape).ifPresent(shapes::add);
            }
        }
        return shapes;
    }

    private static int pick(SplittableRandom random, int[] values) {
        return values[random.nextInt(values.length)];
    }

    /** Mostly 1, now and then up to {@code most}. */
    private static int mostlyOne(SplittableRandom random, int most) {
        return random.nextInt(3) > 0 ? 1 : random.nextInt(1, most + 1);
    }

    private static String shape(SplittableRandom random) {
        int groups = mostlyOne(random, 5);
        int c = pick(random, CHANNELS);
        int k = pick(random, CHANNELS);
        if (random.nextInt(8) == 0) {
            groups = c;
            k = c * random.nextInt(1, 3);
        } else {
            c *= groups;
            k *= groups;
        }
        int n = random.nextInt(1, 5);
        int h = pick(random, SIZES);
        int w = random.nextBoolean() ? h : pick(random, SIZES);
        int r = pick(random, WINDOWS);
        int s = random.nextBoolean() ? r : pick(random, WINDOWS);
        int d = mostlyOne(random, 3);
        int e = mostlyOne(random, 3);
        int u = mostlyOne(random, 4);
        int v = random.nextBoolean() ? u : mostlyOne(random, 4);
        int[] pad = new int[4];
        for (int i = 0; i < 4; i++) {
            int span = i < 2 ? (r - 1) * d : (s - 1) * e;
            pad[i] = random.nextBoolean() ? span / 2 : random.nextInt(span + 2);
        }
        int p = Math.floorDiv(h + pad[0] + pad[1] - (r - 1) * d - 1, u) + 1;
        int q = Math.floorDiv(w + pad[2] + pad[3] - (s - 1) * e - 1, v) + 1;
        if (p < 1 || q < 1 || (long) n * k * p * q * (c / groups) * r * s > LARGEST) {
            return "";
        }
        String epilogue =
                switch (random.nextInt(4)) {
                    case 0 -> "bias1";
                    case 1 -> "bias1relu1";
                    default -> "";
                };
        return "n" + n + "c" + c + "h" + h + "w" + w + "k" + k + "r" + r + "s" + s + "u" + u + "v" + v + "pt" + pad[0]
                + "pb" + pad[1] + "pl" + pad[2] + "pr" + pad[3] + "d" + d + "e" + e + "g" + groups + epilogue;
    }
}
