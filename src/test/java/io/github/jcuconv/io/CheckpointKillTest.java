package io.github.jcuconv.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.stream.JsonReader;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Another process saves without pause and is killed at random points of a save: the checkpoint must stay loadable. */
@Timeout(300)
class CheckpointKillTest {
    private static final int TENSORS = 6;
    private static final int TENSOR_BYTES = 200_000;

    @TempDir
    Path folder;

    @Test
    void loadableAfter20Kills() throws IOException, InterruptedException {
        killAndLoad(20, 1);
    }

    @Test
    @Tag("full")
    void loadableAfter100Kills() throws IOException, InterruptedException {
        killAndLoad(100, 2);
    }

    private void killAndLoad(int kills, long seed) throws IOException, InterruptedException {
        Random random = new Random(seed);
        long step = 0;
        int interrupted = 0;
        for (int kill = 0; kill < kills; kill++) {
            step = runAndKill(step + 1, 2 + random.nextInt(4 * (TENSORS + 1)), random.nextInt(2_000_000));
            if (step == 0) {
                continue;
            }
            step = requireWhole(step);
            try (Stream<Path> files = Files.list(folder)) {
                interrupted += files.count() > 2 ? 1 : 0;
            }
        }
        assertTrue(interrupted > 0, "no kill hit a save in progress");
        save(step + 1, name -> {});
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(2, files.count(), "what killed writers left must be gone after the next save");
        }
    }

    /** Runs the saver until it has printed some lines, spins for a moment, kills it; returns the last step known saved. */
    private long runAndKill(long firstStep, int lines, int spins) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-Xmx64m",
                        "-cp",
                        classPath(),
                        Saver.class.getName(),
                        folder.toString(),
                        Long.toString(firstStep))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        long saved = firstStep - 1;
        try (BufferedReader out = process.inputReader(StandardCharsets.US_ASCII)) {
            for (int i = 0; i < lines; i++) {
                String line = out.readLine();
                assertTrue(line != null, "the saving process ended by itself");
                if (line.startsWith("saved ")) {
                    saved = Long.parseLong(line.substring(6));
                }
            }
            for (int i = 0; i < spins; i++) {
                Thread.onSpinWait();
            }
            process.destroyForcibly();
        }
        process.waitFor();
        return saved;
    }

    /** The checkpoint must be of the last saved step or a later one, and all of one step. Returns it. */
    private long requireWhole(long saved) {
        try (Checkpoint checkpoint = Checkpoint.load(folder)) {
            long step = (Long) checkpoint.config().get("step");
            assertTrue(step >= saved, "step " + saved + " was saved, but " + step + " was found");
            for (int t = 0; t < TENSORS; t++) {
                byte[] bytes = checkpoint.weights().read("t" + t).array();
                byte[] expected = new byte[TENSOR_BYTES];
                Arrays.fill(expected, (byte) (step + t));
                assertTrue(Arrays.equals(expected, bytes), "tensor " + t + " is not of step " + step);
            }
            return step;
        }
    }

    private interface Progress {
        void writing(String tensor);
    }

    private void save(long step, Progress progress) {
        save(folder, step, progress);
    }

    private static void save(Path folder, long step, Progress progress) {
        List<NamedTensor> tensors = new ArrayList<>();
        for (int t = 0; t < TENSORS; t++) {
            String name = "t" + t;
            byte[] bytes = new byte[TENSOR_BYTES];
            Arrays.fill(bytes, (byte) (step + t));
            tensors.add(new NamedTensor(name, ElementType.U8, List.of((long) TENSOR_BYTES), out -> {
                progress.writing(name);
                out.write(bytes);
            }));
        }
        Checkpoint.save(folder, step, Map.of("step", step), tensors);
    }

    private static String classPath() {
        return Stream.of(Checkpoint.class, CheckpointKillTest.class, JsonReader.class)
                .map(type -> {
                    try {
                        return Path.of(type.getProtectionDomain()
                                        .getCodeSource()
                                        .getLocation()
                                        .toURI())
                                .toString();
                    } catch (URISyntaxException e) {
                        throw new AssertionError(e);
                    }
                })
                .collect(Collectors.joining(File.pathSeparator));
    }

    /** The process that is killed; it says what it does on its output. */
    static final class Saver {
        private Saver() {}

        public static void main(String[] args) {
            Path folder = Path.of(args[0]);
            for (long step = Long.parseLong(args[1]); ; step++) {
                save(folder, step, name -> System.out.println("writing " + name));
                System.out.println("saved " + step);
            }
        }
    }
}
