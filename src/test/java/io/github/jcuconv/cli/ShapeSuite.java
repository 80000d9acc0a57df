package io.github.jcuconv.cli;

import io.github.jcuconv.io.Json;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * The program behind run-gpu's stage `shapes`: `bench` on every layer of a table, in several precisions, beside another engine where it has the
 * pass. Appends a row per pass and engine to a CSV file; a layer that stands there in a precision is not run again.
 *
 * <p>Columns of the table: id, op, name, n, h, w, c, k, r, s, stride, four pads, dilation, groups, p, q.
 */
public final class ShapeSuite {
    /** Behind the columns that the caller gives. */
    private static final String COLUMNS =
            "layer,name,op,shape,pass,precision,engine,algorithm,microseconds,cold_microseconds,gflops,gigabytes_per_second,"
                    + "workspace_bytes,note";

    /** The device is lost to this process: whoever started it starts it again. */
    private static final int AGAIN = 10;

    private final Path csv;
    private final String facts;
    private final String engine;
    private final String against;

    private ShapeSuite(Path csv, String facts, String engine, String against) {
        this.csv = csv;
        this.facts = facts;
        this.engine = engine;
        this.against = against;
    }

    /** Takes: the table, the CSV file, names and values of the first columns, engine, the other engine or "", precisions. */
    public static void main(String[] args) throws IOException {
        Path csv = Path.of(args[1]);
        if (!Files.exists(csv)) {
            Files.writeString(csv, args[2] + "," + COLUMNS + "\n");
        }
        Set<String> done = new HashSet<>();
        int last = args[2].split(",").length;
        for (String line : Files.readAllLines(csv)) {
            String[] row = line.split(",", -1);
            if (!row[last + 6].equals("torch")) { // which is another stage's
                done.add(row[last] + " " + row[last + 5]);
            }
        }
        ShapeSuite suite = new ShapeSuite(csv, args[3], args[4], args[5]);
        List<String> lines = Files.readAllLines(Path.of(args[0]));
        int failed = 0;
        for (String line : lines.subList(1, lines.size())) {
            Map<String, String> layer = layer(lines.get(0), line);
            for (String precision : args[6].split(",")) {
                if (done.add(layer.get("id") + " " + precision)) {
                    failed += suite.bench(layer, precision) ? 0 : 1;
                }
            }
        }
        List<String> rows = Files.readAllLines(csv);
        long wrong = rows.stream().filter(row -> row.contains(",failed: ")).count();
        System.out.printf(Locale.ROOT, "%,d rows, %d of layers that failed%n", rows.size() - 1, wrong);
        System.exit(failed + wrong > 0 ? 1 : 0);
    }

    /** False where it failed; a pass that an engine refuses is no failure. */
    private boolean bench(Map<String, String> layer, String precision) throws IOException {
        String op = operation(layer);
        String shape = shape(layer);
        List<Map<?, ?>> rows = new ArrayList<>();
        String problem = run(op, shape, precision, against, rows);
        // A pass that only the other engine refuses is timed on ours alone.
        if (problem.isEmpty() && rows.stream().anyMatch(row -> against.equals(row.get("engine")) && refused(row))) {
            List<Map<?, ?>> alone = new ArrayList<>();
            problem = run(op, shape, precision, "", alone);
            for (Map<?, ?> row : alone) {
                boolean timed = rows.stream().anyMatch(r -> r.get("pass").equals(row.get("pass")) && !refused(r));
                if (!timed) {
                    rows.add(row);
                }
            }
        }
        StringBuilder text = new StringBuilder();
        for (Map<?, ?> row : rows) {
            text.append(row(layer, op, shape, precision, row, ""));
        }
        if (!problem.isEmpty()) {
            text.append(row(layer, op, shape, precision, Map.of("engine", engine), "failed: " + problem));
        }
        Files.writeString(csv, text, StandardOpenOption.APPEND);
        System.out.println(layer.get("name") + ", " + precision + ": " + (problem.isEmpty() ? "done" : problem));
        if (problem.contains(" failed: ")) { // as a DeviceException begins
            System.exit(AGAIN);
        }
        return problem.isEmpty();
    }

    private static boolean refused(Map<?, ?> row) {
        return row.containsKey("refusal");
    }

