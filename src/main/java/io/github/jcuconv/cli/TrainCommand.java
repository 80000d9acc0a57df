package io.github.jcuconv.cli;

import io.github.jcuconv.Engine;
import io.github.jcuconv.FileException;
import io.github.jcuconv.data.Dataset;
import io.github.jcuconv.io.AtomicFiles;
import io.github.jcuconv.io.Checkpoint;
import io.github.jcuconv.nn.Remedies;
import io.github.jcuconv.report.TrainingReport;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Any model on any data, saved after each epoch, resumable bit by bit. */
final class TrainCommand extends TrainingCommand {
    @Option(names = "--model", paramLabel = "M", required = true, description = "a model's name; see summary")
    String model = "";

    @Option(names = "--data", paramLabel = "D", required = true, description = DataOption.HELP)
    String data = "";

    @Option(names = "--precision", paramLabel = "P", description = "fp32 (default), tf32, fp16 or bf16")
    String precision = "fp32";

    @Option(names = "--out", paramLabel = "DIR", description = "where the model is saved after each epoch")
    @Nullable
    Path folder;

    @Option(names = "--resume", description = "go on from the model in --out, if there is one")
    boolean resume;

    @Option(
            names = "--size",
            paramLabel = "N",
            description = "side of a folder's images, in pixels; default ${DEFAULT-VALUE}")
    int side = 64;

    @Option(
            names = "--augment",
            description = "change training images at random: move, turn, scale; colours and mirror too")
    boolean augment;

    @Option(
            names = "--from",
            paramLabel = "FILE",
            description =
                    "begin with the weights of a safetensors file or a saved model; a layer that differs begins at random")
    @Nullable
    Path begin;

    @Option(
            names = "--freeze",
            paramLabel = "LAYER",
            description = "leave this layer and those before it as --from gives them")
    String frozen = "";

    @Option(
            names = "--fit",
            paramLabel = "SIZE",
            description = "train within, e.g. 2GiB: micro-batches and recomputation are used where needed")
    @Nullable
    String fit;

    @Option(names = "--report", paramLabel = "FILE", description = "a page with curves, mistakes, filters and memory")
    @Nullable
    Path page;

    @Override
    String example() {
        return "--model lenet5 --data digits --precision fp16 --epochs 3 --out lenet5";
    }

    @Override
    int run() {
        Settings settings = settings(model, Settings.precision(precision)).with(frozen, augment);
        require(
                frozen.isEmpty() || begin != null,
                "--freeze " + frozen + ": needs --from, which the frozen layers come from");
        long limit = fit == null ? 0 : Text.parseBytes("--fit", fit);
        require(fit == null || limit >= 1, "--fit " + fit + ": must be at least 1 B");
        DataOption source = DataOption.parse(data);
        require(page == null || !Files.isDirectory(page), "--report " + page + ": is a folder; name a file");
        require(!resume || folder != null, "--resume: needs --out, the folder to go on from");
        SavedModel from = null;
        if (folder != null && Checkpoint.exists(folder)) {
            if (!resume) {
                throw new FileException(
                        folder.toString(), "holds a model already", "add --resume to go on, or choose another --out");
            }
            from = SavedModel.load(folder);
        }
        Dataset images = source.load(side);
        if (folder != null) {
            requireWritable("--out", folder);
        }
        if (page != null) {
            requireWritable("--report", page.resolveSibling("."));
        }
        if (from != null && fit == null) {
            from.requireSame(settings, images);
        }
        Pretrained pretrained = begin == null || from != null
                ? Pretrained.NONE
                : Pretrained.read(begin, TrainRun.network(model, images), frozen);
        try (Engine opened = Engines.open(engine, err)) {
            autotune(autotune, opened);
            settings = limit > 0 ? fitted(settings, images, opened, limit) : settings;
            String going = from == null ? "" : ", going on after epoch " + from.number("epochsDone");
            announce("training " + model + " on " + images.name() + going, List.of(settings), images, "", opened);
            pretrained.lines().forEach(this::say);
            TrainingReport report = page == null ? null : new TrainingReport(images);
            TrainRun.Result result = train(settings, images, opened, folder, from, pretrained.taken(), report);
            report(opened, images, List.of(result));
            if (page != null && report != null) {
                String html = report.html(model + " on " + images.name(), TrainReport.facts(opened, images, result));
                AtomicFiles.writeString(page, html);
                say("report: " + page);
            }
        }
        if (folder != null) {
            say("");
            say("saved in " + folder + "; next: ./jcuconv evaluate " + folder);
        }
        return 0;
    }

    /** Says what it takes to stay within the limit, which the engine keeps from now on. */
    private Settings fitted(Settings settings, Dataset images, Engine opened, long limit) {
        Remedies.Fit found = new TrainRun(
                        settings, images, opened, TrainReport.listener(settings, progress(settings), null))
                .fit(limit);
        opened.limitMemory(limit);
        if (!found.change().isEmpty()) {
            say("to fit " + fit + ": " + found.change() + " (" + found.cost() + ")");
        }
        return settings.split(found.config().microBatches(), found.config().segments());
    }
}
