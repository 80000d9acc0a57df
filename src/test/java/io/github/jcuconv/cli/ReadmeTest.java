package io.github.jcuconv.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Dims;
import io.github.jcuconv.Engine;
import io.github.jcuconv.cudnn.Table;
import io.github.jcuconv.memory.MemoryPlan;
import io.github.jcuconv.memory.Part;
import io.github.jcuconv.models.Models;
import io.github.jcuconv.nn.Network;
import io.github.jcuconv.nn.Optimizer;
import io.github.jcuconv.nn.Precision;
import io.github.jcuconv.nn.Schedule;
import io.github.jcuconv.nn.Trainer;
import io.github.jcuconv.nn.TrainerConfig;
import io.github.jcuconv.op.Activation;
import io.github.jcuconv.op.Adam;
import io.github.jcuconv.op.Add;
import io.github.jcuconv.op.AvgPool2d;
import io.github.jcuconv.op.BatchNorm;
import io.github.jcuconv.op.ChannelScale;
import io.github.jcuconv.op.Concat;
import io.github.jcuconv.op.Conv2d;
import io.github.jcuconv.op.ConvTranspose2d;
import io.github.jcuconv.op.Dense;
import io.github.jcuconv.op.Dropout;
import io.github.jcuconv.op.FiniteCheck;
import io.github.jcuconv.op.Lrn;
import io.github.jcuconv.op.MaxPool2d;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.Phase;
import io.github.jcuconv.op.Reorder;
import io.github.jcuconv.op.Sgd;
import io.github.jcuconv.op.SoftmaxCrossEntropy;
import io.github.jcuconv.op.StepControl;
import io.github.jcuconv.op.Types;
import io.github.jcuconv.op.Window;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** The README says what is: its matrix, its example, its links and its commands. {@code -Djcuconv.readme=write} renews the generated parts. */
class ReadmeTest {
    private static final Path README = Path.of("README.md");
    private static final Path MEMORY = Path.of("src/main/java/io/github/jcuconv/memory/README.md");
    private static final Path MODELS = Path.of("src/main/java/io/github/jcuconv/models/README.md");
    private static final Path CONSUMER = Path.of("src/it/consumer/src/main/java/consumer/Consumer.java");
    private static final List<DataType> STORAGE = List.of(DataType.FP32, DataType.FP16, DataType.BF16);
    private static final List<String> ENGINES = List.of("onednn", "emulated", "cudnn", "reference");
    private static final Dims X = new Dims(2, 16, 8, 8);

    /** One operation of each kind, by storage type. */
    private static final List<Function<DataType, OpDescriptor>> OPERATIONS = List.of(
            t -> Conv2d.of(X, 16, Window.of(3, 3)).types(Types.of(t)).phase(Phase.TRAINING),
            t -> ConvTranspose2d.of(X, 16, Window.of(3, 3)).types(Types.of(t)),
            t -> Dense.of(X, 16).types(Types.of(t)).phase(Phase.TRAINING),
            t -> MaxPool2d.of(X, Window.of(2, 2)).types(Types.of(t)).phase(Phase.TRAINING),
            t -> AvgPool2d.of(X, Window.of(2, 2)).types(Types.of(t)),
            t -> Lrn.of(X).types(Types.of(t)).phase(Phase.TRAINING),
            t -> BatchNorm.of(X).types(Types.of(t)).phase(Phase.TRAINING),
            t -> Activation.of(X, Activation.Kind.RELU).types(Types.of(t)),
            t -> Dropout.of(X, 0.5f, 0).types(Types.of(t)),
            t -> SoftmaxCrossEntropy.of(X).types(Types.of(t)),
            t -> Add.of(X).types(Types.of(t)),
            t -> Concat.of(X, 32, 16).types(Types.of(t)),
            t -> ChannelScale.of(X).types(Types.of(t)),
            t -> new Reorder(X, t, DataType.FP32),
            t -> new FiniteCheck(X, t),
            t -> new Sgd(1024, true, t),
            t -> new Adam(1024, t),
            t -> new StepControl(1024, 2, true, 500));

    private static String readme() throws IOException {
        return Files.readString(README);
    }

    @Test
    void is_short() throws IOException {
        assertTrue(readme().lines().count() < 320, "README.md must stay under 320 lines");
    }

