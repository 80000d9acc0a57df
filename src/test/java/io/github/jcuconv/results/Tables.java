package io.github.jcuconv.results;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Markdown of one run each. */
final class Tables {
    private static final int WORST = 10;
    private static final int IMAGES_OF_AN_EPOCH = 60_000;

    /** A contender of the race on the CPU, by its name in the file, and the MB of jars that its program has on its class path. */
    private record Peer(String contender, String name, double megabytes) {}

    private static final List<Peer> PEERS = List.of(
            new Peer("ours-fp32", "JCuConv fp32", 29.0),
            new Peer("ours-bf16", "JCuConv bf16", 29.0),
            new Peer("djl", "DJL 0.35.1, PyTorch 2.7.1, fp32", 120.4),
            new Peer("dl4j", "DL4J 1.0.0-M2.1, fp32, 110 steps", 152.9),
            new Peer("onednn-loop", "plain oneDNN loop in Java, fp32", 28.0));

    private Tables() {}

    /**
     * How layers of each kind fare beside cuDNN, per pass the faster of its two interfaces, and beside each of these: geometric means of their
     * time over ours.
     */
    static String kinds(Csv.Run run) {
        Map<String, List<Comparison>> best = byKind(Comparison.of(run, Comparison.CUDNN));
        Map<String, List<Comparison>> legacy = byKind(Comparison.of(run, "cudnn"));
        Map<String, List<Comparison>> torch = byKind(Comparison.of(run, "torch"));
        StringBuilder table =
                new StringBuilder("| layers | precision | passes timed | x cuDNN's best | least | x JCudnn | "
                        + "x PyTorch |\n|---|---|---:|---:|---:|---:|---:|\n");
        best.forEach((key, passes) -> table.append("| ")
                .append(key)
                .append(" | ")
                .append(String.join(
                        " | ",
                        "" + passes.size(),
                        mean(passes),
                        ratio(compared(passes)
                                .mapToDouble(Comparison::ratio)
                                .min()
                                .orElse(Double.NaN)),
                        mean(legacy.get(key)),
                        mean(torch.get(key))))
                .append(" |\n"));
        return table.toString();
    }

    /** The passes that are furthest behind cuDNN. */
    static String behind(Csv.Run run) {
        List<Comparison> slower = Comparison.of(run, Comparison.CUDNN).stream()
                .filter(c -> c.isCompared() && c.ratio() < 1)
                .sorted(Comparator.comparingDouble(Comparison::ratio))
                .toList();
        StringBuilder table = new StringBuilder(String.format(
                Locale.ROOT,
                """
                %d passes are slower than cuDNN's best%s

                | pass | precision | x cuDNN's best | which is | TFLOP/s |
                |---|---|---:|---|---:|
                """,
                slower.size(),
                slower.size() > WORST ? "; the " + WORST + " furthest behind:" : ":"));
        slower.stream()
                .limit(WORST)
                .forEach(c -> table.append(String.format(
                        Locale.ROOT,
                        "| %s | %s | %.2f | %s | %.1f |%n",
                        c.label(),
                        c.precision(),
                        c.ratio(),
                        c.rival(),
                        c.gflops() / 1e3)));
        return slower.isEmpty() ? "No pass is slower than cuDNN's.\n" : table.toString();
    }

    /** Training of mnist-cnn, ours and PyTorch's. */
    static String mnist(Csv.Run run) {
        StringBuilder table = new StringBuilder(
                "| | precision | test accuracy | images/s | memory, predicted | measured |\n|---|---|---:|---:|---:|---:|\n");
        for (Map<String, String> row : run.rows()) {
            table.append(String.format(
                    Locale.ROOT,
                    "| %s, %s | %s | %.2f %% | %,d | %s | %s |%n",
                    row.get("library"),
                    row.get("mode"),
                    row.get("precision"),
                    100 * Double.parseDouble(row.get("test_accuracy")),
                    Long.parseLong(row.get("images_per_second")),
                    mebibytes(row.get("predicted_bytes")),
                    mebibytes(row.get("measured_bytes"))));
        }
        return table.toString();
    }

