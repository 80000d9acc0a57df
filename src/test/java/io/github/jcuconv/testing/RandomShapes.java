package io.github.jcuconv.testing;

import io.github.jcuconv.DataType;
import io.github.jcuconv.op.ArgSpec;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.verify.Bounds;
import io.github.jcuconv.verify.Descriptors;
import io.github.jcuconv.verify.ShapeLine;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Function;

/**
 * Seeded shapes: awkward on purpose, small enough for the oracle. The same seed gives the same list, and a longer list begins with a shorter one.
 * Sizes lie at, below and above the tiles of kernels and blocked layouts, or are primes.
 */
public final class RandomShapes {
    private static final int[] CHANNELS = {1, 2, 3, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 17, 19, 24, 31, 32, 33, 48, 64};
    private static final int[] MANY_CHANNELS = {47, 63, 64, 65, 96, 127, 128, 129, 191, 257};
    private static final int[] SIZES = {1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 14, 15, 16, 17, 19, 23, 28};
    private static final int[] LONG_ROWS = {29, 31, 32, 33, 61, 63, 64, 65, 127, 128, 129, 131};
    private static final int[] WINDOWS = {1, 1, 2, 3, 3, 3, 4, 5, 7};
    private static final String[] EPILOGUES = {
        "",
        "",
        "",
        "",
        "bias1",
        "bias1",
        "bias1relu1",
        "relu1",
        "bias1residual1relu1",
        "relu1residual1",
        "residual1bias1",
        "bias1tanh1",
        "sigmoid1",
        "scale1bias1relu1",
        "bias1scale1",
        "sigmoid1scale1residual1"
    };
    private static final String[] POOLS = {"ph2pw2", "pw2", "ph2", "ph4", "ph2pw4", "ph4pw4", "ph3pw3"};
    /** Products, or elements of all windows, of one pass: what the oracle's time grows with. */
    private static final long LARGEST = 500_000;

    private static final long LARGEST_TENSOR = 60_000;

    private final SplittableRandom random;

    private RandomShapes(SplittableRandom random) {
        this.random = random;
    }

    /** Convolutions: plain, grouped, depthwise, 1x1, first layers. */
    public static List<ShapeLine> convolutions(long seed, int count) {
        return shapes("conv2d", seed, count, RandomShapes::convolution);
    }

    /** Transposed convolutions. */
    public static List<ShapeLine> transposed(long seed, int count) {
        return shapes("conv-transpose2d", seed, count, RandomShapes::transposed);
    }

    /** Max-pools, one in eight for inference. */
    public static List<ShapeLine> maxPools(long seed, int count) {
        return shapes("max-pool2d", seed, count, r -> r.pool(true));
    }

    /** Average pools. */
    public static List<ShapeLine> averagePools(long seed, int count) {
        return shapes("avg-pool2d", seed, count, r -> r.pool(false));
    }

    /** Local response normalizations, one in eight for inference. */
    public static List<ShapeLine> lrns(long seed, int count) {
        return shapes("lrn", seed, count, RandomShapes::lrn);
    }

    /** Draws until there are enough that the operation accepts and the oracle can check. */
    private static List<ShapeLine> shapes(String op, long seed, int count, Function<RandomShapes, String> draw) {
        RandomShapes shapes = new RandomShapes(new SplittableRandom(seed));
        List<ShapeLine> drawn = new ArrayList<>();
        while (drawn.size() < count) {
            int index = drawn.size();
            String text = draw.apply(shapes) + terms(op, index);
            for (String pool : op.equals("conv2d") && index % 4 == 1 ? List.of(pool(index / 4), "") : List.of("")) {
                ShapeLine line =
                        ShapeLine.parse("seed " + seed, index + 1, text + pool).orElseThrow();
                if (isLegal(op, line)) {
                    drawn.add(line);
                    break;
                }
            }
        }
        return drawn;
    }

    /** A max-pool behind a convolution, where its outputs have room for it and its epilogue keeps their order. */
    private static String pool(int index) {
        return POOLS[index % POOLS.length];
    }

    /** How products of fp32 may be formed: shapes 3 and 4 of every five are for tf32, in one term and in three. */
    private static String terms(String op, int index) {
        return !op.startsWith("conv") || index % 5 < 3 ? "" : index % 5 == 3 ? "terms1" : "terms3";
    }

