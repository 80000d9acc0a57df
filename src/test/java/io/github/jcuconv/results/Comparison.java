package io.github.jcuconv.results;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * One pass of one layer in one precision, ours beside another engine.
 *
 * @param kind class of layers
 * @param label layer and pass
 * @param precision how it is stored
 * @param gflops ours, in GFLOP/s
 * @param gigabytes ours, in GB/s
 * @param ratio the other's time over ours, so above 1 where ours is faster; NaN where the other was not timed
 * @param rival the other engine and its algorithm; "" where it was not timed
 */
record Comparison(
        String kind, String label, String precision, double gflops, double gigabytes, double ratio, String rival) {
    /** What cuDNN's legacy interface finds, and what PyTorch finds through its graphs. */
    static final String[] CUDNN = {"cudnn", "torch"};

    /** The kinds, in the order of the tables. */
    static final List<String> KINDS = List.of(
            "convolution",
            "1x1",
            "few channels",
            "grouped",
            "depthwise",
            "transposed",
            "max-pool2d",
            "avg-pool2d",
            "lrn",
            "batch-norm",
            "softmax-cross-entropy");

    private static final Set<String> OURS = Set.of("cuda", "emulated");
    private static final int FEW_CHANNELS = 4;

    /** Every pass that ours was timed on, in the order of the rows, beside the fastest of the others. */
    static List<Comparison> of(Csv.Run run, String... others) {
        Map<String, Map<String, String>> ours = new LinkedHashMap<>();
        Map<String, Map<String, String>> theirs = new LinkedHashMap<>();
        for (Map<String, String> row : run.rows()) {
            String key = String.join(" ", row.get("layer"), row.get("pass"), row.get("precision"));
            if (!row.get("microseconds").isEmpty()) {
                if (OURS.contains(row.get("engine"))) {
                    ours.put(key, row);
                } else if (List.of(others).contains(row.get("engine"))) {
                    theirs.merge(key, row, Comparison::faster);
                }
            }
        }
        List<Comparison> all = new ArrayList<>();
        ours.forEach((key, row) -> {
            Map<String, String> beside = theirs.get(key);
            double ratio = beside == null ? Double.NaN : number(beside, "microseconds") / number(row, "microseconds");
            String label = row.get("name") + ", " + row.get("pass");
            all.add(new Comparison(
                    kind(row),
                    label,
                    row.get("precision"),
                    number(row, "gflops"),
                    number(row, "gigabytes_per_second"),
                    ratio,
                    beside == null ? "" : beside.get("engine") + ": " + beside.get("algorithm")));
        });
        return all;
    }

    boolean isCompared() {
        return !Double.isNaN(ratio);
    }

    private static Map<String, String> faster(Map<String, String> a, Map<String, String> b) {
        return number(a, "microseconds") <= number(b, "microseconds") ? a : b;
    }

    private static double number(Map<String, String> row, String column) {
        return Double.parseDouble(row.get(column));
    }

    private static String kind(Map<String, String> row) {
        String op = row.get("op");
        if (op.equals("conv-transpose2d")) {
            return "transposed";
        }
        if (!op.equals("conv2d")) {
            return op;
        }
        int groups = extent(row, "g");
        if (groups > 1) {
            return groups == extent(row, "c") ? "depthwise" : "grouped";
        }
        boolean pointwise = extent(row, "r") == 1 && extent(row, "s") == 1;
        return pointwise ? "1x1" : extent(row, "c") <= FEW_CHANNELS ? "few channels" : "convolution";
    }

    private static int extent(Map<String, String> row, String letter) {
        String shape = row.get("shape");
        String digits = shape.replaceAll("^(?:.*[0-9])?" + letter + "([0-9]+).*$", "$1");
        return Integer.parseInt(Objects.requireNonNull(digits));
    }
}
