package io.github.jcuconv.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.jcuconv.CorruptFileException;
import io.github.jcuconv.Dims;
import io.github.jcuconv.Engine;
import io.github.jcuconv.io.NamedTensor;
import io.github.jcuconv.io.Safetensors;
import io.github.jcuconv.nn.Network;
import io.github.jcuconv.nn.Precision;
import io.github.jcuconv.nn.Predictor;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Against names and shapes built here as torchvision's own modules nest, not as our layers do. */
class TorchvisionTest {
    private static Map<String, List<Long>> theirs(String model, double width) {
        Map<String, List<Long>> all = new LinkedHashMap<>();
        if (model.equals("vgg16")) {
            int[] indices = {0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28};
            long[] maps = {64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512};
            long before = 3;
            for (int i = 0; i < indices.length; i++) {
                weightAndBias(all, "features." + indices[i], Math.round(maps[i] * width), before, 3, 3);
                before = Math.round(maps[i] * width);
            }
            long hidden = Math.round(4096 * width);
            weightAndBias(all, "classifier.0", hidden, before * 7 * 7);
            weightAndBias(all, "classifier.3", hidden, hidden);
            weightAndBias(all, "classifier.6", 1000, hidden);
            return all;
        }
        boolean bottleneck = !model.equals("resnet18");
        int[] blocks = bottleneck ? new int[] {3, 4, 6, 3} : new int[] {2, 2, 2, 2};
        long in = Math.round(64 * width);
        convAndNorm(all, "conv1", "bn1", in, 3, 7);
        for (int layer = 1; layer <= blocks.length; layer++) {
            long planes = Math.round((64 << layer - 1) * width);
            long out = bottleneck ? 4 * planes : planes;
            for (int b = 0; b < blocks[layer - 1]; b++) {
                String block = "layer" + layer + "." + b + ".";
                if (bottleneck) {
                    convAndNorm(all, block + "conv1", block + "bn1", planes, in, 1);
                    convAndNorm(all, block + "conv2", block + "bn2", planes, planes, 3);
                    convAndNorm(all, block + "conv3", block + "bn3", out, planes, 1);
                } else {
                    convAndNorm(all, block + "conv1", block + "bn1", planes, in, 3);
                    convAndNorm(all, block + "conv2", block + "bn2", planes, planes, 3);
                }
                if (b == 0 && in != out) {
                    convAndNorm(all, block + "downsample.0", block + "downsample.1", out, in, 1);
                }
                in = out;
            }
        }
        weightAndBias(all, "fc", 1000, in);
        return all;
    }

    private static void weightAndBias(Map<String, List<Long>> all, String name, long... shape) {
        all.put(name + ".weight", LongStream.of(shape).boxed().toList());
        all.put(name + ".bias", List.of(shape[0]));
    }

    private static void convAndNorm(Map<String, List<Long>> all, String conv, String norm, long k, long c, long size) {
        all.put(conv + ".weight", List.of(k, c, size, size));
        for (String role : List.of("weight", "bias", "running_mean", "running_var")) {
            all.put(norm + "." + role, List.of(k));
        }
    }

    /** The numbers of entries are those of torchvision's state_dict, less one counter for each batch norm. */
    @ParameterizedTest
    @CsvSource({"resnet18, 102", "resnet50, 267", "vgg16, 32"})
    void names_and_shapes_are_torchvisions(String model, int tensors) {
        Map<String, List<Long>> ours = new TreeMap<>();
        Torchvision.tensors(Models.get(model)).values().forEach(t -> ours.put(t.name(), t.shape()));
        assertEquals(new TreeMap<>(theirs(model, 1)), ours);
        assertEquals(tensors, ours.size());
    }

    /** Where several layers have one shape, only the pairs themselves tell whether they are the right ones. */
    @ParameterizedTest
    @CsvSource({
        "resnet18, conv2_1.conv1.weight,          layer1.0.conv1.weight",
        "resnet18, conv2_2.bn1.running_mean,      layer1.1.bn1.running_mean",
        "resnet18, conv2_2.conv2.weight,          layer1.1.conv2.weight",
        "resnet18, conv5_1.shortcut.weight,       layer4.0.downsample.0.weight",
        "resnet18, conv5_1.shortcut.bn.weight,    layer4.0.downsample.1.weight",
        "resnet50, conv1.weight,                  conv1.weight",
        "resnet50, bn1.running_var,               bn1.running_var",
        "resnet50, conv4_6.bn2.bias,              layer3.5.bn2.bias",
        "resnet50, conv4_2.bn1.running_var,       layer3.1.bn1.running_var",
        "resnet50, conv2_1.shortcut.bn.bias,      layer1.0.downsample.1.bias",
        "resnet50, fc.bias,                       fc.bias",
        "vgg16,    conv1_2.weight,                features.2.weight",
        "vgg16,    conv4_3.bias,                  features.21.bias",
        "vgg16,    conv5_3.weight,                features.28.weight",
        "vgg16,    fc7.weight,                    classifier.3.weight",
    })
    void pairs(String model, String ours, String theirs) {
        assertEquals(theirs, Torchvision.tensors(Models.get(model)).get(ours).name());
    }

    private static float[] values(String name, List<Long> shape) {
        Random random = new Random(name.hashCode());
        float[] values = new float[Math.toIntExact(shape.stream().reduce(1L, Math::multiplyExact))];
        for (int i = 0; i < values.length; i++) {
            // Variances must be positive; small numbers keep deep sums finite.
            values[i] = 0.05f + 0.05f * random.nextFloat();
        }
        return values;
    }

    @ParameterizedTest
    @ValueSource(strings = {"resnet18", "resnet50", "vgg16"})
    void a_file_made_as_torchvision_would_is_read_and_runs(String model, @TempDir Path folder) throws IOException {
        double width = 0.125;
        Path file = folder.resolve(model + ".safetensors");
        List<NamedTensor> tensors = new ArrayList<>();
        theirs(model, width)
                .forEach((name, shape) -> tensors.add(NamedTensor.of(
                        name,
                        FloatBuffer.wrap(values(name, shape)),
                        shape.stream().mapToLong(n -> n).toArray())));
        try (OutputStream out = Files.newOutputStream(file)) {
            Safetensors.write(out, Map.of("format", "pt"), tensors);
        }
        Network network = Models.get(model, new Dims(1, 3, 224, 224), 1000, width);
        Map<String, float[]> parameters = new LinkedHashMap<>();
        try (Safetensors weights = Safetensors.open(file)) {
            Torchvision.tensors(network).forEach((ours, t) -> {
                parameters.put(ours, weights.readFloats(t.name(), t.shape()));
                assertArrayEquals(values(t.name(), t.shape()), parameters.get(ours));
            });
            List<Long> turned = List.of(7L, 7L, 3L, 8L);
            assertThrows(CorruptFileException.class, () -> weights.readFloats("conv1.weight", turned));
        }
        try (Engine engine = Engine.open("onednn");
                Predictor predictor = new Predictor(network, engine, 1, Precision.FP32, parameters)) {
            float[] y = predictor.infer(new float[3 * 224 * 224]);
            assertEquals(1000, y.length);
            for (float value : y) {
                assertTrue(Float.isFinite(value));
            }
        }
    }

    @Test
    void other_networks_are_refused() {
        for (String model : List.of("se-resnet50", "lenet5", "fcn8s")) {
            Network network = Models.get(model);
            assertThrows(IllegalArgumentException.class, () -> Torchvision.tensors(network), model);
        }
    }
}