    @Test
    void matrix_is_what_the_engines_support() throws IOException {
        assumeTrue(
                Engine.providers().stream()
                        .allMatch(p -> !ENGINES.contains(p.name())
                                || p.name().equals("cudnn")
                                || p.unavailable().isEmpty()),
                "not run: an engine of the matrix is not available here");
        compareOrWrite(README, "matrix", matrix());
    }

    @Test
    void memory_table_is_what_is_planned() throws IOException {
        compareOrWrite(MEMORY, "memory", memoryTable());
    }

    private static String memoryTable() {
        StringBuilder table = new StringBuilder("| model | kept, fp32 | kept, fp16 | step, fp32 | step, fp16 | saved |"
                + " step, fp32, recomputed | saved |\n|---|---:|---:|---:|---:|---:|---:|---:|\n");
        try (Engine engine = Engine.open("reference")) {
            for (String model : Models.names()) {
                Network network = Models.get(model);
                MemoryPlan fp32 = Trainer.predict(network, engine, config(Precision.FP32));
                MemoryPlan fp16 = Trainer.predict(network, engine, config(Precision.FP16));
                MemoryPlan again =
                        Trainer.predict(network, engine, config(Precision.FP32).segments(TrainerConfig.BEST));
                table.append("| ").append(model);
                Stream.of(kept(fp32), kept(fp16), fp32.predictedBytes(), fp16.predictedBytes())
                        .forEach(bytes -> table.append(" | ").append(mebi(bytes)));
                table.append(" | ").append(saved(fp32, fp16));
                table.append(" | ").append(mebi(again.predictedBytes()));
                table.append(" | ").append(saved(fp32, again)).append(" |\n");
            }
        }
        return table.toString();
    }

    private static TrainerConfig config(Precision precision) {
        return new TrainerConfig(32, precision, Optimizer.adam(), new Schedule.Constant(1e-3f), 1, 1);
    }

    /** Floating-point activations that the backward pass, which begins with the loss, still reads. */
    private static long kept(MemoryPlan plan) {
        int step = 0;
        while (!plan.stepName(step).equals("d loss")) {
            step++;
        }
        return plan.keptAcross(step, Part.ACTIVATIONS);
    }

    private static String mebi(long bytes) {
        return Text.format("%,.1f", bytes / 1048576.0);
    }

    private static String saved(MemoryPlan before, MemoryPlan after) {
        return Text.format(
                "%.0f %%", 100.0 * (before.predictedBytes() - after.predictedBytes()) / before.predictedBytes());
    }

    private static String matrix() {
        StringBuilder table = new StringBuilder("| operation | passes |");
        ENGINES.forEach(e -> table.append(" `").append(e).append("` |"));
        table.append("\n|---|---|").append("---|".repeat(ENGINES.size())).append('\n');
        List<Engine> open = ENGINES.stream()
                .map(name -> name.equals("cudnn") ? Table.open() : Engine.open(name))
                .toList();
        for (Function<DataType, OpDescriptor> operation : OPERATIONS) {
            OpDescriptor op = operation.apply(DataType.FP32);
            table.append("| ")
                    .append(op.name())
                    .append(" | ")
                    .append(names(op.passes()))
                    .append(" |");
            open.forEach(e -> table.append(' ').append(cell(e, operation)).append(" |"));
            table.append('\n');
        }
        open.forEach(Engine::close);
        return table.toString();
    }

    /** Types that have every pass; a type that has only some names them. */
    private static String cell(Engine engine, Function<DataType, OpDescriptor> operation) {
        List<String> types = new ArrayList<>();
        for (DataType type : STORAGE) {
            OpDescriptor op = operation.apply(type);
            List<Pass> can = op.passes().stream()
                    .filter(pass -> engine.refusal(op, pass).isEmpty())
                    .toList();
            String name = type.name().toLowerCase(java.util.Locale.ROOT);
            if (can.equals(op.passes())) {
                types.add(name);
            } else if (!can.isEmpty()) {
                types.add(name + " (" + names(can) + ")");
            }
        }
        return types.isEmpty() ? "-" : String.join(", ", types);
    }

    private static String names(List<Pass> passes) {
        return String.join(
                " ",
                passes.stream()
                        .map(p -> p.name().toLowerCase(java.util.Locale.ROOT))
                        .toList());
    }

