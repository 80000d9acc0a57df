package io.github.jcuconv.cli;

import io.github.jcuconv.Engine;
import io.github.jcuconv.FileException;
import io.github.jcuconv.data.Dataset;
import io.github.jcuconv.memory.MemoryPlan;
import io.github.jcuconv.nn.Precision;
import io.github.jcuconv.nn.TrainerConfig;
import io.github.jcuconv.report.TrainingReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What {@code mnist} and {@code train} share: how to train, and how to tell of it. */
abstract class TrainingCommand extends Command {
    @Option(
            names = "--epochs",
            paramLabel = "N",
            description = "passes over the training images; default ${DEFAULT-VALUE}")
    int epochs = 3;

    @Option(names = "--batch", paramLabel = "N", description = "images per step; default ${DEFAULT-VALUE}")
    int batch = 128;

    @Option(names = "--optimizer", paramLabel = "O", description = "adam (default) or sgd, with momentum 0.9")
    String optimizer = "adam";

    @Option(names = "--rate", paramLabel = "X", description = "highest learning rate; default 0.002 (adam), 0.05 (sgd)")
    @Nullable
    Float rate;

    @Option(names = "--schedule", paramLabel = "S", description = "one-cycle (default), cosine, step or constant")
    String schedule = "one-cycle";

    @Option(names = "--weight-decay", paramLabel = "X", description = "decoupled decay of weights; default 0")
    float weightDecay;

    @Option(
            names = "--micro-batches",
            paramLabel = "N",
            description = "equal parts of a batch, one after the other: less memory; default ${DEFAULT-VALUE}")
    int microBatches = 1;

    @Option(names = "--recompute", description = "compute activations again instead of keeping them: the same bits")
    boolean recompute;

    @Option(names = "--autotune", description = "measure once which kernels are fastest; e.g. --engine cuda --autotune")
    boolean autotune;

    final Settings settings(String model, Precision precision) {
        float highest = rate == null ? Settings.usualRate(optimizer) : rate;
        return new Settings(model, precision, epochs, batch, optimizer, highest, schedule, weightDecay, seed)
                .split(microBatches, recompute ? TrainerConfig.BEST : 1);
    }

    /** Finds out before the first epoch, not after it, that something cannot be saved. */
    static void requireWritable(String option, Path folder) {
        try {
            Files.createDirectories(folder);
            Files.delete(Files.createTempFile(folder, ".probe", ""));
        } catch (IOException e) {
            throw new FileException(
                    folder.toString(), "nothing can be saved there", "make it writable or choose another " + option, e);
        }
    }

    /** Says what is going to happen. */
    final void announce(String what, List<Settings> runs, Dataset data, String dataNote, Engine opened) {
        say(what + ", " + epochs + (epochs == 1 ? " epoch" : " epochs") + ", batch " + batch + ", "
                + runs.stream().map(s -> s.precision().label()).collect(Collectors.joining(" and then ")));
        say("data    " + data + dataNote);
        say("engine  " + opened.describe());
        List<String> predictions = new ArrayList<>();
        for (Settings s : runs) {
            MemoryPlan plan = new TrainRun(s, data, opened, TrainReport.listener(s, progress(s), null)).predict();
            predictions.add(
                    Text.bytes(plan.predictedBytes()) + " in " + s.precision().label());
        }
        say("memory  " + String.join(", ", predictions) + " (predicted)");
        out.flush();
    }

    final TrainRun.Result train(
            Settings s,
            Dataset data,
            Engine opened,
            @Nullable Path folder,
            @Nullable SavedModel from,
            Map<String, float[]> begin,
            @Nullable TrainingReport page) {
        TrainRun training = new TrainRun(s, data, opened, TrainReport.listener(s, progress(s), page));
        return training.run(folder, from, begin);
    }

    final Progress progress(Settings s) {
        return new Progress(out, terminal, s.precision().label());
    }

    /** Tables, JSON. */
    final void report(Engine opened, Dataset data, List<TrainRun.Result> results) {
        say("");
        TrainReport.tables(data, results).forEach(this::say);
        writeJson(TrainReport.json(opened, data.name(), results));
    }
}
