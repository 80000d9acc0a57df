package io.github.jcuconv.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Numbers and aligned tables for people. */
final class Text {
    private Text() {}

    static String format(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }

    /** MiB with one decimal; below that the exact bytes. */
    static String bytes(long bytes) {
        return bytes >= 1 << 16 || bytes <= -(1 << 16)
                ? format("%,.1f MiB", bytes / 1048576.0)
                : format("%,d B", bytes);
    }

    /** Two decimals: one image of 10,000 is 0.01 %. */
    static String percent(double share) {
        return format("%.2f %%", 100 * share);
    }

    /** Minutes and seconds. */
    static String clock(double seconds) {
        long whole = Math.round(seconds);
        return format("%d:%02d", whole / 60, whole % 60);
    }

    /** A size as {@code 8GiB}, {@code 512MiB}, {@code 1000000} or {@code 1.5g}. */
    static long parseBytes(String option, String text) {
        String lower = text.toLowerCase(Locale.ROOT);
        String unit = lower.replaceFirst("^[0-9.]+\\s*", "");
        int shift =
                switch (unit) {
                    case "", "b" -> 0;
                    case "k", "kib" -> 10;
                    case "m", "mib" -> 20;
                    case "g", "gib" -> 30;
                    default -> -1;
                };
        String digits = lower.substring(0, lower.length() - unit.length()).strip();
        if (shift < 0 || !digits.matches("[0-9]{1,12}(\\.[0-9]{1,3})?")) {
            throw new IllegalArgumentException(
                    option + " " + text + ": a size such as 8GiB, 512MiB or 1000000 is needed");
        }
        return (long) (Double.parseDouble(digits) * (1L << shift));
    }

    /** Rows of cells; the first columns are words, the others numbers, which stand right. */
    static final class Table {
        private final List<String[]> rows = new ArrayList<>();
        private final int words;

        Table(int words, String... header) {
            this.words = words;
            rows.add(header);
        }

        Table row(String... cells) {
            rows.add(cells);
            return this;
        }

        /** A line above what follows. */
        Table rule() {
            rows.add(new String[0]);
            return this;
        }

        List<String> lines() {
            int columns = rows.get(0).length;
            int[] width = new int[columns];
            for (String[] row : rows) {
                for (int i = 0; i < row.length; i++) {
                    width[i] = Math.max(width[i], row[i].length());
                }
            }
            int total = 2 * (columns - 1);
            for (int w : width) {
                total += w;
            }
            List<String> lines = new ArrayList<>();
            for (String[] row : rows) {
                StringBuilder line = new StringBuilder("  ");
                for (int i = 0; i < row.length; i++) {
                    line.append(format((i < words ? "%-" : "%") + Math.max(1, width[i]) + "s  ", row[i]));
                }
                lines.add(
                        row.length == 0
                                ? "  " + "-".repeat(total)
                                : line.toString().stripTrailing());
            }
            lines.add(1, "  " + "-".repeat(total));
            return lines;
        }
    }
}
