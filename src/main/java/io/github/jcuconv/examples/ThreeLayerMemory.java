package io.github.jcuconv.examples;

import io.github.jcuconv.Engine;
import io.github.jcuconv.memory.MemoryPlan;
import io.github.jcuconv.memory.Part;
import io.github.jcuconv.models.BookCount;
import io.github.jcuconv.models.Models;
import io.github.jcuconv.nn.Network;
import io.github.jcuconv.nn.Optimizer;
import io.github.jcuconv.nn.Precision;
import io.github.jcuconv.nn.Predictor;
import io.github.jcuconv.nn.Schedule;
import io.github.jcuconv.nn.Trainer;
import io.github.jcuconv.nn.TrainerConfig;
import java.util.Map;

/** The exercise of three convolutions on 200x300 RGB images: what is counted by hand, what is planned, and what is allocated. */
final class ThreeLayerMemory implements Example {
    @Override
    public String question() {
        return "How many parameters has a CNN of three layers, and how much memory does it take?";
    }

    @Override
    public Finding run(Engine engine, boolean quick, long seed) {
        Network network = Models.get("three-layer");
        BookCount book = BookCount.of(network);
        Finding finding = new Finding().table("layer", "maps", "parameters", "B of its maps, one image");
        for (Network.Node node : network.nodes()) {
            long parameters = network.parameters().stream()
                    .filter(p -> p.layer().equals(node.name()))
                    .mapToLong(p -> p.dims().count())
                    .sum();
            String maps = node.output().c() + " of " + node.output().h() + "x"
                    + node.output().w();
            finding.row(
                    node.name(), maps, parameters, Float.BYTES * node.output().perImage());
        }
        finding.row("all", "", network.totalParameters(), book.maps());

        int batch = quick ? 4 : 50;
        TrainerConfig config =
                new TrainerConfig(batch, Precision.FP32, Optimizer.sgd(0), new Schedule.Constant(1e-4f), 1, seed);
        MemoryPlan plan = Trainer.predict(network, engine, config);
        MemoryPlan planned = Predictor.predict(network, engine, 1, Precision.FP32);
        long before = engine.ledger().liveBytes();
        long trains;
        long infers;
        Map<String, float[]> parameters;
        try (Trainer trainer = new Trainer(network, engine, config)) {
            int images = (int) network.input().withN(batch).count();
            int pixels = (int) (network.output().output().withN(batch).count()
                    / network.output().output().c());
            trainer.step(new float[images], new int[pixels]);
            trainer.loss();
            trains = engine.ledger().liveBytes() - before;
            parameters = trainer.parameters();
        }
        try (Predictor predictor = new Predictor(network, engine, 1, Precision.FP32, parameters)) {
            predictor.infer(new float[(int) network.input().count()]);
            infers = engine.ledger().liveBytes() - before;
        }
        String training = "a training step of " + batch;
        finding.table("B for", "counted by hand", "planned", "allocated")
                .row("an inference of one image", book.inference(), planned.predictedBytes(), infers)
                .row(training, book.training(batch), plan.predictedBytes(), trains);
        finding.table("planned for the step", "B");
        plan.partsAtPeak().forEach((part, bytes) -> {
            if (bytes > 0) {
                finding.row(part.label(), bytes);
            }
        });
        long byEngine = plan.partsAtPeak().getOrDefault(Part.CONVERSION, 0L)
                + plan.partsAtPeak().getOrDefault(Part.PADDING, 0L);
        return finding.answer(
                "%,d parameters; for %s the count by hand says %,d B, the plan, which is allocated to the byte, %.2f times that: "
                        + "gradients of the maps take %,d B more, copies and padding for the engine %,d B.",
                network.totalParameters(),
                training,
                book.training(batch),
                (double) plan.predictedBytes() / book.training(batch),
                plan.partsAtPeak().getOrDefault(Part.ACTIVATION_GRADIENTS, 0L),
                byEngine);
    }
}
