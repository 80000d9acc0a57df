package io.github.jcuconv.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.jcuconv.Engine;
import io.github.jcuconv.io.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.NodeList;

/** The options that predict memory, draw it, and train with less of it. */
class MemoryOptionsTest {
    @TempDir
    Path folder;

    private Map<String, Object> json() {
        return Json.read(folder.resolve("r.json"));
    }

    private Cli run(String... args) {
        List<String> all = new ArrayList<>(Arrays.asList(args));
        all.addAll(List.of("--json", folder.resolve("r.json").toString()));
        return Cli.runOnEngine(all.toArray(new String[0]));
    }

    private Cli train(String... more) {
        Path data = folder.resolve("data");
        if (!Files.exists(data)) {
            Cli.idx(data, 128, 32);
        }
        List<String> args = new ArrayList<>(List.of("train", "--model", "lenet5", "--data", "fashion-mnist:" + data));
        args.addAll(List.of("--batch", "32", "--epochs", "1"));
        args.addAll(Arrays.asList(more));
        return run(args.toArray(new String[0]));
    }

    private Map<?, ?> trained() {
        return (Map<?, ?>) ((List<?>) json().get("runs")).get(0);
    }

    private long measured() {
        return (Long) ((Map<?, ?>) trained().get("memory")).get("measuredBytes");
    }

    @Test
    void exercise_of_the_textbook_has_its_four_figures() {
        String out = run("memory", "--model", "three-layer", "--batch", "50")
                .succeeded()
                .out();
        for (String figure : List.of("14,133,600 B", "12,613,600 B", "565,613,600 B")) {
            assertTrue(out.contains(figure), figure + " is missing in: " + out);
        }
        assertTrue(out.contains("by a textbook's count"), out);
        assertTrue((Long) json().get("peakBytes") > 565_613_600L, "a real step has gradients, too");
        assertTrue(
                Cli.run("summary", "--model", "three-layer").succeeded().out().contains("903,400"));
    }

    @Test
    void chart_draws_every_tensor() throws Exception {
        Path chart = folder.resolve("arena.svg");
        run("memory", "--model", "lenet5", "--batch", "8", "--chart", chart.toString())
                .succeeded();
        NodeList titles = DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(chart.toFile())
                .getElementsByTagName("title");
        List<String> drawn = new ArrayList<>();
        for (int i = 0; i < titles.getLength(); i++) {
            drawn.add(titles.item(i).getTextContent().split(",")[0]);
        }
        assertTrue(drawn.containsAll(List.of("conv1", "d conv1", "weights", "gradients", "pool1 argmax")), "" + drawn);
    }

    @Test
    void fit_trains_within_the_limit_and_says_how() {
        train().succeeded();
        Object plain = trained().get("weightsSha256");
        long before = measured();
        String limit = Long.toString(before - 1);
        Cli fitted = train("--fit", limit).succeeded();
        assertTrue(fitted.out().contains("to fit " + limit + ": 2 micro-batches of 16 (the same sums"), fitted.out());
        assertTrue(measured() < before);
        assertNotEquals(plain, trained().get("weightsSha256"), "sums in another order round differently");
        assertEquals(fitted.out().contains("accuracy"), true, "the accuracy table stands as always: " + fitted.out());
        Object sums = trained().get("weightsSha256");
        train("--micro-batches", "2").succeeded();
        assertEquals(sums, trained().get("weightsSha256"), "by hand as by itself");
        train("--recompute").succeeded();
        assertEquals(plain, trained().get("weightsSha256"), "recomputation changes no bit");
        assertTrue(!train("--fit", "1GiB").succeeded().out().contains("to fit"), "nothing had to be done");
        assertEquals(plain, trained().get("weightsSha256"));
    }

    @Test
    void what_cannot_fit_is_refused_with_advice() {
        train("--fit", "100KiB").failed(Command.FAILED, "out of memory", "largest: ", "--micro-batches 32");
        train("--fit", "0").failed(Command.USAGE, "--fit 0");
        train("--micro-batches", "5").failed(Command.USAGE, "--micro-batches 5");
    }

    @Test
    void resuming_keeps_the_parts_of_a_batch() throws IOException {
        String out = folder.resolve("model").toString();
        train("--out", out, "--micro-batches", "2").succeeded();
        train("--out", out, "--resume").failed(Command.FAILED, "--micro-batches 2");
        train("--out", out, "--resume", "--micro-batches", "2", "--recompute").succeeded();
    }

    @Test
    void cuda_is_planned_without_a_gpu() {
        boolean emulated = Engine.providers().stream()
                .anyMatch(p -> p.name().equals("emulated") && p.unavailable().isEmpty());
        boolean gpu = Engine.providers().stream()
                .anyMatch(p -> p.name().equals("cuda") && p.unavailable().isEmpty());
        Cli cuda = Cli.run("memory", "--model", "lenet5", "--engine", "cuda", "--arch", "90a");
        if (!emulated && !gpu) {
            cuda.failed(Command.NOT_RUN, "cuda");
            return;
        }
        assertTrue(gpu || cuda.succeeded().out().contains("cuda 90a (planned without a GPU)"), cuda.out());
        Cli.run("memory", "--model", "lenet5", "--engine", "cuda", "--arch", "80")
                .failed(Command.USAGE, "--arch 80");
    }
}
