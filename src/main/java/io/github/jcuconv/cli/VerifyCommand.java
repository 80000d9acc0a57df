package io.github.jcuconv.cli;

import io.github.jcuconv.Dims;
import io.github.jcuconv.Engine;
import io.github.jcuconv.io.Npy;
import io.github.jcuconv.nn.Precision;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.reference.Tensor;
import io.github.jcuconv.verify.Descriptors;
import io.github.jcuconv.verify.ShapeLine;
import io.github.jcuconv.verify.TensorDump;
import io.github.jcuconv.verify.VerifyCase;
import io.github.jcuconv.verify.VerifyResult;
import io.github.jcuconv.verify.VerifyRun;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** A list of shapes on an engine, each compared with the fp64 oracle. */
final class VerifyCommand extends Command {
    @Option(names = "--op", paramLabel = "OP", required = true, description = "an operation, e.g. conv2d, max-pool2d")
    String op = "";

    @Option(
            names = "--shapes",
            paramLabel = "FILE",
            required = true,
            description = "a list of shape lines, or one such line")
    String shapes = "";

    @Option(names = "--pass", paramLabel = "P", split = ",", description = "e.g. fprop,dgrad,wgrad; default: all")
    List<String> passes = List.of();

    @Option(names = "--dtype", paramLabel = "T", description = "fp32 (default), tf32, fp16 or bf16")
    String dtype = "fp32";

    @Option(
            names = "--against",
            paramLabel = "E",
            split = ",",
            description = "run the same on other engines too, e.g. cudnn,onednn, and say which one deviates")
    List<String> against = List.of();

    @Option(names = "--tier", paramLabel = "T", description = "smoke, ci (default) or all: how large shapes may be")
    String tier = "ci";

    @Option(names = "--dump", paramLabel = "DIR", description = "write inputs and outputs there as .npy")
    @Nullable
    Path dump;

    @Override
    String example() {
        return "--op conv2d --shapes n2c8h9w9k16r3s3pt1pb1pl1pr1 --dtype fp16";
    }

    @Override
    int run() {
        Names.require("--op", op, Descriptors.names());
        Precision precision = Settings.precision(dtype);
        VerifyRun.Tier largest = Names.constant("--tier", tier, VerifyRun.Tier.values());
        List<Pass> wanted = passes.stream()
                .map(p -> Names.constant("--pass", p, Pass.values()))
                .toList();
        List<ShapeLine> lines = Settings.lines(op, shapes, precision);
        List<VerifyCase> cases = VerifyRun.cases(op, lines, wanted, precision.storage(), largest, seed);
        int ran = 0;
        int skipped = 0;
        List<Map<String, Object>> failures = new ArrayList<>();
        for (String name : Stream.concat(Stream.of(engine), against.stream()).toList()) {
            try (Engine opened = Engines.open(name, err)) {
                VerifyRun.Report report = VerifyRun.run(opened, cases, writer(), this::show);
                ran += report.cases();
                skipped += report.notRun().size();
                report.failures().forEach(f -> failures.add(failure(f)));
                if (!against.isEmpty()) {
                    int deviating = report.failures().size();
                    say("%s: %,d of %,d cases deviate from the oracle", name, deviating, report.cases());
                }
            }
        }
        say("%,d cases, %,d failed, %,d skipped", ran, failures.size(), skipped);
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("cases", ran);
        json.put("failed", failures.size());
        json.put("skipped", skipped);
        json.put("failures", failures);
        writeJson(json);
        return !failures.isEmpty() ? FAILED : ran == skipped ? NOT_RUN : 0;
    }

    private void show(VerifyResult r) {
        String measured =
                Double.isNaN(r.error()) ? "" : Text.format("error %.2e of %.2e allowed, ", r.error(), r.bound());
        String verdict = r.verdict().name().toLowerCase(Locale.ROOT).replace('_', ' ');
        say(Text.format("%-8s", verdict) + r.engine() + " " + r.verified() + ": " + measured + r.text());
        if (r.verdict() == VerifyResult.Verdict.FAILED) {
            say("        again: " + r.verified().rerunLine(r.engine()));
        }
    }

    private static Map<String, Object> failure(VerifyResult r) {
        Map<String, Object> failure = new LinkedHashMap<>();
        failure.put("engine", r.engine());
        failure.put("case", r.verified().toString());
        failure.put("problem", r.text());
        failure.put("rerun", r.verified().rerunLine(r.engine()));
        return failure;
    }

    private @Nullable TensorDump writer() {
        Path folder = dump;
        return folder == null ? null : (name, tensor) -> write(folder.resolve(name + ".npy"), tensor);
    }

    private static void write(Path file, Tensor tensor) {
        Dims d = tensor.dims();
        double[] values = new double[Math.toIntExact(d.count())];
        Arrays.setAll(values, tensor::at);
        Npy.write(file, values, d.n(), d.c(), d.h(), d.w());
    }
}
