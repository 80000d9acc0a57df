package io.github.jcuconv.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.jcuconv.verify.ShapeLine;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The seeded shapes have what shapes go wrong on. */
class RandomShapesTest {
    private static final int COUNT = 1000;
    private static final List<ShapeLine> CONVOLUTIONS = RandomShapes.convolutions(2, COUNT);
    private static final List<ShapeLine> TRANSPOSED = RandomShapes.transposed(2, COUNT);
    private static final List<ShapeLine> MAX_POOLS = RandomShapes.maxPools(2, COUNT);
    private static final List<ShapeLine> AVERAGE_POOLS = RandomShapes.averagePools(2, COUNT);
    private static final List<ShapeLine> LRNS = RandomShapes.lrns(2, COUNT);

    private static int get(ShapeLine line, String key) {
        return line.values().getOrDefault(key, 0);
    }

    /** At least one in a hundred. */
    private static void has(List<ShapeLine> shapes, String what, Predicate<ShapeLine> feature) {
        long count = shapes.stream().filter(feature).count();
        assertTrue(count >= COUNT / 100, what + ": only " + count + " of " + COUNT);
    }

    @Test
    void aSeedGivesOneListAndAShorterOneBeginsIt() {
        List<String> again =
                RandomShapes.convolutions(2, 100).stream().map(ShapeLine::shape).toList();
        assertEquals(
                again,
                CONVOLUTIONS.subList(0, 100).stream().map(ShapeLine::shape).toList());
        Set<String> distinct = CONVOLUTIONS.stream().map(ShapeLine::shape).collect(Collectors.toSet());
        assertTrue(distinct.size() >= COUNT * 99 / 100, distinct.size() + " distinct shapes");
    }

    private static boolean isTile(int rows) {
        return rows == 32 || rows == 64 || rows == 128;
    }

    @Test
    void imagesAreAwkward() {
        for (List<ShapeLine> shapes : List.of(CONVOLUTIONS, TRANSPOSED, MAX_POOLS, AVERAGE_POOLS, LRNS)) {
            for (int c : new int[] {1, 3, 17, 31, 32, 33}) {
                has(shapes, c + " channels", s -> get(s, "c") == c);
            }
            has(shapes, "63 to 65 channels", s -> get(s, "c") >= 63 && get(s, "c") <= 65);
            has(shapes, "127 to 129 channels", s -> get(s, "c") >= 127 && get(s, "c") <= 129);
            has(shapes, "a single pixel", s -> get(s, "h") == 1 && get(s, "w") == 1);
            has(shapes, "wide", s -> get(s, "w") > 8 * get(s, "h"));
            has(shapes, "tall", s -> get(s, "h") > 8 * get(s, "w"));
            has(shapes, "a batch of 1", s -> get(s, "n") == 1);
            has(shapes, "a batch of 3", s -> get(s, "n") == 3);
            for (int beside : new int[] {-1, 0, 1}) {
                has(shapes, "rows beside a tile", s -> isTile(get(s, "n") * get(s, "h") * get(s, "w") + beside));
            }
        }
    }

    @Test
    void windowsAreAwkward() {
        for (List<ShapeLine> shapes : List.of(CONVOLUTIONS, TRANSPOSED, MAX_POOLS, AVERAGE_POOLS)) {
            has(shapes, "unequal strides", s -> get(s, "u") != get(s, "v"));
            has(shapes, "stride 4", s -> get(s, "u") == 4);
            has(shapes, "stride larger than the window", s -> get(s, "u") > get(s, "r"));
            has(shapes, "unequal rows of padding", s -> get(s, "pt") != get(s, "pb"));
            has(shapes, "unequal columns of padding", s -> get(s, "pl") != get(s, "pr"));
            has(shapes, "padding in one direction", s -> get(s, "pt") != get(s, "pl"));
            has(shapes, "a window that is not square", s -> get(s, "r") != get(s, "s"));
            has(shapes, "a window as high as the image", s -> get(s, "r") >= get(s, "h"));
        }
        for (List<ShapeLine> shapes : List.of(CONVOLUTIONS, TRANSPOSED, MAX_POOLS)) {
            has(shapes, "dilation", s -> get(s, "d") > 1);
            has(shapes, "unequal dilations", s -> get(s, "d") != get(s, "e"));
            has(shapes, "dilation and stride", s -> get(s, "d") > 1 && get(s, "u") > 1);
        }
    }

    @Test
    void filtersAreAwkward() {
        for (List<ShapeLine> shapes : List.of(CONVOLUTIONS, TRANSPOSED)) {
            has(shapes, "1x1", s -> get(s, "r") == 1 && get(s, "s") == 1);
            has(shapes, "1x1 with stride", s -> get(s, "r") == 1 && get(s, "s") == 1 && get(s, "u") > 1);
            has(shapes, "groups", s -> get(s, "g") > 1 && get(s, "g") < get(s, "c"));
            has(shapes, "depthwise", s -> get(s, "g") > 1 && get(s, "g") == get(s, "c"));
            has(shapes, "a multiplier", s -> get(s, "g") == get(s, "c") && get(s, "k") == 2 * get(s, "c"));
            has(shapes, "17 filters", s -> get(s, "k") == 17);
            for (String step : List.of("bias", "residual", "relu", "tanh", "sigmoid")) {
                has(shapes, step, s -> get(s, step) == 1);
            }
        }
        has(TRANSPOSED, "output padding", s -> get(s, "oh") > 0);
        has(CONVOLUTIONS, "padding beyond the window", s -> get(s, "pt") > (get(s, "r") - 1) * get(s, "d"));
    }

    @Test
    void poolsAndLrnsHaveTheirOptions() {
        for (List<ShapeLine> pools : List.of(MAX_POOLS, AVERAGE_POOLS)) {
            has(pools, "ceil", s -> get(s, "ceil") == 1);
        }
        has(MAX_POOLS, "over 256 elements", s -> get(s, "r") * get(s, "s") > 256);
        has(MAX_POOLS, "inference", s -> get(s, "infer") == 1);
        has(AVERAGE_POOLS, "counted padding", s -> get(s, "count") == 1 && get(s, "pt") > 0);
        has(LRNS, "undivided alpha", s -> get(s, "paper") == 1);
        has(LRNS, "inference", s -> get(s, "infer") == 1);
        has(LRNS, "size 1", s -> get(s, "size") == 1);
        has(LRNS, "a window of more than the channels", s -> get(s, "size") > get(s, "c"));
        has(LRNS, "beta 0.5", s -> get(s, "beta") == 50);
    }
}
