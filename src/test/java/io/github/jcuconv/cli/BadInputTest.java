package io.github.jcuconv.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.jcuconv.FileException;
import io.github.jcuconv.UnsupportedException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever is wrong: one line that names it, the right exit status, nothing half-written. */
class BadInputTest {
    @TempDir
    Path folder;

    private Path data;

    @BeforeEach
    void writeData() {
        data = Cli.idx(folder.resolve("data"), 64, 32);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            value = {
                "nonsense | command nonsense: unknown",
                "tran | did you mean train?",
                "train | --model",
                "train --model lenet5 --data digits --batch 0 | --batch 0",
                "bench --model lenet5 --explain | --explain: needs --op",
                "train --model lenet5 --data digits --batch x | --batch",
                "train --model lenet5 --data digits --epochs 0 | --epochs 0",
                "train --model lenet --data digits | did you mean lenet5?",
                "train --model lenet5 --data digit | did you mean digits?",
                "train --model three-layer --data digits --engine reference | --model three-layer gives 1x400x4x4",
                "train --model lenet5 --data digits --precision fp15 | did you mean fp16?",
                "train --model lenet5 --data digits --optimizer adan | did you mean adam?",
                "train --model lenet5 --data digits --schedule cosin | did you mean cosine?",
                "train --model lenet5 --data digits --rate 0 | --rate",
                "train --model lenet5 --data digits --resume | --out",
                "train --model lenet5 --data digits --report / | --report /: is a folder",
                "train --model lenet5 --data digits --epoch 3 | did you mean",
                "mnist --precision fp32,fp8 | --precision fp8",
                "memory --model lenet5 --engine onednm | --engine onednm",
                "memory --model lenet5 --batch 0 | --batch 0",
                "memory --model lenet5 --batch 2000000000 | --batch 2000000000",
                "bench --model dense-mnist --batch 10000000 --engine reference | 2^31 elements",
                "memory --model lenet5 --engine reference --limit lots | --limit lots",
                "summary --model lenet5 --input 1x4x4 | conv2",
                "summary --model lenet5 --input big | --input big",
                "summary --model lenet5 --threads 0 | --threads 0",
                "verify --op conv3d --shapes n1c1h1w1k1r1s1 | did you mean conv2d?",
                "verify --op conv2d --shapes n1c1h2w2k1r3s3 --engine reference | --shapes:1",
                "verify --op conv2d --shapes n1n1 --engine reference | twice",
                "bench | --model",
                "example lnr | did you mean lrn?",
                "example lrn --chart lrn.svg | lrn draws none; these do: feature-maps",
            })
    void wrong_argument_is_named_and_exits_2(String line, String part) {
        Cli.run(line.split(" ")).failed(Command.USAGE, part);
    }

    @Test
    void verbose_adds_the_trace() {
        Cli result = Cli.run("summary", "--model", "nothing", "--verbose");
        assertEquals(Command.USAGE, result.status());
        assertTrue(result.err().contains("\tat "), result.err());
    }

    /** A command that only fails. */
    private static final class Failing extends Command {
        private final RuntimeException failure;

        Failing(RuntimeException failure) {
            this.failure = failure;
        }

        @Override
        int run() {
            throw failure;
        }

        @Override
        String example() {
            return "";
        }

        static Cli with(RuntimeException failure) {
            ByteArrayOutputStream err = new ByteArrayOutputStream();
            int status = new Failing(failure).execute("x", "", System.out, Cli.stream(err), false);
            return new Cli(status, "", err.toString(StandardCharsets.UTF_8));
        }
    }

    @Test
    void what_cannot_run_here_exits_3_and_everything_else_1() {
        Failing.with(new UnsupportedException("cuda", "here", "no device", List.of("onednn")))
                .failed(Command.NOT_RUN, "cuda", "no device", "onednn");
        Failing.with(new FileException("f", "is missing", "make it")).failed(Command.FAILED, "f: is missing; make it");
        Failing.with(new Failure("first\n  second")).failed(Command.FAILED, "first; second");
        Cli unexpected = Failing.with(new IllegalStateException("odd"));
        assertEquals(Command.FAILED, unexpected.status());
        assertTrue(
                unexpected.err().contains("--verbose")
                        && unexpected.err().lines().count() == 1,
                unexpected.err());
    }

