package io.github.jcuconv.cli;

import io.github.jcuconv.Dims;
import io.github.jcuconv.Engine;
import io.github.jcuconv.data.Batches;
import io.github.jcuconv.data.Dataset;
import io.github.jcuconv.data.Images;
import io.github.jcuconv.data.Prefetch;
import io.github.jcuconv.data.Split;
import io.github.jcuconv.models.Models;
import io.github.jcuconv.nn.Network;
import io.github.jcuconv.nn.Trainer;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Training steps in steady state: loading, forward, backward and update with Adam, as in a training. */
final class ModelBench {
    private static final int WARM_UP = 50;
    /** Steps that an engine runs before the other has its turn. */
    private static final int TURN = 10;
    /** Bytes of made-up images. */
    private static final long MOST_NOISE = 64 << 20;

    private final Trainer trainer;
    private final Batches batches;
    private final double[] millis;
    private @Nullable Prefetch prefetch;
    private long epoch;
    private int timed;

    private ModelBench(Engine engine, Settings settings, Dataset data, int steps) {
        this.trainer = new Trainer(TrainRun.network(settings.model(), data), engine, settings.config(WARM_UP + steps));
        this.batches = Batches.shuffled(data, settings.batch(), settings.seed());
        this.millis = new double[steps];
    }

    static Map<String, Object> run(
            Command command, List<Engine> engines, Settings settings, @Nullable DataOption from, int steps) {
        Dataset data = from == null ? madeUp(settings) : from.load(Images.SIZE);
        List<ModelBench> all = new ArrayList<>();
        try {
            for (Engine engine : engines) {
                ModelBench bench = new ModelBench(engine, settings, data, steps);
                all.add(bench);
                bench.steps(WARM_UP, false);
            }
            for (int done = 0, turn = 0; done < steps; done += TURN, turn++) {
                int count = Math.min(TURN, steps - done);
                for (int i = 0; i < all.size(); i++) {
                    all.get(turn % 2 == 0 ? i : all.size() - 1 - i).steps(count, true);
                }
            }
            Map<String, Object> json = report(command, engines, all, settings, data);
            all.forEach(ModelBench::close);
            json.put("residentGrowthBytes", growth(command, engines.get(0), settings, data));
            return json;
        } finally {
            all.forEach(ModelBench::close);
        }
    }

    private void steps(int count, boolean time) {
        for (int i = 0; i < count; i++) {
            long began = System.nanoTime();
            Prefetch.Batch batch = next();
            trainer.step(batch.x().array(), batch.labels().array());
            trainer.loss();
            if (time) {
                millis[timed++] = (System.nanoTime() - began) / 1e6;
            }
        }
    }

    private Prefetch.Batch next() {
        Prefetch.Batch batch = prefetch == null ? null : prefetch.next();
        while (batch == null) {
            close(prefetch);
            batches.startEpoch(epoch++);
            prefetch = new Prefetch(batches, FloatBuffer::allocate);
            batch = prefetch.next();
        }
        return batch;
    }

    private static void close(@Nullable Prefetch open) {
        if (open != null) {
            open.close();
        }
    }

    private void close() {
        close(prefetch);
        trainer.close();
    }

    /** Enough batches of noise, in the model's usual shape, that they do not stay in the caches, and that a new epoch is rare. */
    private static Dataset madeUp(Settings settings) {
        Network usual = Models.get(settings.model());
        Dims in = usual.input();
        int batches = (int) Math.max(2, Math.min(64, MOST_NOISE / (in.count() * settings.batch())));
        int count = Math.multiplyExact(batches, settings.batch());
        byte[] images = new byte[Math.toIntExact(count * in.count())];
        byte[] labels = new byte[count];
        for (int i = 0; i < images.length; i++) {
            images[i] = (byte) (i * 0x9E3779B9 >>> 24);
        }
        for (int i = 0; i < count; i++) {
            labels[i] = (byte) (i % 10);
        }
        Split split = Split.of(images, labels, in.c(), in.h(), in.w());
        int classes = usual.output().output().c();
        return new Dataset("made-up images", split, split, classes, 0.5f, 0.29f);
    }

    private static Map<String, Object> report(
            Command command, List<Engine> engines, List<ModelBench> all, Settings s, Dataset data) {
        command.say("training step of " + s.model() + ", batch " + s.batch() + ", "
                + s.precision().label() + ", " + data.name());
        Text.Table table = new Text.Table(1, "engine", "images/s", "median ms", "memory");
        Map<String, Object> json = new LinkedHashMap<>();
        double[] speeds = new double[all.size()];
        for (int i = 0; i < all.size(); i++) {
            double[] millis = all.get(i).millis.clone();
            speeds[i] =
                    s.batch() * millis.length * 1000.0 / Arrays.stream(millis).sum();
            Arrays.sort(millis);
            double median = millis[millis.length / 2];
            long peak = engines.get(i).ledger().peakBytes();
            table.row(
                    engines.get(i).name(),
                    Text.format("%,.0f", speeds[i]),
                    Text.format("%.2f", median),
                    Text.bytes(peak));
            Map<String, Object> one = i == 0 ? json : new LinkedHashMap<>();
            one.put("engine", engines.get(i).name());
            one.put("imagesPerSecond", speeds[i]);
            one.put("imagesPerSecondMedian", 1000 * s.batch() / median);
            one.put("medianStepMillis", median);
            one.put("peakBytes", peak);
            if (i > 0) {
                json.put("against", one);
                json.put("ratio", speeds[0] / speeds[i]);
            }
        }
        table.lines().forEach(command::say);
        if (all.size() > 1) {
            command.say("  ratio %.2f", speeds[0] / speeds[1]);
        }
        long resident = residentBytes();
        command.say("  resident at most " + Text.bytes(resident));
        json.put("residentBytes", resident);
        json.put("model", s.model());
        json.put("precision", s.precision().label());
        json.put("batch", s.batch());
        json.put("steps", all.get(0).millis.length);
        return json;
    }

    /** What the operating system counts for one more trainer, everything else being warm, beside what the ledger counts. */
    private static long growth(Command command, Engine engine, Settings settings, Dataset data) {
        Network network = TrainRun.network(settings.model(), data);
        Dims input = network.input().withN(settings.batch());
        float[] images = new float[Math.toIntExact(input.count())];
        int[] labels = new int[settings.batch()];
        System.gc();
        long before = resident("VmRSS:");
        try (Trainer one = new Trainer(network, engine, settings.config(1))) {
            one.step(images, labels);
            one.loss();
            System.gc();
            long grown = resident("VmRSS:") - before;
            command.say("  resident memory grows by " + Text.bytes(grown) + " with a trainer that the ledger counts as "
                    + Text.bytes(engine.ledger().liveBytes()));
            return grown;
        }
    }

    /** The most memory that this process had resident, as Linux counts it; 0 elsewhere. */
    static long residentBytes() {
        return resident("VmHWM:");
    }

    private static long resident(String key) {
        try {
            for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
                if (line.startsWith(key)) {
                    return Long.parseLong(line.replaceAll("[^0-9]", "")) * 1024;
                }
            }
        } catch (IOException e) {
            return 0;
        }
        return 0;
    }
}