    private static boolean isLegal(String op, ShapeLine line) {
        try {
            OpDescriptor descriptor = Descriptors.of(op, line, DataType.FP32);
            Pass forward = descriptor.passes().get(0);
            long largest = 0;
            for (ArgSpec spec : descriptor.arguments(forward)) {
                largest = Math.max(largest, spec.dims().count());
            }
            long work = Math.max(descriptor.multiplyAdds(), pixels(descriptor, forward) * largest);
            return largest <= LARGEST_TENSOR && work <= LARGEST;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    private static long pixels(OpDescriptor op, Pass forward) {
        return op.multiplyAdds() > 0 ? 1 : Bounds.terms(op, forward);
    }

    private int pick(int[] values) {
        return values[random.nextInt(values.length)];
    }

    /** Whether to take a way that one in {@code n} shapes takes. */
    private boolean oneIn(int n) {
        return random.nextInt(n) == 0;
    }

    /** Mostly 1, now and then up to {@code most}. */
    private int mostlyOne(int most) {
        return random.nextInt(3) > 0 ? 1 : random.nextInt(1, most + 1);
    }

    private int channels() {
        return oneIn(8) ? pick(MANY_CHANNELS) : pick(CHANNELS);
    }

    /** {@code n2c3h5w7}, square every second time, sometimes a few long rows or columns. */
    private String image(int c) {
        int h = pick(SIZES);
        int w = random.nextBoolean() ? h : pick(SIZES);
        if (oneIn(4)) {
            int few = oneIn(3) ? random.nextInt(2, 4) : 1;
            int many = pick(LONG_ROWS);
            boolean wide = random.nextBoolean();
            h = wide ? few : many;
            w = wide ? many : few;
        }
        int n = oneIn(2) ? 1 : random.nextInt(2, 5);
        return "n" + n + "c" + c + "h" + h + "w" + w;
    }

    /** Window, strides, dilations, and padding of up to one more than the window spans, or as much as SAME would take. */
    private String window(int[] sizes, int mostPadding) {
        int r = pick(sizes);
        int s = random.nextBoolean() ? r : pick(sizes);
        int d = mostlyOne(3);
        int e = random.nextBoolean() ? d : mostlyOne(3);
        int u = mostlyOne(4);
        int v = random.nextBoolean() ? u : mostlyOne(4);
        String[] sides = {"pt", "pb", "pl", "pr"};
        StringBuilder text = new StringBuilder("r" + r + "s" + s + "u" + u + "v" + v + "d" + d + "e" + e);
        for (int i = 0; i < sides.length; i++) {
            int reach = i < 2 ? (r - 1) * d : (s - 1) * e;
            text.append(sides[i]).append(random.nextBoolean() ? reach / 2 : random.nextInt(reach + mostPadding + 1));
        }
        return text.toString();
    }

    /** Channels, groups and filters; one in eight is depthwise, one in sixteen has many groups of few channels. */
    private String weighted(String afterImage) {
        int groups = oneIn(4) ? random.nextInt(1, 6) : 1;
        int c = channels();
        int k = channels();
        if (oneIn(16)) {
            groups = oneIn(3) ? random.nextInt(6, 41) : 8 * random.nextInt(1, 5);
            int perGroup = random.nextInt(2, 9);
            c = groups * perGroup;
            k = groups * (oneIn(2) ? perGroup : random.nextInt(1, 9));
        } else if (oneIn(8)) {
            groups = c;
            k = c * random.nextInt(1, 3);
        } else {
            c *= groups;
            k *= groups;
        }
        return image(c) + "k" + k + window(WINDOWS, 1) + "g" + groups + afterImage;
    }

    private String convolution() {
        return weighted(EPILOGUES[random.nextInt(EPILOGUES.length)]);
    }

    private String transposed() {
        String outputPad = oneIn(3) ? "oh" + random.nextInt(4) + "ow" + random.nextInt(4) : "";
        return weighted(outputPad + EPILOGUES[random.nextInt(EPILOGUES.length)]);
    }

    private String pool(boolean max) {
        int[] sizes = oneIn(10) ? new int[] {16, 17} : WINDOWS;
        StringBuilder text = new StringBuilder(image(channels()));
        String window = window(sizes, 0);
        if (!max) {
            window = window.replaceAll("[de][0-9]+", "");
        }
        text.append(window).append(oneIn(3) ? "ceil1" : "");
        if (!max && random.nextBoolean()) {
            text.append("count1");
        } else if (max && oneIn(8)) {
            text.append("infer1");
        }
        return text.toString();
    }

    private String lrn() {
        int size = 2 * random.nextInt(oneIn(8) ? 9 : 4) + 1;
        int[] alphas = {1, 1000, 5000, 10_000, 20_000};
        int[] betas = {50, 75, 75, 75, 100, 30};
        return image(channels()) + "size" + size + "alpha" + pick(alphas) + "beta" + pick(betas) + "k"
                + random.nextInt(1, 3) + (oneIn(3) ? "paper1" : "") + (oneIn(8) ? "infer1" : "");
    }
}
