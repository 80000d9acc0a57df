package io.github.jcuconv.examples;

import static io.github.jcuconv.nn.Layer.conv;
import static io.github.jcuconv.nn.Layer.dense;
import static io.github.jcuconv.nn.Layer.maxPool;

import io.github.jcuconv.Engine;
import io.github.jcuconv.OutOfMemoryException;
import io.github.jcuconv.data.Batches;
import io.github.jcuconv.data.Dataset;
import io.github.jcuconv.data.Digits;
import io.github.jcuconv.nn.Network;
import io.github.jcuconv.nn.Optimizer;
import io.github.jcuconv.nn.Precision;
import io.github.jcuconv.nn.Schedule;
import io.github.jcuconv.nn.Trainer;
import io.github.jcuconv.nn.TrainerConfig;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.List;

/** A training that does not fit, and what textbooks advise, each trained within the limit; two remedies more that cost no accuracy. */
final class OutOfMemory implements Example {
    private static final int BATCH = 64;
    private static final int LAYERS = 5;
    private static final int MAPS = 16;
    private static final double LIMIT = 0.9;
    private static final float RATE = 2e-3f;

    /** One way to train; of several devices each takes its part of the batch. */
    private record Remedy(String name, Network network, TrainerConfig config, int devices) {}

    @Override
    public String question() {
        return "The training runs out of memory: what helps, and what does it cost?";
    }

    private static Network network(int layers, int stride) {
        Network.Builder net = Network.input("chain", 1, 28, 28);
        for (int i = 1; i <= layers; i++) {
            net.add("conv" + i, conv(MAPS, 3).stride(i == 1 ? stride : 1).same().relu());
        }
        return net.add("pool", maxPool(2, 2)).add("fc", dense(10)).build();
    }

    private static List<Remedy> remedies(long images, long seed) {
        Network as = network(LAYERS, 1);
        TrainerConfig c = config(BATCH, Precision.FP32, images, seed);
        TrainerConfig half = config(BATCH / 2, Precision.FP32, images, seed);
        return List.of(
                new Remedy("nothing", as, c, 1),
                new Remedy("half the batch", as, half, 1),
                new Remedy("stride 2 in conv1", network(LAYERS, 2), c, 1),
                new Remedy("one layer fewer", network(LAYERS - 1, 1), c, 1),
                new Remedy("16-bit floats (bf16)", as, config(BATCH, Precision.BF16, images, seed), 1),
                new Remedy("two devices", as, config(BATCH / 2, Precision.FP32, images / 2, seed), 2),
                new Remedy("recomputation", as, c.segments(TrainerConfig.BEST), 1),
                new Remedy("two micro-batches", as, c.microBatches(2), 1));
    }

    private static TrainerConfig config(int batch, Precision precision, long images, long seed) {
        return new TrainerConfig(batch, precision, Optimizer.adam(), new Schedule.OneCycle(RATE), images / batch, seed);
    }

    @Override
    public Finding run(Engine engine, boolean quick, long seed) {
        Dataset data = Digits.make(seed, quick ? 2_048 : Digits.TRAIN, quick ? 500 : Digits.TEST);
        List<Remedy> all = remedies(data.train().count(), seed);
        long most = Trainer.predict(all.get(0).network(), engine, all.get(0).config())
                .predictedBytes();
        long limit = (long) (LIMIT * most);
        Finding finding =
                new Finding().table("remedy", "planned B", "allocated B", "of the limit %", "seconds", "test %");
        finding.row(measured(engine, all.get(0), data, limit, seed));
        String largest = refused(engine, all.get(0), limit);
        for (Remedy remedy : all.subList(1, all.size())) {
            // Two devices are two trainers here, each with the memory of one.
            limit(engine, remedy.devices() * limit);
            finding.row(measured(engine, remedy, data, limit, seed));
        }
        engine.limitMemory(Long.MAX_VALUE);
        return finding.answer(
                "With %,d B instead of %,d the training does not begin, and is told that %s takes most; every remedy trains within "
                        + "that. The first four change what is learned; the last three change rounding at most, and take time.",
                limit, most, largest);
    }

    private static void limit(Engine engine, long bytes) {
        engine.limitMemory(engine.ledger().liveBytes() + bytes);
    }

    /** What the exception says takes most. */
    private static String refused(Engine engine, Remedy remedy, long limit) {
        limit(engine, limit);
        try (Trainer never = new Trainer(remedy.network(), engine, remedy.config())) {
            throw new IllegalStateException(never.memory().predictedBytes() + " B were given, the limit is " + limit);
        } catch (OutOfMemoryException e) {
            return e.largestConsumers().get(0).name();
        }
    }

    private static Object[] measured(Engine engine, Remedy remedy, Dataset data, long limit, long seed) {
        List<Trainer> trainers = new ArrayList<>();
        long before = engine.ledger().liveBytes();
        try {
            for (int i = 0; i < remedy.devices(); i++) {
                trainers.add(new Trainer(remedy.network(), engine, remedy.config()));
            }
            Trainer first = trainers.get(0);
            long allocated = (engine.ledger().liveBytes() - before) / remedy.devices();
            long began = System.nanoTime();
            train(trainers, remedy, data, seed);
            double seconds = (System.nanoTime() - began) / 1e9;
            return new Object[] {
                remedy.name(),
                first.memory().predictedBytes(),
                allocated,
                Classifier.rounded(100.0 * allocated / limit, 10),
                Classifier.rounded(seconds, 10),
                Classifier.accuracy(first::infer, data, remedy.config().batch())
            };
        } finally {
            trainers.forEach(Trainer::close);
        }
    }

    private static void train(List<Trainer> trainers, Remedy remedy, Dataset data, long seed) {
        int batch = remedy.config().batch();
        List<Batches> parts = new ArrayList<>();
        for (int i = 0; i < trainers.size(); i++) {
            parts.add(Batches.shuffled(data, batch, seed).shard(i, trainers.size()));
        }
        float[] x = new float[parts.get(0).batchElements()];
        int[] labels = new int[batch];
        long steps = remedy.config().totalSteps();
        for (int step = 0; step < steps; step++) {
            for (int i = 0; i < trainers.size(); i++) {
                if (!parts.get(i).hasNext()) {
                    parts.get(i).startEpoch(parts.get(i).position().epoch() + 1);
                }
                parts.get(i).next(FloatBuffer.wrap(x), IntBuffer.wrap(labels));
                trainers.get(i).forwardBackward(x, labels);
            }
            sum(trainers);
            trainers.forEach(t -> t.update(trainers.size()));
        }
        trainers.get(0).loss();
    }

    /** Gives every trainer the sum of all gradients: what devices do over a network. */
    private static void sum(List<Trainer> trainers) {
        if (trainers.size() == 1) {
            return;
        }
        int bytes = (int) trainers.get(0).gradients().bytes();
        float[] sum = new float[bytes / Float.BYTES];
        ByteBuffer buffer = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
        for (Trainer t : trainers) {
            t.stream().download(t.gradients(), buffer.clear());
            t.stream().synchronize();
            for (int i = 0; i < sum.length; i++) {
                sum[i] += buffer.getFloat(i * Float.BYTES);
            }
        }
        buffer.clear().asFloatBuffer().put(sum);
        for (Trainer t : trainers) {
            t.stream().upload(buffer.clear(), t.gradients());
            t.stream().synchronize();
        }
    }
}
