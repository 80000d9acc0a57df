package io.github.jcuconv.results;

import java.util.List;
import java.util.Locale;
import java.util.Map;

/** SVG pictures of one run of layers: where each pass stands under the machine's roof, and beside cuDNN. */
final class Charts {
    private static final int WIDTH = 860;
    private static final int LEFT = 165;
    private static final int RIGHT = 20;
    private static final int TOP = 60;
    private static final Map<String, String> COLORS = Map.of("fp16", "#1f77b4", "bf16", "#e6842a", "fp32", "#4d4d4d");
    private static final List<String> PRECISIONS = List.of("fp16", "bf16", "fp32");

    /** What a GPU can do at most, from NVIDIA's data sheets: TB/s, and dense TFLOP/s of tensor cores in 16 bits and of fp32 cores. */
    private record Roof(String gpu, double terabytes, double half, double single) {}

    private static final List<Roof> ROOFS =
            List.of(new Roof("H200", 4.8, 989.4, 66.9), new Roof("H100", 3.35, 989.4, 66.9));

    private final StringBuilder svg = new StringBuilder();

    private Charts(int height, String title, String below) {
        add(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#333\">",
                WIDTH, height);
        add("<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>", WIDTH, height);
        add("<text x=\"16\" y=\"24\" font-size=\"16\">%s</text>", escaped(title));
        add("<text x=\"16\" y=\"42\" fill=\"#666\">%s</text>", escaped(below));
        for (int i = 0; i < PRECISIONS.size(); i++) {
            int x = WIDTH - 190 + 60 * i;
            dot(x, 20, PRECISIONS.get(i), "");
            add("<text x=\"%d\" y=\"24\">%s</text>", x + 8, PRECISIONS.get(i));
        }
    }

    /** A row per kind of layers, a dot per pass; to the right of 1 ours is faster. */
    static String ratios(Csv.Run run) {
        List<Comparison> all = Comparison.of(run, Comparison.CUDNN).stream()
                .filter(Comparison::isCompared)
                .toList();
        List<String> kinds = Comparison.KINDS.stream()
                .filter(kind -> all.stream().anyMatch(c -> c.kind().equals(kind)))
                .toList();
        int step = 45;
        int bottom = TOP + step * kinds.size() + 10;
        Axis x = Axis.around(all.stream().mapToDouble(Comparison::ratio).toArray(), 0.5, 2, LEFT, WIDTH - RIGHT);
        Charts chart = new Charts(
                bottom + 45,
                "Time of cuDNN's best over ours",
                "to the right of 1 ours is faster; a dot is a pass of a layer; " + origin(run));
        for (double tick : x.ticks(2)) {
            chart.vertical(x.at(tick), TOP, bottom, tick == 1 ? "#333" : "#ddd", plain(tick));
        }
        for (int row = 0; row < kinds.size(); row++) {
            double y = TOP + step * (row + 0.5);
            chart.add("<text x=\"%d\" y=\"%.0f\" text-anchor=\"end\">%s</text>", LEFT - 12, y + 4, kinds.get(row));
            for (Comparison c : all) {
                if (c.kind().equals(kinds.get(row))) {
                    double lane = y + 12 * (PRECISIONS.indexOf(c.precision()) - 1);
                    chart.dot(
                            x.at(c.ratio()),
                            lane,
                            c.precision(),
                            c.label() + ", " + c.precision() + ": " + plain(c.ratio()));
                }
            }
        }
        return chart.done();
    }

