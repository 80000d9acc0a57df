package io.github.jcuconv.report;

import io.github.jcuconv.data.Batches;
import io.github.jcuconv.data.Dataset;
import io.github.jcuconv.data.Split;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.UnaryOperator;

/** What a trained network takes the test images for: every class against every other, and the mistakes it was surest of. */
final class Confusion {
    private static final int WORST = 24;
    private static final int CELL = 40;
    private static final int MARGIN = 60;
    /** With more classes, cells have a colour and no number. */
    private static final int NUMBERED = 20;

    private static final int PICTURE = 84;

    /** Letters of a class's name that fit beside a cell. */
    private static final int BRIEF = 5;

    /** An image taken for something else; {@code sure} is the probability given to that. */
    private record Mistake(int image, int label, int found, double sure) {}

    private final Split test;
    private final int classes;
    private final List<String> labels;
    /** The labels as markup. */
    private final List<String> names;

    private final int[][] counts;
    private final List<Mistake> mistakes = new ArrayList<>();

    /** Runs the test images through a network. */
    Confusion(Dataset data, UnaryOperator<float[]> infer, int batch) {
        this.test = data.test();
        this.classes = data.classes();
        this.labels = data.labels();
        this.names = data.labels().stream().map(Svg::escaped).toList();
        this.counts = new int[classes][classes];
        Batches batches = Batches.inOrder(data, batch);
        float[] x = new float[batches.batchElements()];
        int[] labels = new int[batch];
        for (int first = 0; batches.hasNext(); first += batch) {
            int real = batches.next(FloatBuffer.wrap(x), IntBuffer.wrap(labels));
            float[] scores = infer.apply(x);
            for (int i = 0; i < real; i++) {
                count(first + i, labels[i], scores, i * classes);
            }
        }
        mistakes.sort(Comparator.comparingDouble(Mistake::sure).reversed().thenComparingInt(Mistake::image));
    }

    private void count(int image, int label, float[] scores, int from) {
        int found = 0;
        for (int c = 1; c < classes; c++) {
            found = scores[from + c] > scores[from + found] ? c : found;
        }
        counts[label][found]++;
        if (found != label) {
            double sum = 0;
            for (int c = 0; c < classes; c++) {
                sum += Math.exp(scores[from + c] - scores[from + found]);
            }
            mistakes.add(new Mistake(image, label, found, 1 / sum));
        }
    }

    int mistakes() {
        return mistakes.size();
    }

    /** A row for each class, a column for what it was taken for; the redder, the larger a part of its row. */
    String matrix() {
        int cell = classes <= NUMBERED ? CELL : Math.max(3, NUMBERED * CELL / classes);
        Svg svg = new Svg(MARGIN + classes * cell + 10, MARGIN + classes * cell + 10);
        svg.words(MARGIN, 16, "start", "taken for").words(4, MARGIN - 8, "start", "is");
        for (int r = 0; r < classes; r++) {
            int row = 0;
            for (int n : counts[r]) {
                row += n;
            }
            if (classes <= NUMBERED) {
                svg.words(MARGIN - 10, MARGIN + r * cell + cell / 2 + 4, "end", brief(r));
                svg.words(MARGIN + r * cell + cell / 2, MARGIN - 8, "middle", brief(r));
            }
            for (int c = 0; c < classes; c++) {
                double part = row == 0 ? 0 : (double) counts[r][c] / row;
                // Mistakes are rare: the root keeps them in sight.
                double strength = Math.sqrt(part);
                svg.add(
                        "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%3$d\" fill=\"%s\" fill-opacity=\"%.3f\" stroke=\"#eee\">"
                                + "<title>%s taken for %s: %d of %d</title></rect>",
                        MARGIN + c * cell,
                        MARGIN + r * cell,
                        cell,
                        r == c ? "#59a14f" : "#e15759",
                        r == c ? 0.6 * strength : strength,
                        names.get(r),
                        names.get(c),
                        counts[r][c],
                        row);
                if (classes <= NUMBERED && counts[r][c] > 0) {
                    svg.words(
                            MARGIN + c * cell + cell / 2,
                            MARGIN + r * cell + cell / 2 + 4,
                            "middle",
                            String.valueOf(counts[r][c]));
                }
            }
        }
        return svg.done();
    }

    /** A name that fits beside a cell. */
    private String brief(int label) {
        String name = labels.get(label);
        return name.length() <= BRIEF ? name : name.substring(0, BRIEF - 1) + ".";
    }

    /** The mistakes that the network was surest of, as figures. */
    String worst() {
        StringBuilder html = new StringBuilder();
        for (Mistake m : mistakes.subList(0, Math.min(WORST, mistakes.size()))) {
            int scale = Math.max(1, PICTURE / test.width());
            int width = scale * test.width();
            int height = scale * test.height();
            html.append(String.format(
                    Locale.ROOT,
                    "<figure><img src=\"%s\" width=\"%d\" height=\"%d\" alt=\"test image %d\"/>"
                            + "<figcaption>%s, taken for %s<br/>%.1f %%<br/>image %4$d</figcaption></figure>%n",
                    Picture.uri(rgb(m.image), test.width()),
                    width,
                    height,
                    m.image,
                    names.get(m.label),
                    names.get(m.found),
                    100 * m.sure));
        }
        return html.toString();
    }

    private int[] rgb(int image) {
        ByteBuffer pixels = test.image(image);
        int size = test.height() * test.width();
        int[] rgb = new int[size];
        for (int p = 0; p < size; p++) {
            for (int c = 0; c < 3; c++) {
                rgb[p] = rgb[p] << 8 | pixels.get(test.channels() == 3 ? c * size + p : p) & 0xff;
            }
        }
        return rgb;
    }
}
