package io.github.jcuconv.op;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.jcuconv.Dims;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class WindowTest {
    private static final int TRIES = 20_000;
    private final SplittableRandom random = new SplittableRandom(4);

    private int up(int most) {
        return random.nextInt(1, most + 1);
    }

    private Window window() {
        return new Window(
                up(5), up(5), up(4), up(4), up(3), up(3), new Padding(up(4) - 1, up(4) - 1, up(4) - 1, up(4) - 1));
    }

    /** Counts the windows that lie inside the padded axis by sliding one along. */
    private static int slide(int size, int before, int after, int window, int dilation, int stride) {
        int count = 0;
        for (int start = -before; start + (window - 1) * dilation < size + after; start += stride) {
            count++;
        }
        return count;
    }

    /** Ceil mode: windows may stick out at the end, but must start before the padding there. */
    private static int slideCeil(int size, int before, int after, int window, int dilation, int stride) {
        int start = -before;
        int count = 1;
        while (start + (window - 1) * dilation < size + after - 1) {
            start += stride;
            if (start >= size) {
                break;
            }
            count++;
        }
        return count;
    }

    @Test
    void floorSizesCountTheWindowsThatFit() {
        for (int i = 0; i < TRIES; i++) {
            Window f = window();
            Padding p = f.padding();
            int h = up(12);
            int w = up(12);
            int rows = slide(h, p.top(), p.bottom(), f.r(), f.dilationH(), f.strideH());
            int columns = slide(w, p.left(), p.right(), f.s(), f.dilationW(), f.strideW());
            assertEquals(rows, Math.max(0, f.outputHeight(h)), f + " over " + h);
            assertEquals(columns, Math.max(0, f.outputWidth(w)), f + " over " + w);
        }
    }

    @Test
    void ceilSizesDropWindowsThatStartInPadding() {
        for (int i = 0; i < TRIES; i++) {
            Window f = window();
            Padding p = f.padding();
            int h = up(12);
            if (f.outputHeight(h) < 1 || p.bottom() >= f.spanH()) {
                continue;
            }
            int rows = slideCeil(h, p.top(), p.bottom(), f.r(), f.dilationH(), f.strideH());
            assertEquals(rows, f.ceilHeight(h), f + " over " + h);
        }
    }

    @Test
    void samePaddingGivesCeilOfInputOverStrideWithTheOddPixelAtTheEnd() {
        for (int i = 0; i < TRIES; i++) {
            Window f = window();
            int h = up(30);
            int w = up(30);
            Window same = f.same(h, w);
            Padding p = same.padding();
            int missing = p.bottom() - p.top();
            assertTrue(missing == 0 || missing == 1, same.toString());
            assertTrue(p.right() - p.left() == 0 || p.right() - p.left() == 1, same.toString());
            assertEquals((h + f.strideH() - 1) / f.strideH(), same.outputHeight(h), same + " over " + h);
            assertEquals((w + f.strideW() - 1) / f.strideW(), same.outputWidth(w), same + " over " + w);
        }
    }

    @Test
    void transposedOutputIsTheInputOfTheConvolutionItUndoes() {
        for (int i = 0; i < TRIES; i++) {
            Window f = window();
            Dims big = new Dims(1, 1, up(14), up(14));
            if (f.outputHeight(big.h()) < 1 || f.outputWidth(big.w()) < 1) {
                continue;
            }
            Dims small = Conv2d.of(big, 1, f).y();
            int restH = (big.h() + f.padding().top() + f.padding().bottom() - f.spanH()) % f.strideH();
            int restW = (big.w() + f.padding().left() + f.padding().right() - f.spanW()) % f.strideW();
            assertEquals(
                    big,
                    new ConvTranspose2d(small, 1, f, restH, restW, 1, Types.FP32, Epilogue.NONE).y(),
                    f + " " + big);
        }
    }

    @Test
    void everyPoolWindowSeesAPixelOrIsRefused() {
        int refused = 0;
        for (int i = 0; i < TRIES; i++) {
            Window f = window();
            Dims x = new Dims(1, 1, up(5), up(5));
            MaxPool2d op;
            try {
                op = MaxPool2d.of(x, f).ceil(random.nextBoolean());
            } catch (IllegalArgumentException e) {
                assertTrue(String.valueOf(e.getMessage()).startsWith("max-pool2d"), e.getMessage());
                refused++;
                continue;
            }
            for (int p = 0; p < op.y().h(); p++) {
                assertTrue(sees(p * f.strideH() - f.padding().top(), f.r(), f.dilationH(), x.h()), f + " over " + x);
            }
            for (int q = 0; q < op.y().w(); q++) {
                assertTrue(sees(q * f.strideW() - f.padding().left(), f.s(), f.dilationW(), x.w()), f + " over " + x);
            }
        }
        assertTrue(TRIES - refused > 1000, "hardly anything left: " + (TRIES - refused));
    }

    private static boolean sees(int start, int window, int dilation, int size) {
        for (int r = 0; r < window; r++) {
            int at = start + r * dilation;
            if (at >= 0 && at < size) {
                return true;
            }
        }
        return false;
    }

    @Test
    void badNumbersAreRefusedByName() {
        assertTrue(text(() -> new Dims(0, 1, 1, 1)).contains("every dimension must be at least 1"));
        assertTrue(text(() -> Window.of(0, 1)).contains("window 0x1"));
        assertTrue(text(() -> Window.of(1, 1).stride(0, 1)).contains("stride 0x1"));
        assertTrue(text(() -> Padding.of(-1)).contains("padding -1"));
        assertTrue(
                text(() -> Conv2d.of(new Dims(1, 3, 4, 4), 4, Window.of(3, 3)).groups(2))
                        .contains("groups 2"));
        assertTrue(
                text(() -> Conv2d.of(new Dims(1, 3, 4, 4), 4, Window.of(5, 3))).contains("5x3"));
        assertTrue(text(() -> Dense.of(new Dims(1, 3, 4, 4), 0)).contains("k is 0"));
        assertTrue(text(() -> Dropout.of(new Dims(1, 3, 4, 4), 1, 0)).contains("rate is 1"));
        assertTrue(text(() -> Concat.of(new Dims(1, 3, 4, 4), 4, 2)).contains("channels 2..5"));
    }

    private static String text(org.junit.jupiter.api.function.Executable executable) {
        return String.valueOf(
                assertThrows(IllegalArgumentException.class, executable).getMessage());
    }
}
