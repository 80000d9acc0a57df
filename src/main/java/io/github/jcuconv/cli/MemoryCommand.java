package io.github.jcuconv.cli;

import io.github.jcuconv.Engine;
import io.github.jcuconv.memory.MemoryPlan;
import io.github.jcuconv.nn.Network;
import io.github.jcuconv.nn.Precision;
import io.github.jcuconv.nn.Predictor;
import io.github.jcuconv.nn.Trainer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What a training or an inference would allocate, by planning it: nothing is allocated. */
final class MemoryCommand extends Command {
    private static final int MOST = 1 << 20;

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

    private record Remedy(String change, long bytes, long saves) {}

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
        try (Engine opened = Engines.open(engine, err)) {
            List<TrainReport.Column> training = new ArrayList<>();
            List<TrainReport.Column> inference = new ArrayList<>();
            for (Precision p : Precision.values()) {
                training.add(new TrainReport.Column(p.label(), train(network, opened, batch, p, optimizer), null));
                inference.add(new TrainReport.Column(p.label(), Predictor.predict(network, opened, batch, p), null));
            }
            say(model + " on " + opened.name() + ", batch " + batch + ", " + optimizer
                    + ": a training step at its peak");
            TrainReport.memory(training).forEach(this::say);
            say("a learning rate that changes adds 4 B for each step of the training");
            say("");
            say("inference at its peak");
            TrainReport.memory(inference).forEach(this::say);
            MemoryPlan plan = training.get(chosen.ordinal()).plan();
            MemoryPlan infers = inference.get(chosen.ordinal()).plan();
            List<Remedy> remedies = remedies(network, opened, chosen, plan.predictedBytes());
            say("");
            say("to train in less than " + Text.bytes(plan.predictedBytes()) + " (" + chosen.label() + "):");
            Text.Table table = new Text.Table(1, "change", "bytes", "saves");
            remedies.forEach(r -> table.row(r.change(), Text.bytes(r.bytes()), Text.bytes(r.saves())));
            table.lines().forEach(this::say);
            json.put("model", model);
            json.put("engine", opened.name());
            json.put("batch", batch);
            json.put("precision", chosen.label());
            json.put("peakBytes", plan.predictedBytes());
            json.put("parts", TrainReport.parts(plan));
            json.put("inference", Map.of("peakBytes", infers.predictedBytes(), "parts", TrainReport.parts(infers)));
            json.put(
                    "remedies",
                    remedies.stream()
                            .map(r -> Map.of("change", r.change(), "bytes", r.bytes(), "saves", r.saves()))
                            .toList());
            if (limit != null) {
                int largest = largest(network, opened, chosen, bound);
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

    private static MemoryPlan train(Network network, Engine engine, int batch, Precision precision, String optimizer) {
        Settings s = new Settings(network.name(), precision, 1, batch, optimizer, 1, "constant", 0, 1);
        return Trainer.predict(network, engine, s.config(1));
    }

    private List<Remedy> remedies(Network network, Engine opened, Precision chosen, long now) {
        List<Remedy> remedies = new ArrayList<>();
        if (chosen == Precision.FP32) {
            add(remedies, "--precision fp16", now, train(network, opened, batch, Precision.FP16, optimizer));
        }
        if (optimizer.equals("adam")) {
            add(remedies, "--optimizer sgd", now, train(network, opened, batch, chosen, "sgd"));
        }
        if (batch > 1) {
            add(remedies, "--batch " + batch / 2, now, train(network, opened, batch / 2, chosen, optimizer));
        }
        return remedies;
    }

    private static void add(List<Remedy> remedies, String change, long now, MemoryPlan then) {
        if (then.predictedBytes() < now) {
            remedies.add(new Remedy(change, then.predictedBytes(), now - then.predictedBytes()));
        }
    }

    /** Doubles, then halves the interval: memory grows with the batch. */
    private int largest(Network network, Engine opened, Precision chosen, long bound) {
        int fits = 0;
        int tooMuch = 1;
        while (tooMuch <= MOST && fits(network, opened, chosen, tooMuch, bound)) {
            fits = tooMuch;
            tooMuch *= 2;
        }
        while (tooMuch - fits > 1) {
            int middle = (fits + tooMuch) / 2;
            if (middle <= MOST && fits(network, opened, chosen, middle, bound)) {
                fits = middle;
            } else {
                tooMuch = middle;
            }
        }
        return fits;
    }

    private boolean fits(Network network, Engine opened, Precision chosen, int size, long bound) {
        try {
            return train(network, opened, size, chosen, optimizer).predictedBytes() <= bound;
        } catch (ArithmeticException e) {
            // A tensor of 2^31 elements or more, which no engine takes.
            return false;
        }
    }
}
