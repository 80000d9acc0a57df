package io.github.jcuconv.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.jcuconv.Dims;
import io.github.jcuconv.io.NamedTensor;
import io.github.jcuconv.io.Safetensors;
import io.github.jcuconv.models.Models;
import io.github.jcuconv.models.Torchvision;
import io.github.jcuconv.nn.Network;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Training on folders of images that begins with another model's weights. */
class PretrainedTest {
    @TempDir
    Path folder;

    /** Two classes: light above, light below. */
    @BeforeEach
    void draw() throws IOException {
        for (String name : List.of("above", "below")) {
            Path of = Files.createDirectories(folder.resolve("pictures").resolve(name));
            for (int i = 0; i < 40; i++) {
                BufferedImage image = new BufferedImage(40, 32, BufferedImage.TYPE_INT_RGB);
                for (int p = 0; p < 40 * 32; p++) {
                    boolean light = p / 40 < 16 == name.equals("above");
                    image.setRGB(p % 40, p / 40, light ? 0xc0b0a0 - 0x010101 * i : 0x201008 + 0x010101 * i);
                }
                ImageIO.write(image, "png", of.resolve(i + ".png").toFile());
            }
        }
    }

    private Cli train(String out, String... more) {
        List<String> args = new ArrayList<>(List.of("train", "--model", "lenet5", "--data"));
        args.addAll(List.of(folder.resolve("pictures").toString(), "--size", "16", "--batch", "16", "--epochs", "2"));
        args.addAll(List.of("--out", folder.resolve(out).toString()));
        args.addAll(Arrays.asList(more));
        return Cli.runOnEngine(args.toArray(new String[0]));
    }

    private Map<String, float[]> weights(String out) {
        return SavedModel.load(folder.resolve(out)).tensors();
    }

    @Test
    void frozen_layers_stay_as_the_other_model_has_them() throws IOException {
        Path page = folder.resolve("page.html");
        Cli first = train("first", "--augment", "--report", page.toString()).succeeded();
        assertTrue(
                Files.readString(page).contains("<title>above taken for below: "), "the page has the classes' names");
        assertTrue(first.out().contains("pictures: 64 training and 16 test images of 3x16x16"), first.out());
        Cli second = train("second", "--from", folder.resolve("first").toString(), "--freeze", "conv2", "--seed", "5")
                .succeeded();
        assertTrue(second.out().contains("first: 10 tensors"), second.out());
        Map<String, float[]> before = weights("first");
        Map<String, float[]> after = weights("second");
        for (String frozen : List.of("conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias")) {
            assertArrayEquals(before.get(frozen), after.get(frozen), frozen);
        }
        assertFalse(Arrays.equals(before.get("fc1.weight"), after.get("fc1.weight")));
        assertFalse(after.containsKey("conv1.weight.m"), "a frozen layer has no optimizer state");
        Cli named = Cli.runOnEngine(
                        "predict",
                        folder.resolve("second").toString(),
                        folder.resolve("pictures/below/3.png").toString())
                .succeeded();
        assertTrue(named.out().contains("  below  ") || named.out().contains("  above  "), named.out());
        String accuracy = Cli.runOnEngine(
                        "evaluate",
                        folder.resolve("second").toString(),
                        "--data",
                        folder.resolve("pictures").toString())
                .succeeded()
                .out();
        assertTrue(accuracy.contains("of 16 test images right"), accuracy);
    }

    @Test
    void resuming_keeps_what_is_frozen_and_asks_for_the_same() {
        train("first").succeeded();
        String[] frozen = {"--from", folder.resolve("first").toString(), "--freeze", "conv1"};
        train("second", frozen).succeeded();
        String[] again = Arrays.copyOf(frozen, 5);
        again[4] = "--resume";
        train("second", again).succeeded();
        train("second", "--resume").failed(1, "--freeze conv1");
    }

    @Test
    void what_does_not_fit_is_said() {
        train("first").succeeded();
        String from = folder.resolve("first").toString();
        train("a", "--freeze", "conv1").failed(2, "--freeze conv1: needs --from");
        train("a", "--from", from, "--freeze", "conv9").failed(2, "conv9");
        train("a", "--from", from, "--model", "mnist-cnn").failed(2, "--model");
        train("a", "--from", folder.resolve("nothing").toString()).failed(1, "nothing");
        Cli other = Cli.runOnEngine(
                "train",
                "--model",
                "mnist-cnn",
                "--data",
                folder.resolve("pictures").toString(),
                "--from",
                from);
        other.failed(1, "has no tensor of mnist-cnn in its shape");
        Cli.runOnEngine(
                        "train",
                        "--model",
                        "lenet5",
                        "--data",
                        folder.resolve("pictures").toString(),
                        "--size",
                        "16",
                        "--from",
                        from,
                        "--freeze",
                        "fc3")
                .failed(2, "nothing behind it could learn");
    }

    @Test
    void torchvisions_names_are_known_and_a_new_head_begins_at_random() throws IOException {
        Network theirs = Models.get("resnet18", new Dims(1, 3, 32, 32), 5);
        List<NamedTensor> tensors = new ArrayList<>();
        Torchvision.tensors(theirs).forEach((name, tensor) -> {
            int count = (int) tensor.shape().stream().mapToLong(n -> n).reduce(1, Math::multiplyExact);
            float[] values = new float[count];
            Arrays.fill(values, name.hashCode() % 100);
            tensors.add(NamedTensor.of(
                    tensor.name(),
                    FloatBuffer.wrap(values),
                    tensor.shape().stream().mapToLong(n -> n).toArray()));
        });
        Path file = folder.resolve("resnet18.safetensors");
        try (OutputStream out = Files.newOutputStream(file)) {
            Safetensors.write(out, Map.of(), tensors);
        }
        Network ours = Models.get("resnet18", new Dims(1, 3, 32, 32), 2);
        Pretrained found = Pretrained.read(file, ours, "");
        assertEquals(ours.parameters().size() - 2, found.taken().size());
        assertTrue(
                found.lines().get(0).endsWith("at random: fc.weight, fc.bias"),
                found.lines().toString());
        found.taken().forEach((name, values) -> assertEquals(name.hashCode() % 100, values[values.length - 1], name));
    }
}