    /** How a file of the data is broken. */
    private interface Damage {
        void apply(Path data) throws IOException;
    }

    private static Arguments damage(String name, int file, String rule, Damage damage) {
        return Arguments.of(name, Cli.FILES.get(file), rule, damage);
    }

    static Stream<Arguments> damages() {
        return Stream.of(
                damage("truncated gzip", 0, "truncated", d -> {
                    Path file = d.resolve(Cli.FILES.get(0));
                    byte[] all = Files.readAllBytes(file);
                    Files.write(file, Arrays.copyOf(all, all.length / 2));
                }),
                damage("truncated content", 3, "truncated", d -> idx(d, 3, 0x801, 9_999, 20)),
                damage("oversized content", 1, "goes on", d -> idx(d, 1, 0x801, 10, 20)),
                damage("wrong magic", 1, "magic", d -> idx(d, 1, 0x803, 10, 10)),
                damage("labels of other images", 1, "labels", d -> idx(d, 1, 0x801, 10, 10)),
                damage("gzip bomb", 1, "goes on", d -> idx(d, 1, 0x801, 10, 50_000_000)),
                damage("header asks for 2 GB", 1, "limit", d -> idx(d, 1, 0x801, Integer.MAX_VALUE, 10)));
    }

    private static void idx(Path data, int file, int magic, int count, int bytes) throws IOException {
        byte[] content = new byte[8 + bytes];
        ByteBuffer.wrap(content).putInt(magic).putInt(count);
        Cli.gzip(data.resolve(Cli.FILES.get(file)), content);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("damages")
    void broken_data_file_is_named_and_nothing_is_saved(String name, String file, String rule, Damage damage)
            throws IOException {
        damage.apply(data);
        Path out = folder.resolve("model");
        train(out).failed(Command.FAILED, file, rule);
        assertTrue(files(out).isEmpty(), () -> "left behind: " + files(out));
    }

    private Cli train(Path out, String... more) {
        Stream<String> args = Stream.of(
                "train", "--model", "dense-mnist", "--data", "fashion-mnist:" + data, "--batch", "32", "--epochs", "1");
        args = Stream.concat(args, Stream.of("--out", out.toString()));
        return Cli.runOnEngine(Stream.concat(args, Arrays.stream(more)).toArray(String[]::new));
    }

    private static List<Path> files(Path folder) {
        if (!Files.exists(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void missing_data_folder_is_named() {
        Path nowhere = folder.resolve("nowhere");
        Cli.run("train", "--model", "lenet5", "--data", "fashion-mnist:" + nowhere)
                .failed(Command.FAILED, nowhere.toString(), "no such folder");
        Cli.run(
                        "mnist",
                        "--data",
                        nowhere.toString(),
                        "--out",
                        folder.resolve("m").toString())
                .failed(Command.FAILED, nowhere.toString());
    }

    @Test
    void batch_above_the_number_of_images_is_refused() {
        Cli.run(
                        "train",
                        "--model",
                        "lenet5",
                        "--data",
                        "fashion-mnist:" + data,
                        "--batch",
                        "65",
                        "--engine",
                        "reference")
                .failed(Command.USAGE, "batch size 65", "64");
    }

    @Test
    void missing_model_folder_is_named() {
        Path nowhere = folder.resolve("nowhere");
        Cli.run("evaluate", nowhere.toString()).failed(Command.FAILED, nowhere.toString(), "no saved model");
        Cli.run("predict", nowhere.toString(), "x.png").failed(Command.FAILED, nowhere.toString());
    }

    @Test
    void checkpoint_of_another_model_or_setting_is_refused() {
        Path out = folder.resolve("model");
        train(out).succeeded();
        train(out).failed(Command.FAILED, out.toString(), "--resume");
        train(out, "--resume", "--seed", "2").failed(Command.FAILED, "--seed 1", "not 2");
        train(out, "--resume", "--precision", "fp16").failed(Command.FAILED, "--precision fp32");
        String[] other = {"train", "--model", "lenet5", "--data", "digits", "--resume", "--out", out.toString()};
        Cli.runOnEngine(other).failed(Command.FAILED, out.toString(), "--model dense-mnist", "not lenet5");
    }

    @Test
    void damaged_checkpoint_is_refused() throws IOException {
        Path out = folder.resolve("model");
        train(out).succeeded();
        Path weights = files(out).stream()
                .filter(f -> f.toString().endsWith(".safetensors"))
                .findFirst()
                .orElseThrow();
        byte[] bytes = Files.readAllBytes(weights);
        bytes[bytes.length - 3] ^= 1;
        Files.write(weights, bytes);
        Cli.runOnEngine("evaluate", out.toString()).failed(Command.FAILED, weights.toString());
    }

    @Test
    void bad_images_are_named_and_the_others_are_still_predicted() throws IOException {
        Path out = folder.resolve("model");
        train(out).succeeded();
        Path garbage = Files.writeString(folder.resolve("garbage.png"), "no image");
        Path huge = Files.write(folder.resolve("huge.png"), pngHeader(20_000, 20_000));
        Path good = folder.resolve("good.png");
        javax.imageio.ImageIO.write(
                new java.awt.image.BufferedImage(40, 50, java.awt.image.BufferedImage.TYPE_BYTE_GRAY),
                "png",
                good.toFile());
        Cli result = Cli.runOnEngine("predict", out.toString(), garbage.toString(), huge.toString(), good.toString());
        assertEquals(Command.FAILED, result.status());
        assertEquals(2, result.err().lines().count(), result.err());
        assertTrue(result.err().contains(garbage.toString()), result.err());
        assertTrue(result.err().contains(huge + ": 20000x20000 pixels"), result.err());
        assertTrue(result.out().contains(good.toString()), result.out());
    }

    private static byte[] pngHeader(int width, int height) {
        ByteBuffer png = ByteBuffer.allocate(33);
        png.putLong(0x89504E470D0A1A0AL).putInt(13).put("IHDR".getBytes(StandardCharsets.US_ASCII));
        png.putInt(width).putInt(height).put(new byte[] {8, 0, 0, 0, 0});
        CRC32 crc = new CRC32();
        crc.update(png.array(), 12, 17);
        png.putInt((int) crc.getValue());
        return png.array();
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void full_disk_is_named() {
        Cli.run("summary", "--model", "lenet5", "--json", "/dev/full")
                .failed(Command.FAILED, "/dev/full", "No space left");
        assertFalse(Files.isRegularFile(Path.of("/dev/full")), "the device was replaced by a file");
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void folder_that_cannot_be_written_is_found_out_before_the_training() {
        Cli result = train(Path.of("/proc/jcuconv-model")).failed(Command.FAILED, "/proc/jcuconv-model", "--out");
        assertEquals("", result.out());
        train(folder.resolve("model"), "--report", "/proc/jcuconv/page.html")
                .failed(Command.FAILED, "/proc/jcuconv", "--report");
        Cli.run(
                        "summary",
                        "--model",
                        "lenet5",
                        "--json",
                        folder.resolve("no/x.json").toString())
                .failed(Command.USAGE, "no/x.json");
    }

    @Test
    void without_mnist_and_network_train_names_the_folder_to_fill() throws Exception {
        ProcessBuilder java = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Duser.home=" + folder,
                "-Dhttps.proxyHost=127.0.0.1",
                "-Dhttps.proxyPort=1",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName(),
                "train",
                "--model",
                "lenet5",
                "--data",
                "mnist");
        java.environment().remove("MNIST_DIR");
        java.environment().remove("XDG_CACHE_HOME");
        Path err = folder.resolve("err");
        Process process = java.redirectError(err.toFile()).start();
        assertTrue(process.waitFor(30, TimeUnit.SECONDS), "the network was waited for too long");
        new Cli(process.exitValue(), "", Files.readString(err))
                .failed(Command.FAILED, "mnist", "fill " + folder.resolve(".cache/jcuconv/mnist"));
    }
}