    /** Two models to a line, since there are many. */
    @Test
    void models_have_these_parameters_and_multiply_adds() throws IOException {
        List<String> cells = new ArrayList<>();
        for (String model : Models.names()) {
            Network network = Models.get(model);
            cells.add(String.format(
                    java.util.Locale.ROOT,
                    "`%s` | %,d | %,.1f |",
                    model,
                    network.trainableParameters(),
                    network.multiplyAdds() / 1e6));
        }
        StringBuilder table = new StringBuilder(
                "| model | parameters | multiply-adds, millions |".repeat(2).replace("||", "|"));
        table.append("\n|---|---:|---:|---|---:|---:|\n");
        int half = (cells.size() + 1) / 2;
        for (int i = 0; i < half; i++) {
            String right = half + i < cells.size() ? " " + cells.get(half + i) : " | | |";
            table.append("| ").append(cells.get(i)).append(right).append('\n');
        }
        compareOrWrite(MODELS, "models", table.toString());
    }

    @Test
    void library_example_is_the_consumer_that_is_built_and_run() throws IOException {
        String source = Files.readString(CONSUMER);
        int from = source.indexOf('\n', source.indexOf("// README: begin")) + 1;
        compareOrWrite(
                README, "example", "```java\n" + source.substring(from, source.indexOf("// README: end")) + "```\n");
    }

    private static void compareOrWrite(Path file, String part, String wanted) throws IOException {
        String begin = "<!-- " + part + ": begin -->\n";
        String end = "<!-- " + part + ": end -->";
        String text = Files.readString(file);
        int from = text.indexOf(begin);
        int to = text.indexOf(end);
        assertTrue(from >= 0 && to > from, file + " lacks the markers of " + part);
        String found = text.substring(from + begin.length(), to);
        if ("write".equals(System.getProperty("jcuconv.readme")) && !found.equals(wanted)) {
            Files.writeString(file, text.substring(0, from + begin.length()) + wanted + text.substring(to));
            return;
        }
        assertEquals(wanted, found, "renew it: mvn test -Dtest=ReadmeTest -Djcuconv.readme=write");
    }

    @Test
    void links_lead_to_files() throws IOException {
        Matcher links = Pattern.compile("\\]\\(([^)#:]+)(#[^)]*)?\\)").matcher(readme());
        int count = 0;
        while (links.find()) {
            assertTrue(Files.exists(Path.of(links.group(1))), "README.md links to " + links.group(1));
            count++;
        }
        assertTrue(count > 3, "the pattern must find the links");
    }

    /** What replaces or extends a command so that it ends in seconds and writes only to the temporary folder. */
    private static final Map<String, List<String>> QUICK =
            Map.of("mnist", List.of("--data", "digits", "--model", "dense-mnist", "--epochs", "1"));

    @TestFactory
    Stream<DynamicTest> commands_run(@TempDir Path temp) throws IOException {
        List<String> commands = new ArrayList<>();
        Matcher blocks = Pattern.compile("```sh\\n(.*?)```", Pattern.DOTALL).matcher(readme());
        while (blocks.find()) {
            blocks.group(1)
                    .lines()
                    .map(line -> line.replaceAll("\\s+#.*", "").trim())
                    .filter(line -> line.startsWith("./jcuconv "))
                    .forEach(commands::add);
        }
        assertTrue(commands.size() >= 5, "the pattern must find the commands");
        return commands.stream().map(line -> DynamicTest.dynamicTest(line, () -> run(line, temp)));
    }

    private static void run(String line, Path temp) {
        List<String> words =
                new ArrayList<>(List.of(line.substring("./jcuconv ".length()).split(" ")));
        words.addAll(QUICK.getOrDefault(words.get(0), List.of()));
        List<String> args = words.stream()
                .map(w -> w.startsWith("jcuconv-mnist") ? temp.resolve(w).toString() : w)
                .toList();
        if (words.get(0).equals("mnist")) {
            args = Stream.concat(
                            args.stream(),
                            Stream.of("--out", temp.resolve("jcuconv-mnist").toString()))
                    .toList();
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
        int status = Main.execute(out, out, false, args.toArray(new String[0]));
        assertEquals(0, status, line + "\n" + bytes.toString(StandardCharsets.UTF_8));
    }
}
