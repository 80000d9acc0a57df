package io.github.jcuconv.cli;

import io.github.jcuconv.Engine;
import io.github.jcuconv.data.Dataset;
import io.github.jcuconv.data.Datasets;
import io.github.jcuconv.data.Images;
import io.github.jcuconv.io.AtomicFiles;
import io.github.jcuconv.memory.ArenaChart;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The main job: the same CNN in fp32 and in mixed fp16, on MNIST where it can be had, otherwise on digits. */
final class MnistCommand extends TrainingCommand {
    @Option(names = "--model", paramLabel = "M", description = "default ${DEFAULT-VALUE}")
    String model = "mnist-cnn";

    @Option(
            names = "--data",
            paramLabel = "D",
            description =
                    "a folder with the four files of mnist, or digits; default: looked up, then downloaded, then digits")
    @Nullable
    String data;

    @Option(names = "--precision", paramLabel = "P", split = ",", description = "default fp32,fp16")
    List<String> precisions = List.of("fp32", "fp16");

    @Option(names = "--out", paramLabel = "DIR", description = "where the models are saved; default ${DEFAULT-VALUE}")
    Path folder = Path.of("jcuconv-mnist");

    /** Where images come from without {@code --data}. */
    Supplier<Datasets.Found> lookUp = () -> Datasets.mnistOrDigits(Optional.empty());

    @Override
    String example() {
        return "--epochs 1 --precision fp16";
    }

    @Override
    int run() {
        List<Settings> runs = precisions.stream()
                .map(p -> settings(model, Settings.precision(p)))
                .toList();
        if (data == null && Datasets.mnistFolder().isEmpty()) {
            err.println(
                    "jcuconv: MNIST is not on this machine: trying to download it (11 MB; without a network at most 10 s)");
        }
        Datasets.Found found = data == null
                ? lookUp.get()
                : new Datasets.Found(DataOption.parse(data).load(Images.SIZE), Optional.empty());
        Dataset images = found.data();
        runs.forEach(s -> requireWritable("--out", folder.resolve(s.precision().label())));
        String missing = found.reason().isPresent() ? " (drawn here, because MNIST was not found)" : "";
        String note = found.reason().map(r -> "; MNIST: " + r).orElse("");
        List<TrainRun.Result> results = new ArrayList<>();
        for (Settings s : runs) {
            // An engine for each run: its ledger then counts this run alone.
            try (Engine opened = Engines.open(engine, err)) {
                autotune(autotune, opened);
                if (results.isEmpty()) {
                    announce("training " + model + " on " + images.name() + missing, runs, images, note, opened);
                }
                results.add(
                        train(s, images, opened, folder.resolve(s.precision().label()), null, Map.of(), null));
                if (results.size() == runs.size()) {
                    report(opened, images, results);
                }
            }
        }
        say("");
        for (TrainRun.Result run : results) {
            String label = run.settings().precision().label();
            Path chart = folder.resolve("memory-" + label + ".svg");
            AtomicFiles.writeString(chart, ArenaChart.svg(model + ", batch " + batch + ", " + label, run.memory()));
            say("memory over one step in " + label + ": " + chart);
        }
        String last =
                folder.resolve(runs.get(runs.size() - 1).precision().label()).toString();
        say("");
        say("saved in " + folder + "; next: ./jcuconv predict " + last + " IMAGE.png");
        return 0;
    }
}
