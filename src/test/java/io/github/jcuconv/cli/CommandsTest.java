package io.github.jcuconv.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.jcuconv.Engine;
import io.github.jcuconv.data.Datasets;
import io.github.jcuconv.data.Digits;
import io.github.jcuconv.io.Checkpoint;
import io.github.jcuconv.io.Json;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/** What each command says, to people and in JSON. */
class CommandsTest {
    @TempDir
    Path folder;

    private Map<String, Object> json() {
        return Json.read(folder.resolve("r.json"));
    }

    private Cli train(Path out, String... more) {
        Path data = folder.resolve("data");
        if (!Files.exists(data)) {
            Cli.idx(data, 256, 64);
        }
        List<String> args = new ArrayList<>(List.of("train", "--model", "lenet5", "--data", "fashion-mnist:" + data));
        args.addAll(List.of("--batch", "32", "--epochs", "3", "--out", out.toString()));
        args.addAll(List.of("--json", folder.resolve("r.json").toString()));
        args.addAll(Arrays.asList(more));
        return Cli.runOnEngine(args.toArray(new String[0]));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "mnist",
                "train",
                "evaluate",
                "predict",
                "summary",
                "memory",
                "verify",
                "bench",
                "example",
                "doctor"
            })
    void help_ends_with_an_example(String command) {
        Cli help = Cli.run(command, "--help").succeeded();
        List<String> lines = help.out().lines().toList();
        assertTrue(lines.get(lines.size() - 1).startsWith("Example: ./jcuconv " + command), help.out());
        assertTrue(lines.get(0).startsWith("jcuconv " + command + ": "), help.out());
        assertTrue(
                Cli.run("--help").succeeded().out().contains("  " + command + " "), "missing in the list of commands");
    }

    @Test
    @SuppressWarnings("unchecked")
    void summary_counts_lenet5_as_the_paper_does() {
        Cli.run(
                        "summary",
                        "--model",
                        "lenet5",
                        "--json",
                        folder.resolve("r.json").toString())
                .succeeded();
        assertEquals(61_706L, json().get("parameters"));
        assertEquals(61_706L, json().get("trainableParameters"));
        assertEquals(416_520L, json().get("multiplyAdds"));
        List<Map<String, Object>> layers = (List<Map<String, Object>>) json().get("layers");
        assertEquals(7, layers.size());
        assertEquals("16x10x10", layers.get(2).get("output"));
    }

    @Test
    @SuppressWarnings("unchecked")
    void explain_names_kernels_and_runs_nothing() {
        String file = folder.resolve("r.json").toString();
        String engine = Engine.providers().stream()
                        .anyMatch(p ->
                                p.name().equals("emulated") && p.unavailable().isEmpty())
                ? "emulated"
                : "reference";
        // 120 GFLOP: nothing on a CPU would finish them here.
        String shape = "n64c256h56w56k256r3s3pt1pb1pl1pr1 wide";
        Cli cli = Cli.run(
                        "bench",
                        "--op",
                        "conv2d",
                        "--shapes",
                        shape,
                        "--explain",
                        "--precision",
                        "fp16",
                        "--engine",
                        engine,
                        "--json",
                        file)
                .succeeded();
        List<Map<String, Object>> rows = (List<Map<String, Object>>) json().get("rows");
        assertEquals(4, rows.size());
        if (engine.equals("emulated")) {
            assertTrue(rows.get(0).get("algorithm").toString().contains("wgmma_gemm"), rows.toString());
            assertTrue(cli.out().contains("; not grouped_mma: a single group; an H200 should take "), cli.out());
            String first = "n2c64h8w8k64r3s3pt1pb1pl1pr1g64 depthwise";
            Cli none = Cli.run("bench", "--op", "conv2d", "--shapes", first, "--explain", "--engine", engine)
                    .succeeded();
            assertTrue(none.out().contains("\n         an H200 should take "), none.out());
            String terms = "n2c16h8w8k16r3s3 x";
            Cli tf32 = Cli.run(
                            "bench",
                            "--op",
                            "conv2d",
                            "--shapes",
                            terms,
                            "--explain",
                            "--precision",
                            "tf32",
                            "--engine",
                            engine)
                    .succeeded();
            assertTrue(tf32.out().contains("  fprop  conv2d fprop mma_gemm tf32 "), tf32.out());
            Cli verified = Cli.run("verify", "--op", "conv2d", "--shapes", terms, "--dtype", "tf32", "--engine", engine)
                    .succeeded();
            assertTrue(verified.out().contains("conv2d fprop mma_gemm tf32 "), verified.out());
            Cli pool = Cli.run(
                            "verify",
                            "--op",
                            "max-pool2d",
                            "--shapes",
                            "n1c2h4w4r2s2",
                            "--dtype",
                            "tf32",
                            "--engine",
                            engine)
                    .succeeded();
            assertTrue(pool.out().endsWith(" 0 failed, 0 skipped\n"), pool.out());
        }
        Cli.run("bench", "--op", "conv2d", "--shapes", "n1c1h1w1k1r3s3 x", "--explain", "--engine", engine)
                .failed(2, "the window 3x3 is larger");
    }

    @Test
    @SuppressWarnings("unchecked")
    void memory_parts_add_up_and_the_largest_batch_is_the_largest() {
        String file = folder.resolve("r.json").toString();
        Cli.runOnEngine("memory", "--model", "lenet5", "--batch", "16", "--limit", "4MiB", "--json", file)
                .succeeded();
        long peak = (Long) json().get("peakBytes");
        Map<String, Object> parts = (Map<String, Object>) json().get("parts");
        assertEquals(peak, parts.values().stream().mapToLong(v -> (Long) v).sum());
        assertFalse(((List<?>) json().get("remedies")).isEmpty());
        long largest = (Long) json().get("largestBatch");
        assertTrue(peak(largest) <= 4 << 20, "the largest batch does not fit");
        assertTrue(peak(largest + 1) > 4 << 20, "a larger batch fits");
    }

    private long peak(long batch) {
        String file = folder.resolve("r.json").toString();
        Cli.runOnEngine("memory", "--model", "lenet5", "--batch", Long.toString(batch), "--json", file)
                .succeeded();
        return (Long) json().get("peakBytes");
    }

    @Test
    @SuppressWarnings("unchecked")
    void train_writes_the_promised_json_and_predicts_its_memory() {
        Cli result = train(folder.resolve("model")).succeeded();
        assertEquals(Set.of("engine", "model", "data", "runs"), json().keySet());
        assertEquals("fashion-mnist", json().get("data"));
        Map<String, Object> run = ((List<Map<String, Object>>) json().get("runs")).get(0);
        assertTrue(
                run.keySet()
                        .containsAll(Set.of(
                                "precision", "epochs", "testAccuracy", "seconds", "imagesPerSecond", "weightsSha256")),
                run.toString());
        Map<String, Object> memory = (Map<String, Object>) run.get("memory");
        assertEquals(memory.get("predictedBytes"), memory.get("measuredBytes"));
        assertEquals(
                memory.get("predictedBytes"),
                ((Map<String, Object>) memory.get("parts"))
                        .values().stream().mapToLong(v -> (Long) v).sum());
        assertEquals(
                3,
                result.out().lines().filter(l -> l.startsWith("fp32  epoch ")).count(),
                result.out());
        assertFalse(result.out().contains("\r"), "a pipe must not see a redrawn bar");
    }

    @Test
    void train_writes_a_page_that_refers_to_nothing_else() throws Exception {
        Path page = folder.resolve("page.html");
        train(folder.resolve("model"), "--report", page.toString()).succeeded();
        String html = Files.readString(page);
        Document parsed = DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new ByteArrayInputStream(html.getBytes(StandardCharsets.UTF_8)));
        assertFalse(html.contains("http") || html.contains("url("), "it names an address");
        NodeList all = parsed.getElementsByTagName("*");
        Set<String> elements = new TreeSet<>();
        for (int i = 0; i < all.getLength(); i++) {
            Element element = (Element) all.item(i);
            elements.add(element.getTagName());
            for (String reference : List.of("src", "href")) {
                String target = element.getAttribute(reference);
                assertTrue(target.isEmpty() || target.startsWith("data:image/png;base64,"), target);
            }
        }
        assertTrue(elements.containsAll(Set.of("svg", "polyline", "rect", "image", "img")), elements.toString());
        assertFalse(elements.contains("script") || elements.contains("link"), elements.toString());
        assertEquals(6, parsed.getElementsByTagName("h2").getLength());
        for (String fact : List.of("seed", "machine", "engine", (String) sha())) {
            assertTrue(html.contains("<td>" + fact + "</td>"), fact);
        }
    }

    @Test
    void resumed_training_gives_the_same_bits() throws Exception {
        for (String precision : List.of("fp32", "fp16")) {
            Path whole = folder.resolve("whole-" + precision);
            Path parts = folder.resolve("parts-" + precision);
            train(whole, "--precision", precision).succeeded();
            Object expected = sha();
            // Stops after the first epoch as a kill does: nothing is told to the program.
            interrupted(parts, precision);
            assertEquals(1L, SavedModel.load(parts).number("epochsDone"));
            train(parts, "--precision", precision, "--resume").succeeded();
            assertEquals(expected, sha(), precision);
            assertEquals(SavedModel.load(whole).config(), SavedModel.load(parts).config());
        }
    }

    private Object sha() {
        return ((Map<?, ?>) ((List<?>) json().get("runs")).get(0)).get("weightsSha256");
    }

    private void interrupted(Path out, String precision) {
        Settings settings =
                new Settings("lenet5", Settings.precision(precision), 3, 32, "adam", 2e-3f, "one-cycle", 0, 1);
        var data = DataOption.parse("fashion-mnist:" + folder.resolve("data")).load(28);
        TrainRun.Listener stop = new TrainRun.Listener() {
            @Override
            public void begin(int done) {
                if (done == 1) {
                    throw new Failure("stopped");
                }
            }

            @Override
            public void step(int epoch, int step, int steps, io.github.jcuconv.nn.Trainer trainer) {}

            @Override
            public void end(TrainRun.Epoch epoch) {}
        };
        try (var engine = Engine.open(Cli.ENGINE)) {
            new TrainRun(settings, data, engine, stop).run(out, null, Map.of());
            throw new AssertionError("it was not stopped");
        } catch (Failure e) {
            assertEquals("stopped", e.getMessage());
        }
    }

    @Test
    @SuppressWarnings("unchecked")
    void evaluate_repeats_the_accuracy_of_the_training() {
        Path out = folder.resolve("model");
        train(out).succeeded();
        Object accuracy =
                ((List<Map<String, Object>>) json().get("runs")).get(0).get("testAccuracy");
        String file = folder.resolve("r.json").toString();
        String data = "fashion-mnist:" + folder.resolve("data");
        Cli.runOnEngine("evaluate", out.toString(), "--data", data, "--batch", "7", "--json", file)
                .succeeded();
        assertEquals(accuracy, json().get("testAccuracy"));
        assertEquals(64L, json().get("images"));
    }

    @Test
    void terminal_gets_one_bar_redrawn_in_place() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        Progress progress = new Progress(Cli.stream(bytes), true, "fp32");
        progress.start();
        progress.show(1, 2, 5, 10, 32, 0.5f);
        progress.show(1, 2, 10, 10, 32, 0.25f);
        progress.line("done");
        String text = bytes.toString(StandardCharsets.UTF_8);
        assertEquals(1, text.chars().filter(c -> c == '\n').count(), text);
        assertTrue(text.contains("[#######.......]  50 %"), text);
        assertTrue(text.endsWith("\rdone\033[K" + System.lineSeparator()), text);
    }

    @Test
    void mnist_falls_back_to_digits_and_says_so() {
        MnistCommand command = new MnistCommand();
        command.lookUp = () -> new Datasets.Found(Digits.make(1, 256, 64), Optional.of("no network"));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        String out = folder.resolve("out").toString();
        String file = folder.resolve("r.json").toString();
        String[] args = {"--epochs", "1", "--batch", "32", "--engine", Cli.ENGINE, "--out", out, "--json", file};
        int status = command.execute("mnist", "", Cli.stream(bytes), System.err, false, args);
        String text = bytes.toString(StandardCharsets.UTF_8);
        assertEquals(0, status, text);
        assertTrue(text.lines().findFirst().orElseThrow().contains("on digits"), text);
        assertTrue(text.contains("mnist-cnn on digits, 1 epoch, batch 32, seed 1"), text);
        assertTrue(text.contains("MNIST: no network"), text);
        assertEquals("digits", json().get("data"));
        for (String line : text.lines().filter(l -> l.contains("%")).toList()) {
            assertFalse(line.contains("MNIST"), "MNIST beside an accuracy of digits: " + line);
        }
        assertEquals(2, ((List<?>) json().get("runs")).size());
        assertTrue(Checkpoint.exists(Path.of(out, "fp32")) && Checkpoint.exists(Path.of(out, "fp16")));
    }

    @Test
    void verify_counts_and_ends_with_the_counts() {
        String file = folder.resolve("r.json").toString();
        String shape = "n2c3h5w6k4r3s3pt1pb1pl1pr1";
        Path dump = folder.resolve("dump");
        Cli result = Cli.runOnEngine(
                "verify",
                "--op",
                "conv2d",
                "--shapes",
                shape,
                "--pass",
                "fprop",
                "--json",
                file,
                "--dump",
                dump.toString());
        result.succeeded();
        assertTrue(result.out().stripTrailing().endsWith("2 cases, 0 failed, 0 skipped"), result.out());
        assertEquals(Set.of("cases", "failed", "skipped", "failures"), json().keySet());
        assertTrue(Files.exists(dump.resolve("conv2d-fprop-fp32-" + shape + "-exact-y-oracle.npy")), dump.toString());
    }

    @Test
    void bench_reports_both_kinds() {
        String file = folder.resolve("r.json").toString();
        Cli.runOnEngine("bench", "--model", "dense-mnist", "--batch", "8", "--steps", "5", "--json", file)
                .succeeded();
        assertTrue(json().keySet()
                .containsAll(Set.of("imagesPerSecond", "medianStepMillis", "peakBytes", "residentBytes")));
        assertTrue((Double) json().get("imagesPerSecond") > 0);
        Cli.runOnEngine(
                        "bench",
                        "--op",
                        "conv2d",
                        "--shapes",
                        "n1c4h6w6k4r3s3",
                        "--against",
                        Cli.ENGINE,
                        "--json",
                        file)
                .succeeded();
        assertEquals(0, ((Number) json().get("wrong")).intValue());
        List<?> rows = (List<?>) json().get("rows");
        assertFalse(rows.isEmpty());
        for (Object row : rows) {
            assertEquals("", ((Map<?, ?>) row).get("unverified"));
            assertTrue(((Number) ((Map<?, ?>) row).get("microseconds")).doubleValue() > 0);
            assertTrue(((Number) ((Map<?, ?>) row).get("coldMicroseconds")).doubleValue() > 0);
        }
    }

    @Test
    void doctor_ends_with_one_action() {
        Cli result = Cli.run("doctor");
        List<String> lines = result.out().lines().toList();
        assertTrue(lines.get(lines.size() - 1).matches("(everything works; )?next: .+"), result.out());
        assertTrue(result.out().contains("engine reference"), result.out());
    }
}