    /** A dot per pass: floating-point operations for each byte of its tensors, against what it reaches. */
    static String roofline(Csv.Run run) {
        List<Comparison> all = Comparison.of(run, Comparison.CUDNN).stream()
                .filter(c -> c.gflops() > 0)
                .toList();
        int bottom = TOP + 420;
        Axis x = Axis.around(
                all.stream().mapToDouble(c -> c.gflops() / c.gigabytes()).toArray(), 1, 100, 60, WIDTH - RIGHT);
        String gpu = run.rows().get(0).getOrDefault("gpu", "");
        Roof roof = ROOFS.stream().filter(r -> gpu.contains(r.gpu)).findFirst().orElse(null);
        double most = roof == null ? 1 : roof.half;
        Axis y = Axis.around(
                all.stream().mapToDouble(c -> c.gflops() / 1e3).toArray(), Math.min(most, 1), most, bottom, TOP);
        Charts chart = new Charts(bottom + 50, "What each pass reaches", origin(run));
        for (double tick : x.ticks(10)) {
            chart.vertical(x.at(tick), TOP, bottom, "#ddd", plain(tick));
        }
        for (double tick : y.ticks(10)) {
            chart.add("<path d=\"M60 %.1fH%d\" stroke=\"#ddd\"/>", y.at(tick), WIDTH - RIGHT);
            chart.add("<text x=\"54\" y=\"%.1f\" text-anchor=\"end\">%s</text>", y.at(tick) + 4, plain(tick));
        }
        if (roof != null) {
            chart.roof(x, y, roof.terabytes, roof.half, "tensor cores, 16 bits");
            chart.roof(x, y, roof.terabytes, roof.single, "fp32");
        }
        for (Comparison c : all) {
            chart.dot(
                    x.at(c.gflops() / c.gigabytes()),
                    y.at(c.gflops() / 1e3),
                    c.precision(),
                    c.label() + ", " + c.precision());
        }
        chart.add(
                "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">operations per byte of its tensors</text>",
                WIDTH / 2, bottom + 36);
        chart.add("<text x=\"66\" y=\"%d\">TFLOP/s</text>", TOP + 12);
        return chart.done();
    }

    /** The slope that memory sets, up to what arithmetic allows. */
    private void roof(Axis x, Axis y, double terabytes, double teraflops, String name) {
        double corner = Math.max(x.low, teraflops / terabytes);
        double start = Math.max(x.low, y.low / terabytes);
        add(
                "<path d=\"M%.1f %.1fL%.1f %.1fH%.1f\" fill=\"none\" stroke=\"#999\" stroke-dasharray=\"5 3\"/>",
                x.at(start), y.at(Math.min(teraflops, start * terabytes)), x.at(corner), y.at(teraflops), x.at(x.high));
        add(
                "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\" fill=\"#666\">%s: %s</text>",
                x.at(x.high), y.at(teraflops) - 5, name, plain(teraflops));
    }

    private void vertical(double x, int top, int bottom, String color, String label) {
        add("<path d=\"M%.1f %dV%d\" stroke=\"%s\"/>", x, top, bottom, color);
        add("<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>", x, bottom + 16, label);
    }

    private void dot(double x, double y, String precision, String title) {
        add(
                "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" fill=\"%s\" fill-opacity=\"0.65\">%s</circle>",
                x, y, COLORS.get(precision), title.isEmpty() ? "" : "<title>" + escaped(title) + "</title>");
    }

    private void add(String format, Object... values) {
        svg.append(String.format(Locale.ROOT, format, values)).append('\n');
    }

    private String done() {
        return svg + "</svg>\n";
    }

    private static String origin(Csv.Run run) {
        return run.rows().get(0).getOrDefault("gpu", "") + ", " + run.date() + ", commit " + run.commit();
    }

    private static String plain(double value) {
        return value >= 10
                ? String.format(Locale.ROOT, "%,.0f", value)
                : String.format(Locale.ROOT, "%.2g", value).replaceAll("\\.?0+$", "");
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }

    /** A logarithmic axis from {@code low} at {@code from} to {@code high} at {@code to}. */
    private record Axis(double low, double high, double from, double to) {
        /** Wide enough for these values and, at least, from {@code low} to {@code high}. */
        static Axis around(double[] values, double low, double high, double from, double to) {
            double least = low;
            double most = high;
            for (double value : values) {
                least = Math.min(least, value / 1.2);
                most = Math.max(most, value * 1.2);
            }
            return new Axis(least, most, from, to);
        }

        double at(double value) {
            return from + (to - from) * Math.log(value / low) / Math.log(high / low);
        }

        /** Powers of {@code base} on the axis. */
        double[] ticks(int base) {
            int first = (int) Math.ceil(Math.log(low) / Math.log(base) - 1e-9);
            int last = (int) Math.floor(Math.log(high) / Math.log(base) + 1e-9);
            double[] ticks = new double[Math.max(0, last - first + 1)];
            for (int i = 0; i < ticks.length; i++) {
                ticks[i] = Math.pow(base, first + i);
            }
            return ticks;
        }
    }
}