    /** Training of peer-cnn on the CPU: medians of the run's rounds. */
    static String peers(Csv.Run run) {
        Map<String, List<Map<String, String>>> rounds = new LinkedHashMap<>();
        run.rows().forEach(row -> rounds.computeIfAbsent(row.get("contender"), name -> new ArrayList<>())
                .add(row));
        double djl = median(rounds.getOrDefault("djl", List.of()), "images_per_second");
        double loop = median(rounds.getOrDefault("onednn-loop", List.of()), "images_per_second");
        StringBuilder table = new StringBuilder(
                "| | images/s | x DJL | x plain oneDNN loop | epoch | resident | jars |\n|---|---:|---:|---:|---:|---:|---:|\n");
        for (Peer peer : PEERS) {
            List<Map<String, String>> rows = rounds.get(peer.contender);
            double speed = rows == null ? Double.NaN : median(rows, "images_per_second");
            table.append(
                    rows == null
                            ? String.format(
                                    Locale.ROOT, "| %s | not run | | | | | %.0f MB |%n", peer.name, peer.megabytes)
                            : String.format(
                                    Locale.ROOT,
                                    "| %s | %,.0f | %.2f | %.2f | %.0f s | %.0f MB | %.0f MB |%n",
                                    peer.name,
                                    speed,
                                    speed / djl,
                                    speed / loop,
                                    IMAGES_OF_AN_EPOCH / speed,
                                    median(rows, "resident_bytes") / 1e6,
                                    peer.megabytes));
        }
        return table.toString();
    }

    /** The JMH suite. */
    static String jmh(Csv.Run run) {
        StringBuilder table = new StringBuilder("| benchmark | | time | +- (99.9 %) |\n|---|---|---:|---:|\n");
        for (Map<String, String> row : run.rows()) {
            table.append("| ")
                    .append(String.join(
                            " | ",
                            row.get("benchmark"),
                            row.get("parameters"),
                            row.get("score") + " " + row.get("unit").replace("/op", ""),
                            row.get("error_99.9")))
                    .append(" |\n");
        }
        return table.toString();
    }

    /** In the order of {@link Comparison#KINDS}, then fp16, bf16, fp32. */
    private static Map<String, List<Comparison>> byKind(List<Comparison> all) {
        Set<String> precisions = new LinkedHashSet<>(List.of("fp16", "bf16", "fp32"));
        Map<String, List<Comparison>> found = new LinkedHashMap<>();
        for (String kind : Comparison.KINDS) {
            for (String precision : precisions) {
                Predicate<Comparison> wanted =
                        c -> c.kind().equals(kind) && c.precision().equals(precision);
                List<Comparison> some = all.stream().filter(wanted).collect(Collectors.toList());
                if (!some.isEmpty()) {
                    found.put(kind + " | " + precision, some);
                }
            }
        }
        return found;
    }

    private static Stream<Comparison> compared(List<Comparison> some) {
        return some.stream().filter(Comparison::isCompared);
    }

    private static String mean(List<Comparison> some) {
        return ratio(Math.exp(
                compared(some).mapToDouble(c -> Math.log(c.ratio())).average().orElse(Double.NaN)));
    }

    private static String ratio(double value) {
        return Double.isNaN(value) ? "not run" : String.format(Locale.ROOT, "%.2f", value);
    }

    private static double median(List<Map<String, String>> rows, String column) {
        double[] sorted = rows.stream()
                .mapToDouble(row -> Double.parseDouble(row.get(column)))
                .sorted()
                .toArray();
        int middle = sorted.length / 2;
        return sorted.length == 0
                ? Double.NaN
                : sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    private static String mebibytes(String bytes) {
        return bytes.isEmpty()
                ? ""
                : String.format(Locale.ROOT, "%.1f MiB", Long.parseLong(bytes) / (double) (1 << 20));
    }
}
