package io.github.jcuconv.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.jcuconv.Engine;
import io.github.jcuconv.data.Dataset;
import io.github.jcuconv.data.Digits;
import io.github.jcuconv.data.Split;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPOutputStream;

/** Runs the command line inside the test, its two streams caught. */
record Cli(int status, String out, String err) {
    /** The fastest engine that works here. */
    static final String ENGINE = Engine.providers().stream()
            .filter(p -> p.priority() >= 0 && p.unavailable().isEmpty())
            .findFirst()
            .map(p -> p.name())
            .orElse("reference");

    static final List<String> FILES = List.of(
            "train-images-idx3-ubyte.gz",
            "train-labels-idx1-ubyte.gz",
            "t10k-images-idx3-ubyte.gz",
            "t10k-labels-idx1-ubyte.gz");

    static Cli run(String... args) {
        return run(false, args);
    }

    static Cli run(boolean terminal, String... args) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int status = Main.execute(stream(out), stream(err), terminal, args);
        return new Cli(status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    /** The same, with the engine of this machine. */
    static Cli runOnEngine(String... args) {
        String[] all = Arrays.copyOf(args, args.length + 2);
        all[args.length] = "--engine";
        all[args.length + 1] = ENGINE;
        return run(all);
    }

    static PrintStream stream(OutputStream to) {
        return new PrintStream(to, true, StandardCharsets.UTF_8);
    }

    Cli succeeded() {
        assertEquals(0, status, err);
        return this;
    }

    /** One line on the error stream, with these parts and without a trace. */
    Cli failed(int expected, String... parts) {
        assertEquals(expected, status, out + err);
        assertEquals(1, err.lines().count(), err);
        assertTrue(err.startsWith("jcuconv: "), err);
        assertFalse(err.contains("\tat ") || err.contains("Exception"), err);
        for (String part : parts) {
            assertTrue(err.contains(part), () -> "\"" + part + "\" is missing in: " + err);
        }
        return this;
    }

    /** Writes a small data set as the four files of MNIST. */
    static Path idx(Path folder, int train, int test) {
        Dataset data = Digits.make(7, train, test);
        try {
            Files.createDirectories(folder);
            write(folder, 0, data.train());
            write(folder, 2, data.test());
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return folder;
    }

    private static void write(Path folder, int first, Split split) throws IOException {
        ByteBuffer images = ByteBuffer.allocate(16 + split.count() * split.imageSize());
        images.putInt(0x803).putInt(split.count()).putInt(split.height()).putInt(split.width());
        ByteBuffer labels = ByteBuffer.allocate(8 + split.count());
        labels.putInt(0x801).putInt(split.count());
        for (int i = 0; i < split.count(); i++) {
            images.put(split.image(i));
            labels.put((byte) split.label(i));
        }
        gzip(folder.resolve(FILES.get(first)), images.array());
        gzip(folder.resolve(FILES.get(first + 1)), labels.array());
    }

    static void gzip(Path file, byte[] content) throws IOException {
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
            out.write(content);
        }
    }
}
