package io.github.jcuconv.results;

import io.github.jcuconv.io.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Appends what `mnist --json` wrote to a CSV file, as run-gpu's stage `mnist` does; the same columns as the PyTorch peer's. */
public final class MnistRows {
    private static final String COLUMNS =
            "library,mode,precision,epochs,test_accuracy,seconds,images_per_second,predicted_bytes,measured_bytes";

    private MnistRows() {}

    /** Takes: the JSON file, the CSV file, names and values of the first columns. */
    public static void main(String[] args) throws IOException {
        Path csv = Path.of(args[1]);
        Map<String, Object> json = Json.read(Path.of(args[0]));
        StringBuilder rows = new StringBuilder(Files.exists(csv) ? "" : args[2] + "," + COLUMNS + "\n");
        for (Object one : (List<?>) json.get("runs")) {
            Map<?, ?> run = (Map<?, ?>) one;
            Map<?, ?> memory = (Map<?, ?>) run.get("memory");
            String row = String.format(
                    Locale.ROOT,
                    "%s,JCuConv %s,%s,%s,%d,%.4f,%.2f,%.0f,%d,%d",
                    args[3],
                    json.get("engine"),
                    json.get("model") + " on " + json.get("data"),
                    run.get("precision"),
                    whole(run.get("epochs")),
                    number(run.get("testAccuracy")),
                    number(run.get("seconds")),
                    number(run.get("imagesPerSecond")),
                    whole(memory.get("predictedBytes")),
                    whole(memory.get("measuredBytes")));
            rows.append(row).append('\n');
            System.out.println(row);
        }
        Files.writeString(csv, rows, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    private static double number(Object value) {
        return ((Number) value).doubleValue();
    }

    private static long whole(Object value) {
        return ((Number) value).longValue();
    }
}
