package io.github.jcuconv.report;

import io.github.jcuconv.Dims;
import io.github.jcuconv.data.Dataset;
import io.github.jcuconv.memory.ArenaChart;
import io.github.jcuconv.memory.MemoryPlan;
import io.github.jcuconv.nn.Network;
import io.github.jcuconv.nn.Parameter;
import io.github.jcuconv.nn.Trainer;
import io.github.jcuconv.op.Arg;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Hears how a training goes, and makes one page of it: markup, pictures and charts in a single text that refers to nothing else. */
public final class TrainingReport {
    private static final int MOST_FILTERS = 64;
    private static final int IN_A_ROW = 16;
    private static final int FILTER = 50;
    private static final int GAP = 6;
    private static final String STYLE =
            "body{font-family:sans-serif;max-width:1060px;margin:2em auto;padding:0 1em;color:#222}"
                    + "h2{margin-top:1.6em;border-bottom:1px solid #ddd}table{border-collapse:collapse}"
                    + "td{padding:.15em 1.2em .15em 0;vertical-align:top}td.n{text-align:right}"
                    + "figure{display:inline-block;width:115px;margin:.4em .7em .4em 0;font-size:80%}img{image-rendering:pixelated}"
                    + ".two{display:flex;flex-wrap:wrap;gap:1em}.wide{overflow-x:auto}svg{font-family:sans-serif}";

    private final Dataset data;
    private final Curve loss = new Curve(0);
    private final Curve accuracy = new Curve(100);
    private final StringBuilder body = new StringBuilder();

    /** A report of a training on these data. */
    public TrainingReport(Dataset data) {
        this.data = data;
    }

    /** The loss of a step, that many epochs after the beginning. */
    public void loss(double epochs, double value) {
        loss.add(epochs, value);
    }

    /** The share of the test images that were right after an epoch, counted from 1. */
    public void accuracy(int epoch, double share) {
        accuracy.add(epoch, 100 * share);
    }

    /** Looks at the trained network, which is still there. */
    public void finish(Network network, Trainer trainer, int batch) {
        if (!loss.isEmpty()) {
            body.append("<div class=\"two\"><div><h2>Loss while training</h2>\n")
                    .append(loss.svg("#4e79a7"))
                    .append("</div><div><h2>Test images that are right, %</h2>\n")
                    .append(accuracy.svg("#59a14f"))
                    .append("</div></div>\n");
        }
        Confusion confusion = new Confusion(data, trainer::infer, batch);
        section(
                "Confusion",
                confusion.mistakes() + " of " + data.test().count() + " test images are taken for another class.",
                confusion.matrix());
        section(
                "Worst mistakes",
                confusion.mistakes() == 0 ? "There is none." : "Those that the network was surest of.",
                confusion.worst());
        filters(network, trainer.parameters());
        memory(trainer.memory());
    }

    private void section(String title, String words, String content) {
        body.append("<h2>").append(Svg.escaped(title)).append("</h2>\n<p>").append(Svg.escaped(words));
        body.append("</p>\n<div class=\"wide\">\n").append(content).append("</div>\n");
    }

    private void filters(Network network, Map<String, float[]> values) {
        Optional<Parameter> first = network.parameters().stream()
                .filter(p -> p.arg() == Arg.W && p.dims().h() * p.dims().w() > 1)
                .findFirst();
        if (first.isEmpty()) {
            return;
        }
        Dims d = first.get().dims();
        float[] w = values.getOrDefault(first.get().name(), new float[0]);
        int shown = Math.min(MOST_FILTERS, d.n());
        int scale = Math.max(1, FILTER / d.w());
        int column = d.w() * scale + GAP;
        int row = d.h() * scale + GAP;
        Svg svg = new Svg(IN_A_ROW * column, (shown + IN_A_ROW - 1) / IN_A_ROW * row);
        for (int k = 0; k < shown; k++) {
            svg.add("%s", Picture.svg(filter(w, d, k), d.w(), k % IN_A_ROW * column, k / IN_A_ROW * row, scale));
        }
        section(
                "Filters of " + first.get().layer(),
                (shown < d.n() ? "The first " + shown + " of " : "All ") + d.n() + " filters of " + d.h() + "x" + d.w()
                        + (d.c() == 3
                                ? ", their three channels as red, green and blue."
                                : ": red is above 0, blue below"
                                        + (d.c() == 1 ? "." : ", of the first of " + d.c() + " maps.")),
                svg.done());
    }

    /** One filter, its largest number as strong a colour as there is. */
    private static int[] filter(float[] w, Dims d, int k) {
        int size = d.h() * d.w();
        int from = k * d.c() * size;
        int channels = d.c() == 3 ? 3 : 1;
        float most = Float.MIN_NORMAL;
        for (int i = 0; i < channels * size; i++) {
            most = Math.max(most, Math.abs(w[from + i]));
        }
        int[] rgb = new int[size];
        for (int p = 0; p < size; p++) {
            if (channels == 3) {
                for (int c = 0; c < channels; c++) {
                    rgb[p] = rgb[p] << 8 | Math.round(127.5f * (1 + w[from + c * size + p] / most));
                }
            } else {
                float value = w[from + p] / most;
                int pale = Math.round(255 * (1 - Math.abs(value)));
                rgb[p] = value > 0 ? 0xff0000 | pale << 8 | pale : pale << 16 | pale << 8 | 0xff;
            }
        }
        return rgb;
    }

    private void memory(MemoryPlan plan) {
        StringBuilder table = new StringBuilder("<table>\n");
        plan.partsAtPeak()
                .forEach((part, bytes) -> table.append(String.format(
                        Locale.ROOT, "<tr><td>%s</td><td class=\"n\">%,d B</td></tr>%n", part.label(), bytes)));
        // Inside of HTML an SVG element needs no namespace; this page names no address, not even that one.
        String chart = ArenaChart.svg("arena", plan).replaceFirst(" xmlns=\"[^\"]*\"", "");
        section(
                "Memory over one step",
                String.format(
                        Locale.ROOT,
                        "%,d B, known before the first of them was allocated. Each tensor is as wide as it lives and as high as it is large.",
                        plan.predictedBytes()),
                chart + "<p>At the peak, " + Svg.escaped(plan.stepName(plan.peakStep())) + ":</p>" + table
                        + "</table>\n");
    }

    /**
     * The page.
     *
     * @param title what it is about
     * @param facts what else is known, by name: settings, machine, results
     */
    public String html(String title, Map<String, String> facts) {
        StringBuilder table = new StringBuilder();
        facts.forEach((name, value) -> table.append("<tr><td>")
                .append(Svg.escaped(name))
                .append("</td><td>")
                .append(Svg.escaped(value))
                .append("</td></tr>\n"));
        return "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/><title>" + Svg.escaped(title)
                + "</title><style>"
                + STYLE + "</style></head>\n<body><h1>" + Svg.escaped(title) + "</h1>\n<table>\n" + table + "</table>\n"
                + body
                + "</body></html>\n";
    }
}
