package io.github.jcuconv.examples;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What an example found: tables of numbers, and one sentence that reads them. */
public final class Finding {
    /**
     * A table.
     *
     * @param columns headings; the first one is of the rows' names
     * @param rows a name and numbers, as {@link Number}s or text
     */
    public record Table(List<String> columns, List<List<Object>> rows) {
        /** The number in a row and a column, by their names. */
        public double number(String row, String column) {
            int at = columns.indexOf(column);
            return rows.stream()
                    .filter(r -> r.get(0).equals(row))
                    .map(r -> ((Number) r.get(at)).doubleValue())
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException("no row " + row + " in " + rows));
        }
    }

    private final List<Table> tables = new ArrayList<>();
    private String answer = "";
    private @Nullable String chart;

    /** Adds an empty table. */
    Finding table(String... columns) {
        tables.add(new Table(List.of(columns), new ArrayList<>()));
        return this;
    }

    /** Adds a row to the last table. */
    Finding row(Object... cells) {
        tables.get(tables.size() - 1).rows().add(List.of(cells));
        return this;
    }

    /** Sets the sentence. */
    Finding answer(String format, Object... values) {
        answer = String.format(Locale.ROOT, format, values);
        return this;
    }

    /** Sets the chart, the text of an SVG file. */
    Finding chart(String svg) {
        chart = svg;
        return this;
    }

    /** The tables. */
    public List<Table> tables() {
        return List.copyOf(tables);
    }

    /** The sentence. */
    public String answer() {
        return answer;
    }

    /** The chart as the text of an SVG file, if it drew one. */
    public Optional<String> chart() {
        return Optional.ofNullable(chart);
    }
}
