package io.github.jcuconv.verify;

import io.github.jcuconv.Dims;
import java.util.SplittableRandom;

/** Which elements of a large output are compared: all corners, both ends of every axis, the last elements, and random ones. */
final class Samples {
    /** How many at least, where there are as many. */
    static final int COUNT = 4096;

    private static final int LAST = 256;

    private Samples() {}

    /** Takes one place. */
    @FunctionalInterface
    interface Place {
        void at(int n, int c, int h, int w);
    }

    static void all(Dims d, Place place) {
        for (int n = 0; n < d.n(); n++) {
            for (int c = 0; c < d.c(); c++) {
                for (int h = 0; h < d.h(); h++) {
                    for (int w = 0; w < d.w(); w++) {
                        place.at(n, c, h, w);
                    }
                }
            }
        }
    }

    static void some(Dims d, long seed, Place place) {
        if (d.count() <= COUNT) {
            all(d, place);
            return;
        }
        for (int corner = 0; corner < 16; corner++) {
            place.at(
                    (corner & 1) * (d.n() - 1),
                    (corner >> 1 & 1) * (d.c() - 1),
                    (corner >> 2 & 1) * (d.h() - 1),
                    (corner >> 3) * (d.w() - 1));
        }
        for (long i = d.count() - LAST; i < d.count(); i++) {
            at(d, i, place);
        }
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < COUNT; i++) {
            int n = random.nextInt(d.n());
            int c = random.nextInt(d.c());
            int h = random.nextInt(d.h());
            int w = random.nextInt(d.w());
            // Every fourth lies on an edge of the image, where padding is.
            switch (i % 16) {
                case 0 -> place.at(n, c, 0, w);
                case 4 -> place.at(n, c, d.h() - 1, w);
                case 8 -> place.at(n, c, h, 0);
                case 12 -> place.at(n, c, h, d.w() - 1);
                default -> place.at(n, c, h, w);
            }
        }
    }

    private static void at(Dims d, long i, Place place) {
        place.at((int) (i / d.perImage()), (int) (i / ((long) d.h() * d.w()) % d.c()), (int) (i / d.w() % d.h()), (int)
                (i % d.w()));
    }
}
