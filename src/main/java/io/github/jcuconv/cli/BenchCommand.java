package io.github.jcuconv.cli;

import io.github.jcuconv.Engine;
import io.github.jcuconv.nn.Precision;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Times a model's training step, or the passes of an operation; with {@code --against} two engines in turn. */
final class BenchCommand extends Command {
    @Option(names = "--model", paramLabel = "M", description = "time training steps of this model")
    @Nullable
    String model;

    @Option(names = "--batch", paramLabel = "N", description = "images per step; default ${DEFAULT-VALUE}")
    int batch = 128;

    @Option(
            names = "--steps",
            paramLabel = "N",
            description = "steps that are timed, after 50 to warm up; default ${DEFAULT-VALUE}")
    int steps = 200;

    @Option(names = "--data", paramLabel = "D", description = DataOption.HELP + "; default: made-up images")
    @Nullable
    String data;

    @Option(names = "--op", paramLabel = "OP", description = "time the passes of this operation")
    @Nullable
    String op;

    @Option(names = "--shapes", paramLabel = "FILE", description = "for --op: a list of shape lines, or one such line")
    @Nullable
    String shapes;

    @Option(names = "--precision", paramLabel = "P", description = "fp32 (default), tf32, fp16 or bf16")
    String precision = "fp32";

    @Option(names = "--against", paramLabel = "E", description = "time another engine too, in turn, and show the ratio")
    @Nullable
    String against;

    @Option(
            names = "--autotune",
            description =
                    "measure once which kernels are fastest: --engine cuda --autotune; with --op beside the usual ones")
    boolean autotune;

    @Option(names = "--explain", description = "for --op: say which kernel would run and why, and run nothing")
    boolean explain;

    @Override
    String example() {
        return "--model peer-cnn --batch 128 --precision bf16";
    }

    @Override
    int run() {
        Precision chosen = Settings.precision(precision);
        require(steps >= 1, "--steps " + steps + ": must be at least 1");
        require(batch >= 1, "--batch " + batch + ": must be at least 1");
        require((model == null) != (op == null), "bench: either --model, or --op with --shapes, is needed");
        require(!explain || op != null, "--explain: needs --op with --shapes, whose kernels it explains");
        List<Engine> engines = new ArrayList<>();
        try {
            engines.add(Engines.open(engine, err));
            if (autotune && op != null) {
                engines.add(Engines.open(engine, err));
            }
            autotune(autotune, engines.get(engines.size() - 1));
            if (against != null) {
                engines.add(Engines.open(against, err));
            }
            if (model != null) {
                Settings settings =
                        new Settings(Names.model(model), chosen, 1, batch, "adam", 1e-3f, "constant", 0, seed);
                writeJson(ModelBench.run(this, engines, settings, data == null ? null : DataOption.parse(data), steps));
            } else if (op != null) {
                String list = shapes == null ? "" : shapes;
                require(!list.isEmpty(), "--op " + op + ": --shapes FILE, or one shape line, is needed too");
                if (explain) {
                    writeJson(OpExplain.run(this, engines.get(0), op, list, chosen));
                    return 0;
                }
                Map<String, Object> timed = OpBench.run(this, engines, op, list, chosen);
                writeJson(timed);
                return Long.valueOf(0).equals(timed.get("wrong")) ? 0 : 1;
            }
        } finally {
            engines.forEach(Engine::close);
        }
        return 0;
    }
}
