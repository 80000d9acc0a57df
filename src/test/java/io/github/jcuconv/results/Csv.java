package io.github.jcuconv.results;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** Rows of measurements, as the scripts in benchmarks/ write them: a line of names, then values, none of which holds a comma. */
final class Csv {
    /** Rows that were measured together, in the order of the file: same start, same commit. */
    record Run(String start, String commit, List<Map<String, String>> rows) {
        /** The day it began. */
        String date() {
            return start.substring(0, 10);
        }
    }

    private Csv() {}

    static List<Map<String, String>> read(Path file) {
        List<String> lines;
        try {
            lines = Files.readAllLines(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        String[] names = lines.get(0).split(",", -1);
        List<Map<String, String>> rows = new ArrayList<>();
        for (int i = 1; i < lines.size(); i++) {
            String[] values = lines.get(i).split(",", -1);
            if (values.length != names.length) {
                throw new IllegalArgumentException(
                        file + ":" + (i + 1) + ": " + values.length + " values under " + names.length + " names");
            }
            Map<String, String> row = new LinkedHashMap<>();
            for (int c = 0; c < names.length; c++) {
                row.put(names[c], values[c]);
            }
            rows.add(row);
        }
        return rows;
    }

    /**
     * The newest run among a machine's files that are named {@code DATE + suffix}; never two runs in one, and none of a tree with changes that
     * were not committed, which nobody can run again.
     */
    static Optional<Run> newest(Path machine, String suffix) {
        Map<String, Run> runs = new LinkedHashMap<>();
        for (Path file : files(machine)) {
            if (file.getFileName().toString().matches("\\d{4}-\\d\\d-\\d\\d\\Q" + suffix + "\\E")) {
                for (Map<String, String> row : read(file)) {
                    String start = row.get("run");
                    String commit = row.get("commit");
                    runs.computeIfAbsent(start + " " + commit, key -> new Run(start, commit, new ArrayList<>()))
                            .rows
                            .add(row);
                }
            }
        }
        return runs.values().stream()
                .filter(run -> !run.commit().endsWith("-dirty"))
                .max(Comparator.comparing(Run::start));
    }

    /** What a folder holds, by name; nothing where there is none. */
    static List<Path> files(Path folder) {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> found = Files.list(folder)) {
            return found.sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
