package io.github.jcuconv.cli;

import io.github.jcuconv.Engine;
import io.github.jcuconv.examples.Example;
import io.github.jcuconv.examples.Finding;
import io.github.jcuconv.io.AtomicFiles;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** One of the textbook's questions, answered by measuring. */
final class ExampleCommand extends Command {
    @Parameters(index = "0", arity = "0..1", paramLabel = "NAME", description = "which one; without it, lists them")
    @Nullable
    String name;

    @Option(names = "--quick", description = "a small form that takes seconds")
    boolean quick;

    @Option(names = "--chart", paramLabel = "FILE", description = "where the example's chart goes, as SVG")
    @Nullable
    Path chart;

    @Override
    String example() {
        return "cnn-vs-dense --quick";
    }

    @Override
    int run() {
        if (name == null) {
            Example.ALL.forEach((known, example) -> say("  %-20s %s", known, example.question()));
            return 0;
        }
        Names.require("example", name, Example.ALL.keySet());
        require(
                chart == null || Example.DRAWN.contains(name),
                "--chart: " + name + " draws none; these do: " + String.join(", ", new TreeSet<>(Example.DRAWN)));
        Example example = java.util.Objects.requireNonNull(Example.ALL.get(name));
        say(example.question());
        try (Engine opened = Engines.open(engine, err)) {
            Finding finding = example.run(opened, quick, seed, this::tell);
            for (Finding.Table found : finding.tables()) {
                say("");
                Text.Table table = new Text.Table(1, found.columns().toArray(new String[0]));
                for (List<Object> row : found.rows()) {
                    table.row(row.stream().map(ExampleCommand::cell).toArray(String[]::new));
                }
                table.lines().forEach(this::say);
            }
            say("");
            say(finding.answer());
            writeJson(json(opened, finding));
            if (chart != null) {
                AtomicFiles.writeString(chart, finding.chart().orElseThrow());
            }
        }
        return 0;
    }

    private void tell(String line) {
        say(line);
        out.flush();
    }

    private Map<String, Object> json(Engine opened, Finding finding) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("example", name);
        json.put("engine", opened.name());
        json.put("quick", quick);
        json.put("seed", seed);
        json.put(
                "tables",
                finding.tables().stream()
                        .map(t -> Map.of("columns", t.columns(), "rows", t.rows()))
                        .toList());
        json.put("answer", finding.answer());
        return json;
    }

    private static String cell(Object value) {
        if (value instanceof Double number) {
            boolean tiny = number != 0 && Math.abs(number) < 0.005;
            return Text.format(tiny ? "%.1e" : number == Math.rint(number) ? "%,.0f" : "%,.3f", number)
                    .replaceFirst("(\\.\\d\\d?)0+$", "$1");
        }
        return value instanceof Number ? Text.format("%,d", value) : value.toString();
    }
}
