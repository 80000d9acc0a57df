package io.github.jcuconv.cli;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Engine;
import io.github.jcuconv.Memory;
import io.github.jcuconv.UnsupportedException;
import io.github.jcuconv.nn.Precision;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.verify.Descriptors;
import io.github.jcuconv.verify.ShapeLine;
import io.github.jcuconv.verify.Verifier;
import io.github.jcuconv.verify.VerifyCase;
import io.github.jcuconv.verify.VerifyResult;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The passes of an operation on a list of shapes, in rounds that alternate between the engines. What gives wrong results is not timed. */
final class OpBench {
    private final List<Engine> engines;
    private final List<Memory> caches;
    private final String op;
    private final DataType storage;
    private final Text.Table table =
            new Text.Table(4, "shape", "pass", "engine", "algorithm", "µs", "cold µs", "GFLOP/s", "GB/s", "ratio");
    private final List<Map<String, Object>> rows = new ArrayList<>();

    private OpBench(List<Engine> engines, String op, DataType storage) {
        this.engines = engines;
        this.caches = engines.stream().map(e -> e.allocate(OpTimer.CACHES)).toList();
        this.op = op;
        this.storage = storage;
    }

    /** Prints the table; gives it as JSON has it, with the number of rows that are wrong. */
    static Map<String, Object> run(
            Command command, List<Engine> engines, String op, String shapes, Precision precision) {
        Names.require("--op", op, Descriptors.names());
        OpBench bench = new OpBench(engines, op, precision.storage());
        for (ShapeLine line : Settings.lines(op, shapes, precision)) {
            for (Pass pass : Descriptors.of(op, line, precision.storage()).passes()) {
                try {
                    bench.time(line, pass);
                } catch (UnsupportedException e) {
                    bench.without("refusal", e.rule(), e.engine(), line, pass);
                }
            }
        }
        bench.caches.forEach(Memory::close);
        bench.table.lines().forEach(command::say);
        long wrong = bench.rows.stream().filter(row -> row.containsKey("wrong")).count();
        return Map.of("op", op, "rows", bench.rows, "wrong", wrong);
    }

    private void time(ShapeLine line, Pass pass) {
        OpDescriptor usual = Descriptors.of(op, line, storage);
        List<OpDescriptor> ops = engines.stream()
                .map(e -> e.refusal(usual, pass).isEmpty() ? usual : stored(line))
                .toList();
        List<String> unverified = new ArrayList<>();
        boolean wrong = false;
        for (int i = 0; i < engines.size(); i++) {
            VerifyCase c = VerifyCase.of(line, ops.get(i), storage, pass, VerifyCase.Data.REAL, 1);
            VerifyResult result = Verifier.bySamples(engines.get(i)).verify(c);
            unverified.add(result.verdict() == VerifyResult.Verdict.PASSED ? "" : result.text());
            if (result.verdict() == VerifyResult.Verdict.FAILED) {
                wrong = true;
                without("wrong", result.text(), label(engines.get(i)), line, pass);
            }
        }
        if (wrong) {
            return;
        }
        List<OpTimer> timers = new ArrayList<>();
        try {
            for (int i = 0; i < engines.size(); i++) {
                timers.add(new OpTimer(engines.get(i), ops.get(i), pass, caches.get(i)));
            }
            for (int round = 0; round < OpTimer.ROUNDS; round++) {
                for (int i = 0; i < timers.size(); i++) {
                    timers.get(round % 2 == 0 ? i : timers.size() - 1 - i).round(round);
                }
            }
            for (int i = 0; i < timers.size(); i++) {
                String remark = (ops.get(i).equals(ops.get(0)) ? "" : ", gradients as stored")
                        + (unverified.get(i).isEmpty() ? "" : ", not verified");
                add(
                        line,
                        pass,
                        label(engines.get(i)),
                        ops.get(i),
                        timers.get(i),
                        remark,
                        unverified.get(i),
                        timers.get(0));
            }
        } finally {
            timers.forEach(OpTimer::close);
        }
    }

    private void add(
            ShapeLine line,
            Pass pass,
            String engine,
            OpDescriptor op,
            OpTimer timer,
            String remark,
            String unverified,
            OpTimer first) {
        double seconds = timer.warm();
        double gflops = pass == Pass.DBIAS ? 0 : 2e-9 * op.multiplyAdds() / seconds;
        double gigabytes = 1e-9 * timer.bytes() / seconds;
        table.row(
                line.name(),
                lower(pass),
                engine,
                timer.algorithm() + remark,
                Text.format("%,.1f", 1e6 * seconds),
                Text.format("%,.1f", 1e6 * timer.cold()),
                Text.format("%.1f", gflops),
                Text.format("%.1f", gigabytes),
                timer == first ? "" : Text.format("%.2f", seconds / first.warm()));
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("shape", line.shape());
        row.put("name", line.name());
        row.put("pass", lower(pass));
        row.put("engine", engine);
        row.put("algorithm", timer.algorithm());
        row.put("workspaceBytes", timer.workspaceBytes());
        row.put("unverified", unverified);
        row.put("microseconds", 1e6 * seconds);
        row.put("coldMicroseconds", 1e6 * timer.cold());
        row.put("gflops", gflops);
        row.put("gigabytesPerSecond", gigabytes);
        rows.add(row);
    }

    /** A row of an engine that is not timed, and why. */
    private void without(String key, String why, String engine, ShapeLine line, Pass pass) {
        String words = (key.equals("wrong") ? "wrong: " : "not run: ") + why;
        table.row(line.name(), lower(pass), engine, words, "", "", "", "", "");
        rows.add(Map.of("shape", line.shape(), "pass", lower(pass), "engine", engine, key, why));
    }

    /** With dw and dbias in the storage type, which is all that some engines give; where there is no such choice, the same again. */
    private OpDescriptor stored(ShapeLine line) {
        boolean choice = Descriptors.multiplies(op) && storage != DataType.FP32;
        return Descriptors.of(op, choice ? line.with("stored", 1) : line, storage);
    }

    private static String label(Engine engine) {
        return engine.name() + (engine.autotunes() ? " tuned" : "");
    }

    private static String lower(Pass pass) {
        return pass.name().toLowerCase(Locale.ROOT);
    }
}
