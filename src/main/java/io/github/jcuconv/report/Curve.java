package io.github.jcuconv.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** A quantity over the epochs of a training. */
public final class Curve {
    /** Pixels. */
    public static final int WIDTH = 470;

    /** Pixels. */
    public static final int HEIGHT = 280;

    private static final int LEFT = 50;
    private static final int RIGHT = 15;
    private static final int TOP = 15;
    private static final int BOTTOM = 40;
    private static final int TICKS = 5;
    /** With more points than this, none is marked by a dot. */
    private static final int DOTS = 60;

    private static final double SMALLEST = 1e-3;

    private record Point(double epoch, double value) {}

    private final List<Point> points = new ArrayList<>();
    private final double least;

    /** A quantity whose axis begins at {@code least}, or lower where a value is. */
    public Curve(double least) {
        this.least = least;
    }

    /** Adds a point behind the others; epochs are counted from the beginning of the training. */
    public void add(double epoch, double value) {
        points.add(new Point(epoch, value));
    }

    boolean isEmpty() {
        return points.isEmpty();
    }

    /** The curve as an SVG element. */
    public String svg(String colour) {
        double first = Math.floor(points.get(0).epoch);
        double last = Math.max(Math.ceil(points.get(points.size() - 1).epoch - 1e-9), first + 1);
        double low = points.stream().mapToDouble(Point::value).reduce(least, Math::min);
        double high = points.stream().mapToDouble(Point::value).reduce(low, Math::max);
        double step = step((high - low) / TICKS);
        low = Math.floor(low / step) * step;
        high = Math.max(low + step, Math.ceil(high / step) * step);
        Svg svg = new Svg(WIDTH, HEIGHT);
        for (int i = 0; low + i * step < high + step / 2; i++) {
            double y = y(low + i * step, low, high);
            svg.add("<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%3$.1f\" stroke=\"#ddd\"/>", LEFT, WIDTH - RIGHT, y);
            svg.words(LEFT - 6, y + 4, "end", number(low + i * step, step));
        }
        double stride = Math.max(1, step((last - first) / TICKS));
        for (double e = first; e <= last; e += stride) {
            svg.words(x(e, first, last), HEIGHT - BOTTOM + 18, "middle", number(e, stride));
        }
        svg.words((LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 4, "middle", "epochs");
        double bottom = low;
        double top = high;
        String path = points.stream()
                .map(p -> String.format(Locale.ROOT, "%.1f,%.1f", x(p.epoch, first, last), y(p.value, bottom, top)))
                .collect(Collectors.joining(" "));
        svg.add("<polyline points=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"1.5\"/>", path, colour);
        if (points.size() <= DOTS) {
            for (Point p : points) {
                svg.add(
                        "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"><title>epoch %s: %.4f</title></circle>",
                        x(p.epoch, first, last), y(p.value, low, high), colour, number(p.epoch, 0.1), p.value);
            }
        }
        return svg.done();
    }

    private static double x(double epoch, double first, double last) {
        return LEFT + (WIDTH - LEFT - RIGHT) * (epoch - first) / (last - first);
    }

    private static double y(double value, double low, double high) {
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - low) / (high - low);
    }

    /** The next of 1, 2, 5, 10, 20 ... times a power of ten. */
    private static double step(double atLeast) {
        double power = Math.pow(10, Math.floor(Math.log10(Math.max(atLeast, SMALLEST))));
        for (int factor : new int[] {1, 2, 5}) {
            if (factor * power >= atLeast) {
                return factor * power;
            }
        }
        return 10 * power;
    }

    private static String number(double value, double step) {
        int digits = Math.max(0, (int) -Math.floor(Math.log10(step) + 1e-9));
        return String.format(Locale.ROOT, "%." + digits + "f", value);
    }
}
