package io.github.jcuconv.cli;

import io.github.jcuconv.data.Dataset;
import io.github.jcuconv.nn.Optimizer;
import io.github.jcuconv.nn.Precision;
import io.github.jcuconv.nn.Schedule;
import io.github.jcuconv.nn.TrainerConfig;
import io.github.jcuconv.verify.Descriptors;
import io.github.jcuconv.verify.ShapeFile;
import io.github.jcuconv.verify.ShapeLine;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What decides the bits of a training, apart from data and engine; saved with the model, and compared on {@code --resume}.
 *
 * @param rate the learning rate at its highest
 * @param segments as in {@link TrainerConfig}: changes no bit, and is not saved
 * @param frozen the last layer that stays as it is, empty if all learn
 * @param augment whether training images are changed at random
 */
record Settings(
        String model,
        Precision precision,
        int epochs,
        int batch,
        String optimizer,
        float rate,
        String schedule,
        float weightDecay,
        long seed,
        int microBatches,
        int segments,
        String frozen,
        boolean augment) {
    static final List<String> OPTIMIZERS = List.of("sgd", "adam");
    static final List<String> SCHEDULES = List.of("constant", "step", "cosine", "one-cycle");
    private static final float MOMENTUM = 0.9f;

    /** Checks names and numbers. */
    Settings {
        Names.model(model);
        Names.require("--optimizer", optimizer, OPTIMIZERS);
        Names.require("--schedule", schedule, SCHEDULES);
        Command.require(epochs >= 1, "--epochs " + epochs + ": must be at least 1");
        Command.require(batch >= 1, "--batch " + batch + ": must be at least 1");
        Command.require(
                microBatches >= 1 && batch % microBatches == 0,
                "--micro-batches " + microBatches + ": must divide --batch " + batch);
        Command.require(rate > 0 && Float.isFinite(rate), "--rate " + rate + ": must be above 0");
        Command.require(weightDecay >= 0 && weightDecay < 1, "--weight-decay " + weightDecay + ": must lie in 0..1");
    }

    /** One micro-batch, nothing computed again. */
    Settings(
            String model,
            Precision precision,
            int epochs,
            int batch,
            String optimizer,
            float rate,
            String schedule,
            float weightDecay,
            long seed) {
        this(model, precision, epochs, batch, optimizer, rate, schedule, weightDecay, seed, 1, 1, "", false);
    }

    /** The same in so many micro-batches and segments. */
    Settings split(int parts, int pieces) {
        return new Settings(
                model,
                precision,
                epochs,
                batch,
                optimizer,
                rate,
                schedule,
                weightDecay,
                seed,
                parts,
                pieces,
                frozen,
                augment);
    }

    /** The same with a part of the network left as it is, and images changed. */
    Settings with(String last, boolean changed) {
        return new Settings(
                model,
                precision,
                epochs,
                batch,
                optimizer,
                rate,
                schedule,
                weightDecay,
                seed,
                microBatches,
                segments,
                last,
                changed);
    }

    /** A rate that suits small CNNs. */
    static float usualRate(String optimizer) {
        return optimizer.equals("adam") ? 2e-3f : 5e-2f;
    }

    /** The precision of that name. */
    static Precision precision(String label) {
        List<String> labels =
                Arrays.stream(Precision.values()).map(Precision::label).toList();
        return Precision.parse(Names.require("--precision", label, labels));
    }

    /** Shape lines for an operation in a precision: tf32 is fp32 with another way to multiply, where the operation multiplies. */
    static List<ShapeLine> lines(String op, String shapes, Precision precision) {
        boolean tf32 = precision == Precision.TF32 && Descriptors.multiplies(op);
        return ShapeFile.read(shapes).stream()
                .map(line -> tf32 && !line.values().containsKey("terms") ? line.with("terms", 1) : line)
                .toList();
    }

    TrainerConfig config(long totalSteps) {
        Schedule rates =
                switch (schedule) {
                    case "constant" -> new Schedule.Constant(rate);
                    case "step" -> new Schedule.Steps(rate, 0.1f, 3);
                    case "cosine" -> new Schedule.Cosine(rate);
                    default -> new Schedule.OneCycle(rate);
                };
        Optimizer follows = optimizer.equals("adam")
                ? new Optimizer.AdamOptimizer(0.9f, 0.999f, 1e-8f, weightDecay)
                : new Optimizer.SgdOptimizer(MOMENTUM, weightDecay);
        return new TrainerConfig(batch, precision, follows, rates, totalSteps, seed, microBatches, segments);
    }

    /** As saved in a model, with what it was trained on. */
    Map<String, Object> toMap(Dataset data) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("model", model);
        map.put("precision", precision.label());
        map.put("epochs", epochs);
        map.put("batch", batch);
        map.put("optimizer", optimizer);
        map.put("rate", rate);
        map.put("schedule", schedule);
        map.put("weight-decay", weightDecay);
        map.put("seed", seed);
        map.put("micro-batches", microBatches);
        map.put("freeze", frozen);
        map.put("augment", augment ? "yes" : "");
        map.put("data", data.name());
        map.put("dataSha256", data.sha256());
        return map;
    }
}
