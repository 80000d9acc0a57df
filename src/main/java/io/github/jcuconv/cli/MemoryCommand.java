package io.github.jcuconv.cli;

import io.github.jcuconv.Engine;
import io.github.jcuconv.io.AtomicFiles;
import io.github.jcuconv.memory.ArenaChart;
import io.github.jcuconv.memory.MemoryPlan;
import io.github.jcuconv.models.BookCount;
import io.github.jcuconv.nn.Network;
import io.github.jcuconv.nn.Precision;
import io.github.jcuconv.nn.Predictor;
import io.github.jcuconv.nn.Remedies;
import io.github.jcuconv.nn.Trainer;
import io.github.jcuconv.nn.TrainerConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What a training or an inference would allocate, by planning it: nothing is allocated. */
final class MemoryCommand extends Command {
    private static final int MOST = 1 << 20;
    /** The GPU whose kernels the emulated device chooses. */
    private static final String ARCHITECTURE = "90a";

    @Option(names = "--model", paramLabel = "M", required = true, description = "a model's name")
    String model = "";

    @Option(names = "--batch", paramLabel = "N", description = "images per step; default ${DEFAULT-VALUE}")
    int batch = 128;

    @Option(
            names = "--precision",
            paramLabel = "P",
            description = "of --limit, remedies and JSON; default ${DEFAULT-VALUE}")
    String precision = "fp32";

    @Option(names = "--optimizer", paramLabel = "O", description = "adam (default) or sgd")
    String optimizer = "adam";

    @Option(names = "--input", paramLabel = "CxHxW", description = "shape of an image; default: the model's usual one")
    @Nullable
    String input;

    @Option(
            names = "--limit",
            paramLabel = "SIZE",
            description = "find the largest batch that trains within, e.g. 8GiB")
    @Nullable
    String limit;

    @Option(names = "--micro-batches", paramLabel = "N", description = "parts of a batch, one after the other")
    int microBatches = 1;

    @Option(names = "--recompute", description = "compute activations again instead of keeping them")
    boolean recompute;

    @Option(names = "--arch", paramLabel = "A", description = "of cuda without a GPU; default and only one: 90a")
    String arch = ARCHITECTURE;

    @Option(names = "--chart", paramLabel = "FILE", description = "draw the arena over the steps, as SVG")
    @Nullable
    Path chart;

    @Override
    String example() {
        return "--model peer-cnn --batch 128 --precision fp16 --limit 512MiB";
    }

    @Override
    int run() {
        Precision chosen = Settings.precision(precision);
        require(batch >= 1 && batch <= MOST, "--batch " + batch + ": must lie in 1.." + MOST);
        Network network = SummaryCommand.network(model, input);
        long bound = limit == null ? 0 : Text.parseBytes("--limit", limit);
        Map<String, Object> json = new LinkedHashMap<>();
        require(
                arch.equals(ARCHITECTURE),
                "--arch " + arch + ": " + ARCHITECTURE + " alone can be planned without its GPU");
        boolean absent = Engines.isMissingGpu(engine);
        try (Engine opened = Engines.open(absent ? "emulated" : engine, err)) {
            String planned = absent ? engine + " " + arch + " (planned without a GPU)" : opened.name();
            List<TrainReport.Column> training = new ArrayList<>();
            List<TrainReport.Column> inference = new ArrayList<>();
            List<Precision> columns =
                    List.of(chosen == Precision.TF32 ? chosen : Precision.FP32, Precision.FP16, Precision.BF16);
            for (Precision p : columns) {
                training.add(new TrainReport.Column(p.label(), Trainer.predict(network, opened, config(p)), null));
                inference.add(new TrainReport.Column(p.label(), Predictor.predict(network, opened, batch, p), null));
            }
            say(model + " on " + planned + ", batch " + batch + ", " + optimizer + ": a training step at its peak");
            TrainReport.memory(training).forEach(this::say);
            say("a learning rate that changes adds 4 B for each step of the training");
            if (absent) {
                say("the driver's own context comes on top: unknown without a GPU");
            }
            say("");
            say("inference at its peak");
            TrainReport.memory(inference).forEach(this::say);
            MemoryPlan plan = training.get(columns.indexOf(chosen)).plan();
            MemoryPlan infers = inference.get(columns.indexOf(chosen)).plan();
            Remedies advisor = new Remedies(network, opened, config(chosen));
            List<Remedies.Remedy> remedies = advisor.all(bound);
            say("");
            say("to train in less than " + Text.bytes(plan.predictedBytes()) + " (" + chosen.label() + "):");
            Text.Table table = new Text.Table(2, "change", "cost", "saves", "peak");
            remedies.forEach(
                    r -> table.row(r.change(), r.cost(), Text.bytes(r.savedBytes()), Text.bytes(r.peakBytes())));
            table.lines().forEach(this::say);
            book(network);
            if (chart != null) {
                AtomicFiles.writeString(chart, ArenaChart.svg(model + ", batch " + batch + ", " + precision, plan));
            }
            json.put("model", model);
            json.put("engine", absent ? engine : opened.name());
            json.put("batch", batch);
            json.put("precision", chosen.label());
            json.put("peakBytes", plan.predictedBytes());
            json.put("parts", TrainReport.parts(plan));
            json.put("inference", Map.of("peakBytes", infers.predictedBytes(), "parts", TrainReport.parts(infers)));
            json.put(
                    "remedies",
                    remedies.stream()
                            .map(r -> Map.of(
                                    "change", r.change(),
                                    "bytes", r.peakBytes(),
                                    "saves", r.savedBytes(),
                                    "cost", r.cost(),
                                    "keepsAccuracy", r.keepsAccuracy()))
                            .toList());
            if (limit != null) {
                int largest = advisor.largestBatch(bound);
                say("");
                say(
                        largest == 0
                                ? "not even a batch of 1 trains within " + limit + " in " + chosen.label()
                                : "the largest batch that trains within " + limit + " in " + chosen.label() + ": "
                                        + largest);
                json.put("limitBytes", bound);
                json.put("largestBatch", largest);
            }
        }
        writeJson(json);
        return 0;
    }

    private void book(Network network) {
        BookCount count = BookCount.of(network);
        say("");
        say("by a textbook's count (fp32; parameters and maps only):");
        Text.Table table = new Text.Table(1, "what", "bytes");
        table.row("one image, all maps", Text.format("%,d B", count.everything()));
        table.row("one image, two consecutive layers at a time", Text.format("%,d B", count.inference()));
        table.row("training, " + batch + " images and all their maps", Text.format("%,d B", count.training(batch)));
        table.lines().forEach(this::say);
    }

    private TrainerConfig config(Precision of) {
        return new Settings(Names.model(model), of, 1, batch, optimizer, 1, "constant", 0, 1)
                .split(microBatches, recompute ? TrainerConfig.BEST : 1)
                .config(1);
    }
}