    /** Adds the rows that `bench` gives; tells what it says where it fails. */
    private String run(String op, String shape, String precision, String other, List<Map<?, ?>> rows)
            throws IOException {
        Path json = Files.createTempFile("bench", ".json");
        List<String> command = new ArrayList<>(List.of("bench", "--engine", engine, "--op", op, "--shapes", shape));
        command.addAll(List.of("--precision", precision, "--json", json.toString()));
        if (!other.isEmpty()) {
            command.addAll(List.of("--against", other));
        }
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        PrintStream out = new PrintStream(said, true, StandardCharsets.UTF_8);
        PrintStream nowhere = new PrintStream(PrintStream.nullOutputStream(), true, StandardCharsets.UTF_8);
        int status = Main.execute(nowhere, out, false, command.toArray(new String[0]));
        boolean wrong = false;
        if (Files.size(json) > 0) {
            for (Object row : (List<?>) Json.read(json).get("rows")) {
                rows.add((Map<?, ?>) row);
                wrong |= ((Map<?, ?>) row).containsKey("wrong");
            }
        }
        Files.delete(json);
        return status == 0 || wrong
                ? ""
                : said.toString(StandardCharsets.UTF_8).strip().replaceAll("[,\\s]+", " ");
    }

    private String row(
            Map<String, String> layer, String op, String shape, String precision, Map<?, ?> row, String problem) {
        Object refusal = row.get("refusal");
        Object wrong = row.get("wrong");
        String note = wrong == null ? problem : "failed: " + text(wrong);
        return String.join(
                        ",",
                        facts,
                        layer.get("id"),
                        layer.get("name"),
                        op,
                        shape,
                        text(row.get("pass")),
                        precision,
                        text(row.get("engine")),
                        text(row.get("algorithm")),
                        number(row.get("microseconds")),
                        number(row.get("coldMicroseconds")),
                        number(row.get("gflops")),
                        number(row.get("gigabytesPerSecond")),
                        text(row.get("workspaceBytes")),
                        refusal == null ? note : "not run: " + text(refusal))
                + "\n";
    }

    private static String text(Object value) {
        return value == null ? "" : value.toString().replaceAll("[,\\s]+", " ");
    }

    private static String number(Object value) {
        return value == null ? "" : String.format(Locale.ROOT, "%.4g", ((Number) value).doubleValue());
    }

    /** A line of the table under the names of the first one. */
    static Map<String, String> layer(String names, String line) {
        Map<String, String> layer = new HashMap<>();
        String[] values = line.split(",");
        for (String name : names.split(",")) {
            layer.put(name, values[layer.size()]);
        }
        return layer;
    }

    static String operation(Map<String, String> layer) {
        return switch (layer.get("op")) {
            case "conv", "gconv", "dwconv" -> "conv2d";
            case "deconv" -> "conv-transpose2d";
            case "maxpool" -> "max-pool2d";
            case "avgpool_global" -> "avg-pool2d";
            case "lrn" -> "lrn";
            case "bn_train" -> "batch-norm";
            case "softmax_ce" -> "softmax-cross-entropy";
            default -> throw new IllegalArgumentException("layer " + layer.get("id") + ": op " + layer.get("op"));
        };
    }

    /** The layer as a shape line. */
    static String shape(Map<String, String> layer) {
        String image = letters(layer, "n n c c h h w w");
        String window = letters(layer, "r r s s u stride v stride pt pad_top pb pad_bottom pl pad_left pr pad_right");
        String dilation = letters(layer, "d dilation e dilation");
        String groups = letters(layer, "k k g groups");
        return switch (operation(layer)) {
            case "conv2d" -> image + groups + window + dilation;
            case "conv-transpose2d" ->
                image + groups + window + "oh"
                        + (number(layer, "p") - transposed(layer, "h", "r", "pad_top", "pad_bottom")) + "ow"
                        + (number(layer, "q") - transposed(layer, "w", "s", "pad_left", "pad_right"));
            case "max-pool2d" -> image + window + (number(layer, "p") > pooled(layer) ? "ceil1" : "");
            case "avg-pool2d" -> image + window;
            case "lrn" -> image + "size" + layer.get("r");
            default -> image;
        };
    }

    private static String letters(Map<String, String> layer, String pairs) {
        String[] words = pairs.split(" ");
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < words.length; i += 2) {
            text.append(words[i]).append(layer.get(words[i + 1]));
        }
        return text.toString();
    }

    private static int number(Map<String, String> layer, String column) {
        return Integer.parseInt(layer.get(column));
    }

    /** Rows or columns of a transposed convolution without output padding. */
    private static int transposed(Map<String, String> layer, String size, String window, String before, String after) {
        return (number(layer, size) - 1) * number(layer, "stride")
                + number(layer, window)
                - number(layer, before)
                - number(layer, after);
    }

    /** Rows of a pool that drops what does not fill a window. */
    private static int pooled(Map<String, String> layer) {
        return (number(layer, "h") + number(layer, "pad_top") + number(layer, "pad_bottom") - number(layer, "r"))
                        / number(layer, "stride")
                + 1;
    }
}
