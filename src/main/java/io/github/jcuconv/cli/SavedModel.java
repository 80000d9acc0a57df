package io.github.jcuconv.cli;

import io.github.jcuconv.CorruptFileException;
import io.github.jcuconv.Dims;
import io.github.jcuconv.FileException;
import io.github.jcuconv.data.Dataset;
import io.github.jcuconv.io.Checkpoint;
import io.github.jcuconv.io.NamedTensor;
import io.github.jcuconv.models.Models;
import io.github.jcuconv.nn.Network;
import io.github.jcuconv.nn.Parameter;
import io.github.jcuconv.nn.TrainingState;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * A model in a folder: weights and optimizer state, and beside them how it was made and how far it got.
 *
 * @param folder where it lies
 * @param config what {@link #save} wrote
 * @param tensors by name, in plain order
 */
record SavedModel(Path folder, Map<String, Object> config, Map<String, float[]> tensors) {
    /** Saves, replacing the model in the folder as a whole. */
    static void save(
            Path folder,
            Settings settings,
            Dataset data,
            Network network,
            TrainingState state,
            long epoch,
            double accuracy) {
        Map<String, Object> config = settings.toMap(data);
        Dims input = network.input();
        config.put("input", List.of(input.c(), input.h(), input.w()));
        config.put("classes", data.classes());
        config.put("labels", data.labels());
        config.put("mean", data.mean());
        config.put("std", data.std());
        config.put("epochsDone", epoch);
        config.put("step", state.step());
        config.put("updates", state.updates());
        config.put("lossScale", state.lossScale());
        config.put("goodSteps", state.goodSteps());
        config.put("testAccuracy", accuracy);
        Map<String, Dims> shapes = new LinkedHashMap<>();
        for (Parameter p : network.parameters()) {
            shapes.put(p.name(), p.dims());
            shapes.put(p.name() + ".m", p.dims());
            shapes.put(p.name() + ".v", p.dims());
        }
        List<NamedTensor> tensors = new ArrayList<>();
        state.tensors().forEach((name, values) -> {
            Dims d = Objects.requireNonNull(shapes.get(name), name);
            tensors.add(NamedTensor.of(name, FloatBuffer.wrap(values), shape(d)));
        });
        Checkpoint.save(folder, state.step(), config, tensors);
    }

    /** The shape under which a parameter is saved. */
    static long[] shape(Dims d) {
        return d.n() == 1 && d.perImage() == d.c() ? new long[] {d.c()} : new long[] {d.n(), d.c(), d.h(), d.w()};
    }

    /**
     * Reads a whole model.
     *
     * @throws FileException if there is none
     * @throws CorruptFileException if it is broken
     */
    static SavedModel load(Path folder) {
        if (!Checkpoint.exists(folder)) {
            throw new FileException(
                    folder.toString(), "there is no saved model", "name a folder that train or mnist wrote");
        }
        try (Checkpoint checkpoint = Checkpoint.load(folder)) {
            Map<String, float[]> tensors = new LinkedHashMap<>();
            for (String name : checkpoint.weights().names()) {
                tensors.put(name, checkpoint.weights().readFloats(name));
            }
            return new SavedModel(folder, checkpoint.config(), tensors);
        }
    }

    /** The network, for the input and the classes that it was trained with. */
    Network network() {
        List<?> input = value("input", List.class);
        if (input.size() != 3 || !input.stream().allMatch(n -> n instanceof Long l && l > 0 && l < 1 << 16)) {
            throw corrupt("input");
        }
        int[] chw = input.stream().mapToInt(n -> ((Long) n).intValue()).toArray();
        try {
            return Models.get(text("model"), new Dims(1, chw[0], chw[1], chw[2]), (int) number("classes"));
        } catch (IllegalArgumentException e) {
            throw new CorruptFileException(file(), String.valueOf(e.getMessage()), "use the version that saved it");
        }
    }

    /** What training goes on from. */
    TrainingState state() {
        return new TrainingState(
                tensors,
                number("step"),
                number("updates"),
                value("lossScale", Double.class).floatValue(),
                (int) number("goodSteps"));
    }

    /**
     * Refuses to go on with other settings or data than those it was begun with.
     *
     * @throws FileException naming the first that differs
     */
    void requireSame(Settings settings, Dataset data) {
        settings.toMap(data).forEach((key, given) -> {
            String saved = String.valueOf(config.getOrDefault(key, ""));
            if (!saved.equals(String.valueOf(given))) {
                String what = key.equals("dataSha256") ? "other images" : "--" + key + " " + saved;
                throw new FileException(
                        folder.toString(),
                        "it was begun with " + what
                                + (key.equals("dataSha256") ? " of " + data.name() : ", not " + given),
                        "resume with the same settings, or choose another --out");
            }
        });
    }

    /** The names of the classes; their numbers, in a model saved by an earlier version. */
    List<String> labels() {
        return config.get("labels") instanceof List<?> names && names.size() == number("classes")
                ? names.stream().map(String::valueOf).toList()
                : IntStream.range(0, (int) number("classes"))
                        .mapToObj(Integer::toString)
                        .toList();
    }

    String text(String key) {
        return value(key, String.class);
    }

    long number(String key) {
        return value(key, Long.class);
    }

    float decimal(String key) {
        return value(key, Double.class).floatValue();
    }

    private <T> T value(String key, Class<T> type) {
        Object value = config.get(key);
        if (!type.isInstance(value)) {
            throw corrupt(key);
        }
        return type.cast(value);
    }

    private CorruptFileException corrupt(String key) {
        return new CorruptFileException(
                file(), "its config has no usable \"" + key + "\"", "restore it or train again");
    }

    private String file() {
        return folder.resolve(Checkpoint.MODEL).toString();
    }
}
