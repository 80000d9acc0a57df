package io.github.jcuconv.cli;

import io.github.jcuconv.Engine;
import io.github.jcuconv.data.Dataset;
import io.github.jcuconv.memory.MemoryPlan;
import io.github.jcuconv.memory.Part;
import io.github.jcuconv.nn.Network;
import io.github.jcuconv.nn.Trainer;
import io.github.jcuconv.report.TrainingReport;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What a training shows: lines while it goes, tables and JSON at its end. */
final class TrainReport {
    private TrainReport() {}

    /** Shows a bar, and a line per epoch; a page, if there is to be one, hears it too. */
    static TrainRun.Listener listener(Settings settings, Progress progress, @Nullable TrainingReport page) {
        return new TrainRun.Listener() {
            @Override
            public void begin(int done) {
                progress.start();
            }

            @Override
            public void step(int epoch, int step, int steps, Trainer trainer) {
                if (progress.due()) {
                    progress.show(epoch, settings.epochs(), step, steps, settings.batch(), trainer.loss());
                }
                if (page != null && (step % TrainRun.LOSS_EVERY == 0 || step == steps)) {
                    page.loss(epoch - 1 + (double) step / steps, trainer.loss());
                }
            }

            @Override
            public void end(TrainRun.Epoch e) {
                progress.line(Text.format(
                        "%-5s epoch %d/%d  loss %.4f  test accuracy %s  %,.0f images/s  %.1f s",
                        settings.precision().label(),
                        e.number(),
                        settings.epochs(),
                        e.loss(),
                        Text.percent(e.accuracy()),
                        e.images() / e.seconds(),
                        e.seconds()));
                if (page != null) {
                    page.accuracy(e.number(), e.accuracy());
                }
            }

            @Override
            public void done(Network network, Trainer trainer) {
                if (page != null) {
                    page.finish(network, trainer, settings.batch());
                }
            }
        };
    }

    /** Accuracy and speed, then memory by part, fp32 and the others side by side. */
    static List<String> tables(Dataset data, List<TrainRun.Result> runs) {
        Settings first = runs.get(0).settings();
        List<String> lines = new ArrayList<>();
        lines.add(first.model() + " on " + data.name() + ", " + first.epochs()
                + (first.epochs() == 1 ? " epoch" : " epochs") + ", batch " + first.batch() + ", seed " + first.seed());
        Text.Table results = new Text.Table(1, "precision", "test accuracy", "seconds", "images/s");
        for (TrainRun.Result run : runs) {
            results.row(
                    run.settings().precision().label(),
                    Text.percent(run.accuracy()),
                    Text.format("%.1f", run.seconds()),
                    run.images() == 0 ? "-" : Text.format("%,.0f", run.imagesPerSecond()));
        }
        lines.addAll(results.lines());
        lines.add("");
        lines.add("memory of a training step of " + first.batch() + " images at its peak");
        lines.addAll(memory(runs.stream()
                .map(r -> new Column(r.settings().precision().label(), r.memory(), r))
                .toList()));
        return lines;
    }

    /** One column of a memory table; {@code run} is null for a mere prediction. */
    record Column(String name, MemoryPlan plan, TrainRun.@Nullable Result run) {}

    /** A table of memory by part; what was measured stands below the prediction. */
    static List<String> memory(List<Column> columns) {
        Text.Table table = new Text.Table(1, cells("part", columns, Column::name));
        for (Part part : Part.values()) {
            if (columns.stream().anyMatch(c -> at(c, part) != 0)) {
                table.row(cells(part.label(), columns, c -> Text.bytes(at(c, part))));
            }
        }
        table.rule();
        table.row(cells("predicted", columns, c -> Text.bytes(c.plan().predictedBytes())));
        table.row(cells("peak at", columns, c -> c.plan().stepName(c.plan().peakStep())));
        if (columns.stream().allMatch(c -> c.run() != null)) {
            table.row(cells("measured", columns, c -> Text.bytes(run(c).measuredBytes())));
            table.row(cells(
                    "difference",
                    columns,
                    c -> Text.bytes(run(c).measuredBytes() - c.plan().predictedBytes())));
            if (columns.stream().anyMatch(c -> run(c).pinnedBytes() > 0)) {
                table.row(cells("pinned on the host besides", columns, c -> Text.bytes(run(c).pinnedBytes())));
            }
            table.row(cells("activations kept for backward", columns, c -> Text.bytes(run(c).keptActivationBytes())));
        }
        return table.lines();
    }

    private static long at(Column column, Part part) {
        return column.plan().partsAtPeak().getOrDefault(part, 0L);
    }

    private static TrainRun.Result run(Column column) {
        return Objects.requireNonNull(column.run());
    }

    private static String[] cells(String first, List<Column> columns, Function<Column, String> cell) {
        return Stream.concat(Stream.of(first), columns.stream().map(cell)).toArray(String[]::new);
    }

    /** What a page says of a training beside its charts. */
    static Map<String, String> facts(Engine engine, Dataset data, TrainRun.Result run) {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put(
                "test images that are right",
                Text.percent(run.accuracy()) + " of " + data.test().count());
        facts.put("training", Text.format("%.1f s, %,.0f images/s", run.seconds(), run.imagesPerSecond()));
        run.settings().toMap(data).forEach((key, value) -> facts.put(key, String.valueOf(value)));
        facts.put("weights, SHA-256", run.weightsSha256());
        facts.put("engine", engine.describe());
        facts.put("machine", DoctorCommand.cpu() + "; " + Runtime.getRuntime().availableProcessors() + " processors");
        facts.put("java", System.getProperty("java.vm.name") + " " + Runtime.version());
        return facts;
    }

    /** The results for scripts. */
    static Map<String, Object> json(Engine engine, String data, List<TrainRun.Result> runs) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("engine", engine.name());
        map.put("model", runs.get(0).settings().model());
        map.put("data", data);
        List<Map<String, Object>> list = new ArrayList<>();
        for (TrainRun.Result run : runs) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("precision", run.settings().precision().label());
            one.put("epochs", run.settings().epochs());
            one.put("testAccuracy", run.accuracy());
            one.put("seconds", run.seconds());
            one.put("imagesPerSecond", run.imagesPerSecond());
            one.put("weightsSha256", run.weightsSha256());
            Map<String, Object> memory = new LinkedHashMap<>();
            memory.put("predictedBytes", run.memory().predictedBytes());
            memory.put("measuredBytes", run.measuredBytes());
            memory.put("pinnedBytes", run.pinnedBytes());
            memory.put("keptActivationBytes", run.keptActivationBytes());
            memory.put("parts", parts(run.memory()));
            one.put("memory", memory);
            list.add(one);
        }
        map.put("runs", list);
        return map;
    }

    /** Bytes at the peak by part; they add up to the prediction. */
    static Map<String, Object> parts(MemoryPlan plan) {
        Map<String, Object> parts = new LinkedHashMap<>();
        plan.partsAtPeak().forEach((part, bytes) -> parts.put(part.label(), bytes));
        return parts;
    }
}
