package io.github.jcuconv.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.jcuconv.CorruptFileException;
import io.github.jcuconv.FileException;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointTest {
    @TempDir
    Path folder;

    private String save(long step, float value) {
        return Checkpoint.save(
                folder,
                step,
                Map.of("model", "lenet5", "step", step),
                List.of(NamedTensor.of("w", FloatBuffer.wrap(new float[] {value, 2}), 2)));
    }

    private float loaded() {
        try (Checkpoint checkpoint = Checkpoint.load(folder)) {
            return checkpoint.weights().readFloats("w")[0];
        }
    }

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(f -> f.getFileName().toString()).sorted().toList();
        }
    }

    private String corrupt() {
        return assertThrows(CorruptFileException.class, this::loaded).getMessage();
    }

    @Test
    void configAndWeightsComeBack() {
        assertFalse(Checkpoint.exists(folder));
        String hash = save(3, 1.5f);
        assertTrue(Checkpoint.exists(folder));
        try (Checkpoint checkpoint = Checkpoint.load(folder)) {
            assertEquals(Map.of("model", "lenet5", "step", 3L), checkpoint.config());
            assertArrayEquals(new float[] {1.5f, 2}, checkpoint.weights().readFloats("w"));
        }
        assertEquals(hash, save(3, 1.5f));
    }

    @Test
    void onlyTheNewestWeightsStay() throws IOException {
        save(1, 1);
        save(2, 2);
        assertEquals(List.of("model.json", "weights-2.safetensors"), names());
    }

    @Test
    void savingTheSameStepAgainDoesNotTouchTheWeightsInUse() throws IOException {
        save(1, 1);
        save(1, 2);
        assertEquals(List.of("model.json", "weights-1.1.safetensors"), names());
        assertEquals(2f, loaded());
        save(1, 3);
        assertEquals(List.of("model.json", "weights-1.safetensors"), names());
    }

    @Test
    void aSaveThatFailsLeavesTheOldModel() throws IOException {
        save(1, 1);
        List<String> before = names();
        NamedTensor failing = new NamedTensor("w", ElementType.U8, List.of(1L), out -> {
            throw new IOException("No space left on device");
        });
        FileException e =
                assertThrows(FileException.class, () -> Checkpoint.save(folder, 2, Map.of(), List.of(failing)));
        assertTrue(e.getMessage().contains("No space left on device"), e.getMessage());
        assertThrows(
                IllegalArgumentException.class, () -> Checkpoint.save(folder, 2, Map.of("x", Double.NaN), List.of()));
        assertEquals(before, names());
        assertEquals(1f, loaded());
    }

    @Test
    void aFlippedBitInTheWeights() throws IOException {
        save(1, 1);
        Path file = folder.resolve("weights-1.safetensors");
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length - 2] ^= 1;
        Files.write(file, bytes);
        assertTrue(corrupt().contains("SHA-256"));
        Files.write(file, new byte[3]);
        assertTrue(corrupt().contains("3 bytes"));
        Files.delete(file);
        assertThrows(FileException.class, this::loaded);
    }

    @Test
    void aModelFileOfTheWrongForm() throws IOException {
        save(1, 1);
        Path file = folder.resolve("model.json");
        String good = Files.readString(file);
        Files.writeString(file, good.replace("\"format\": 1", "\"format\": 2"));
        assertTrue(corrupt().contains("format"));
        Files.writeString(file, good.replace("weights-1.safetensors", "../weights-1.safetensors"));
        assertTrue(corrupt().contains("must be called"));
        Files.writeString(file, good.replace("sha256", "sha1"));
        assertTrue(corrupt().contains("sha256"));
        Files.writeString(file, good.substring(0, good.length() / 2));
        assertTrue(corrupt().contains("malformed"));
        Files.delete(file);
        assertThrows(FileException.class, this::loaded);
    }

    @Test
    void aFolderThatCannotBeWritten() throws IOException {
        Files.writeString(folder.resolve("regular"), "x");
        assertThrows(
                FileException.class, () -> Checkpoint.save(folder.resolve("regular/model"), 1, Map.of(), List.of()));
        assertThrows(IllegalArgumentException.class, () -> save(-1, 1));
    }
}
