package io.github.jcuconv.results;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** Every table and chart of a folder of results: what the READMEs must hold. */
final class Report {
    private static final String NOT_RUN = "not run: ";

    /** Text between a README's markers, by their name. */
    final Map<String, String> parts = new LinkedHashMap<>();
    /** Pictures, by where they lie. */
    final Map<Path, String> charts = new LinkedHashMap<>();

    private final List<Path> machines;
    private final Path results;

    /** Reads {@code results/<machine>/<date>*.csv}. */
    Report(Path results) {
        this.results = results;
        this.machines = Csv.files(results).stream()
                .filter(path -> path.toFile().isDirectory())
                .toList();
        part("gpu-layers", "-shapes.csv", Tables::kinds, "`run-gpu` has met no GPU yet");
        part("gpu-behind", "-shapes.csv", Tables::behind, "`run-gpu` has met no GPU yet");
        part("gpu-mnist", "-mnist.csv", Tables::mnist, "`run-gpu` has met no GPU yet");
        part("cpu-peers", ".csv", Tables::peers, "`peers/run` has written nothing");
        part("cpu-jmh", "-jmh.csv", Tables::jmh, "`jmh/run` has written nothing");
        for (Path machine : machines) {
            Csv.newest(machine, "-shapes.csv").ifPresent(run -> {
                charts.put(machine.resolve("roofline.svg"), Charts.roofline(run));
                charts.put(machine.resolve("ratios.svg"), Charts.ratios(run));
            });
        }
        StringBuilder pictures = new StringBuilder();
        for (Path picture : charts.keySet()) {
            String link = "results/" + results.relativize(picture);
            pictures.append("![")
                    .append(picture.getFileName())
                    .append("](")
                    .append(link)
                    .append(")\n");
        }
        parts.put("gpu-charts", pictures.isEmpty() ? NOT_RUN + "no GPU, no charts\n" : pictures.toString());
    }

    /** A table per machine that has such a run, under the line that says which. */
    private void part(String name, String suffix, Function<Csv.Run, String> table, String otherwise) {
        List<String> tables = new ArrayList<>();
        for (Path machine : machines) {
            Optional<Csv.Run> run = Csv.newest(machine, suffix);
            run.ifPresent(r -> tables.add(title(machine, r) + ":\n\n" + table.apply(r)));
        }
        parts.put(name, tables.isEmpty() ? NOT_RUN + otherwise + "\n" : String.join("\n", tables));
    }

    private String title(Path machine, Csv.Run run) {
        Map<String, String> row = run.rows().get(0);
        StringBuilder title =
                new StringBuilder("`" + results.relativize(machine) + "`, " + run.date() + ", commit " + run.commit());
        for (String fact : List.of("driver", "jdk")) {
            if (!row.getOrDefault(fact, "").isEmpty()) {
                title.append(", ").append(fact).append(' ').append(row.get(fact));
            }
        }
        return title.toString();
    }
}
