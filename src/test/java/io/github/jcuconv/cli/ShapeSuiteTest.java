package io.github.jcuconv.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.jcuconv.DataType;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.verify.Descriptors;
import io.github.jcuconv.verify.ShapeLine;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The table of layers as the shape suite and as the PyTorch peer read it: two programs, one meaning. */
class ShapeSuiteTest {
    private static final Path LAYERS = Path.of("native/test/shapes/layers.csv");
    private static final String PEER = "benchmarks/peers/pytorch";

    /** Prints id, floating-point operations and output padding of every convolution that the peer times. */
    private static final String PROGRAM =
            """
            import sys
            sys.path.insert(0, '%s')
            sys.dont_write_bytecode = True
            import train
            for layer in train.parse_layers(open('%s').read().splitlines(), 'layers'):
                known = train.geometry(layer)
                if layer['op'] in train.CONVOLUTIONS and known:
                    print(layer['id'], known[2], *known[1])
            print(*(round(1e6 * train.one_cycle(step, 100)) for step in (0, 15, 30, 65, 100)))
            """
                    .formatted(PEER, LAYERS);

    @TempDir
    private Path temp;

    private record Result(int status, String out) {}

    @Test
    void every_layer_has_the_output_of_the_table() throws IOException {
        int checked = 0;
        for (Map<String, String> layer : layers()) {
            OpDescriptor op = descriptor(layer);
            op.arguments(op.passes().get(0)).stream()
                    .filter(spec -> spec.arg() == Arg.Y && !layer.get("op").equals("softmax_ce"))
                    .forEach(spec -> assertEquals(
                            layer.get("p") + "x" + layer.get("q"),
                            spec.dims().h() + "x" + spec.dims().w(),
                            layer.get("name")));
            checked++;
        }
        assertEquals(123, checked);
    }

    @Test
    void pytorch_counts_the_same_operations() throws Exception {
        Result result = python("-c", PROGRAM);
        List<String> lines = result.out.lines().toList();
        Map<String, Map<String, String>> byId = new HashMap<>();
        layers().forEach(layer -> byId.put(layer.get("id"), layer));
        for (String line : lines.subList(0, lines.size() - 1)) {
            String[] words = line.split(" ");
            Map<String, String> layer = byId.get(words[0]);
            assertEquals(2 * descriptor(layer).multiplyAdds(), Long.parseLong(words[1]), layer.get("name"));
            if (layer.get("op").equals("deconv")) {
                assertTrue(ShapeSuite.shape(layer).endsWith("oh" + words[2] + "ow" + words[3]), layer.get("name"));
            }
        }
        assertTrue(lines.size() > 90, result.out);
        // From a 25th of the highest rate up to it at three tenths, half of it half-way down, and to nothing.
        assertEquals("80 1040 2000 1000 0", lines.get(lines.size() - 1));
    }

    @Test
    void pytorch_tells_wrong_input_and_what_is_missing_in_one_line() throws Exception {
        String script = PEER + "/train.py";
        String rows = temp.resolve("rows").toString();
        assertEquals(
                new Result(2, "train.py: the following arguments are required: --layers, --rows; see --help\n"),
                python(script));
        Path broken = Files.writeString(
                temp.resolve("layers.csv"), Files.readString(LAYERS).replace(",28,28,1,6,", ",28,x,1,6,"));
        Result wrong = python(script, "--layers", broken.toString(), "--rows", rows);
        assertEquals(new Result(2, "train.py: " + broken + ":2: w is 'x', a whole number is needed\n"), wrong);
        Result other = python(script, "--layers", "pom.xml", "--rows", rows);
        assertTrue(
                other.status == 2 && other.out.startsWith("train.py: pom.xml: the first line must be id,op,"),
                other.out);
        assertEquals(
                new Result(2, "train.py: --mnist " + temp + "/none: is no folder\n"),
                python(script, "--layers", LAYERS.toString(), "--rows", rows, "--mnist", temp + "/none"));
        Result absent = python(script, "--layers", LAYERS.toString(), "--rows", rows);
        assumeTrue(absent.status != 0, "this machine has PyTorch and a GPU");
        assertEquals(3, absent.status, absent.out);
        assertTrue(absent.out.startsWith("not run: "), absent.out);
    }

    private static List<Map<String, String>> layers() throws IOException {
        List<String> lines = Files.readAllLines(LAYERS);
        List<Map<String, String>> layers = new ArrayList<>();
        for (String line : lines.subList(1, lines.size())) {
            layers.add(ShapeSuite.layer(lines.get(0), line));
        }
        return layers;
    }

    private static OpDescriptor descriptor(Map<String, String> layer) {
        ShapeLine line = ShapeLine.parse("layers", 1, ShapeSuite.shape(layer)).orElseThrow();
        return Descriptors.of(ShapeSuite.operation(layer), line, DataType.FP32);
    }

    private static Result python(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of("python3"));
        command.addAll(List.of(arguments));
        Process process;
        try {
            process = new ProcessBuilder(command).redirectErrorStream(true).start();
        } catch (IOException e) {
            return Assumptions.abort("not run: no python3 (" + e.getMessage() + ")");
        }
        process.getOutputStream().close();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Result(process.waitFor(), out);
    }
}
