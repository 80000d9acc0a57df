package io.github.jcuconv.memory;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Draws an arena over the steps of a training as SVG: each tensor a rectangle, as wide as it lives and as high as it is large. */
public final class ArenaChart {
    private static final int WIDTH = 1000;
    private static final int HEIGHT = 560;
    private static final int LEFT = 80;
    private static final int TOP = 40;
    private static final int LEGEND = 190;
    private static final int BOTTOM = 50;
    private static final int ROW = 20;
    private static final int TICKS = 5;
    /** Room that a name of eight letters needs. */
    private static final int NAMED_WIDTH = 60;

    private static final int NAMED_HEIGHT = 12;
    private static final double MOST_GAP = 0.4;
    private static final double MEBI = 1 << 20;

    private static final Map<Part, String> COLOURS = new EnumMap<>(Map.of(
            Part.PARAMETERS, "#4e79a7",
            Part.MASTER_WEIGHTS, "#86a9cf",
            Part.GRADIENTS, "#f28e2b",
            Part.OPTIMIZER_STATE, "#ffbe7d",
            Part.ACTIVATIONS, "#59a14f",
            Part.MASKS, "#8cd17d",
            Part.ACTIVATION_GRADIENTS, "#e15759",
            Part.WORKSPACE, "#b07aa1",
            Part.CONVERSION, "#d4a6c8",
            Part.INPUT, "#9c755f"));

    private final MemoryPlan plan;
    private final StringBuilder svg = new StringBuilder();

    private ArenaChart(MemoryPlan plan) {
        this.plan = plan;
    }

    /** The chart of a plan as the text of an SVG file. */
    public static String svg(String title, MemoryPlan plan) {
        ArenaChart chart = new ArenaChart(plan);
        chart.frame(title);
        plan.slices().forEach(chart::tensor);
        chart.peak();
        chart.legend();
        return chart.svg.append("</svg>\n").toString();
    }

    private double x(int step) {
        return LEFT + (double) (WIDTH - LEFT - LEGEND) * step / plan.steps();
    }

    private double y(long offset) {
        return HEIGHT - BOTTOM - (double) (HEIGHT - TOP - BOTTOM) * offset / plan.arenaBytes();
    }

    private void add(String format, Object... values) {
        svg.append(String.format(Locale.ROOT, format, values)).append('\n');
    }

    private void frame(String title) {
        add(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" font-size=\"11\">",
                WIDTH, HEIGHT);
        add("<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>");
        add(
                "<text x=\"%d\" y=\"22\" font-size=\"14\">%s: %.1f MiB</text>",
                LEFT, escaped(title), plan.predictedBytes() / MEBI);
        for (int i = 0; i <= TICKS; i++) {
            long offset = plan.arenaBytes() / TICKS * i;
            add(
                    "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%4$.1f\" stroke=\"#ddd\"/>",
                    LEFT, WIDTH - LEGEND, y(offset), y(offset));
            add(
                    "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.1f MiB</text>",
                    LEFT - 6, y(offset) + 4, offset / MEBI);
        }
        add(
                "<text x=\"%d\" y=\"%d\">%d steps: forward, backward, update, inference</text>",
                LEFT, HEIGHT - 12, plan.steps());
    }

    private void tensor(MemoryPlan.Slice slice) {
        MemoryPlan.Request r = slice.request();
        double left = x(r.first());
        double width = x(r.last() + 1) - left;
        double top = y(slice.offset() + slice.reserved());
        double height = y(slice.offset()) - top;
        add(
                "<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" fill=\"%s\" stroke=\"white\" stroke-width=\"%.2f\"><title>%s, %s, %,d B, %s to %s</title></rect>",
                left,
                top,
                width,
                height,
                colour(r.part()),
                Math.min(MOST_GAP, height / 8),
                escaped(r.name()),
                r.part().label(),
                r.bytes(),
                escaped(plan.stepName(r.first())),
                escaped(plan.stepName(r.last())));
        if (width > NAMED_WIDTH && height > NAMED_HEIGHT) {
            add(
                    "<text x=\"%.1f\" y=\"%.1f\" fill=\"white\">%s</text>",
                    left + 4, top + height / 2 + 4, escaped(r.name()));
        }
    }

    private void peak() {
        double middle = (x(plan.peakStep()) + x(plan.peakStep() + 1)) / 2;
        add(
                "<line x1=\"%.1f\" x2=\"%1$.1f\" y1=\"%d\" y2=\"%d\" stroke=\"black\" stroke-dasharray=\"4 3\"/>",
                middle, TOP - 6, HEIGHT - BOTTOM + 6);
        add(
                "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">peak at %s</text>",
                middle, HEIGHT - BOTTOM + 20, escaped(plan.stepName(plan.peakStep())));
    }

    private void legend() {
        List<Part> parts = new ArrayList<>(plan.partsInAll().keySet());
        parts.removeIf(part -> plan.slices().stream().noneMatch(s -> s.request().part() == part));
        int row = TOP;
        for (Part part : parts) {
            add(
                    "<rect x=\"%d\" y=\"%d\" width=\"12\" height=\"12\" fill=\"%s\"/>",
                    WIDTH - LEGEND + 20, row, colour(part));
            add("<text x=\"%d\" y=\"%d\">%s</text>", WIDTH - LEGEND + 38, row + 10, part.label());
            row += ROW;
        }
    }

    private static String colour(Part part) {
        return COLOURS.getOrDefault(part, "#bab0ac");
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
