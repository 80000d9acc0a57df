package io.github.jcuconv.cli;

import io.github.jcuconv.Arguments;
import io.github.jcuconv.DataType;
import io.github.jcuconv.Engine;
import io.github.jcuconv.Event;
import io.github.jcuconv.HostBuffer;
import io.github.jcuconv.Memory;
import io.github.jcuconv.Plan;
import io.github.jcuconv.Stream;
import io.github.jcuconv.UnsupportedException;
import io.github.jcuconv.op.ArgSpec;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.PlanRequest;
import io.github.jcuconv.verify.Descriptors;
import io.github.jcuconv.verify.ShapeFile;
import io.github.jcuconv.verify.ShapeLine;
import io.github.jcuconv.verify.Verifier;
import io.github.jcuconv.verify.VerifyCase;
import io.github.jcuconv.verify.VerifyResult;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Passes of operations in the engine's own layouts, by the engine's events: median of rounds that alternate between engines, with caches warm from
 * the execution before, and cold from writing more than they hold. What gives wrong results is not timed.
 */
final class OpBench implements AutoCloseable {
    private static final int ROUNDS = 9;
    private static final double ROUND_SECONDS = 0.03;
    /** More than the caches of GPUs, the largest of which is 126 MiB, and of most CPUs. */
    private static final long CACHES = 256L << 20;

    private final Plan plan;
    private final Stream stream;
    private final Arguments args = new Arguments();
    private final List<Memory> held = new ArrayList<>();
    private final @Nullable Memory workspace;
    private final Memory caches;
    private final Event begin;
    private final Event end;
    private final double[] seconds = new double[ROUNDS];
    private final double[] coldSeconds = new double[ROUNDS];
    private long bytes;
    private int repeats = 1;

    private OpBench(Engine engine, OpDescriptor op, Pass pass, Memory caches) {
        this.caches = caches;
        PlanRequest request = PlanRequest.of(op, pass).layouts(engine.propose(op, pass, Map.of()));
        plan = engine.plan(request);
        stream = engine.newStream();
        begin = engine.newEvent();
        end = engine.newEvent();
        for (ArgSpec spec : op.arguments(pass)) {
            Memory memory = engine.allocate(request.bytes(spec));
            held.add(memory);
            args.set(spec.arg(), memory);
            upload(engine, memory, spec.type());
            bytes += request.bytes(spec);
        }
        workspace = plan.workspaceBytes() == 0 ? null : engine.allocate(plan.workspaceBytes());
        // Finds how often a round has to repeat, and warms up.
        while (warm() * repeats < ROUND_SECONDS) {
            repeats *= 2;
        }
    }

    private void upload(Engine engine, Memory to, DataType type) {
        try (HostBuffer numbers = engine.newHostBuffer(to.bytes())) {
            fill(numbers.buffer(), type);
            stream.upload(numbers.buffer(), to);
            stream.synchronize();
        }
    }

    /** Numbers of both signs around 1; offsets and labels 0, which every operation takes. */
    private static void fill(ByteBuffer buffer, DataType type) {
        for (int i = 0; i < buffer.capacity() / type.bytes(); i++) {
            int bits = i * 0x9E3779B9;
            switch (type) {
                case FP32 -> buffer.putFloat(4 * i, bits / (float) (1 << 30));
                case FP16 -> buffer.putShort(2 * i, (short) (0x3800 | bits >>> 22 | bits << 15));
                case BF16 -> buffer.putShort(2 * i, (short) (0x3F00 | bits >>> 25 | bits << 15));
                case INT32 -> buffer.putInt(4 * i, 0);
                case UINT8 -> buffer.put(i, (byte) 0);
            }
        }
    }

    private double warm() {
        begin.record(stream);
        for (int i = 0; i < repeats; i++) {
            plan.execute(args, workspace, stream);
        }
        end.record(stream);
        return end.secondsSince(begin) / repeats;
    }

    private double cold() {
        stream.fill(caches, (byte) 0);
        begin.record(stream);
        plan.execute(args, workspace, stream);
        end.record(stream);
        return end.secondsSince(begin);
    }

    private static double median(double[] values) {
        Arrays.sort(values);
        return values[ROUNDS / 2];
    }

    static Map<String, Object> run(Command command, List<Engine> engines, String op, String shapes, DataType storage) {
        Names.require("--op", op, Descriptors.names());
        Text.Table table =
                new Text.Table(4, "shape", "pass", "engine", "algorithm", "µs", "cold µs", "GFLOP/s", "GB/s", "ratio");
        List<Map<String, Object>> rows = new ArrayList<>();
        List<Memory> caches = engines.stream().map(e -> e.allocate(CACHES)).toList();
        for (ShapeLine line : ShapeFile.read(shapes)) {
            OpDescriptor descriptor = Descriptors.of(op, line, storage);
            for (Pass pass : descriptor.passes()) {
                try {
                    List<OpDescriptor> each = engines.stream()
                            .map(e -> e.refusal(descriptor, pass).isEmpty() ? descriptor : stored(op, line, storage))
                            .toList();
                    time(engines, caches, line, each, storage, pass, table, rows);
                } catch (UnsupportedException e) {
                    without("refusal", e.rule(), e.engine(), line, pass, table, rows);
                }
            }
        }
        caches.forEach(Memory::close);
        table.lines().forEach(command::say);
        long wrong = rows.stream().filter(row -> row.containsKey("wrong")).count();
        return Map.of("op", op, "rows", rows, "wrong", wrong);
    }

    /** A row of an engine that is not timed, and why. */
    private static void without(
            String key,
            String why,
            String engine,
            ShapeLine line,
            Pass pass,
            Text.Table table,
            List<Map<String, Object>> rows) {
        String words = (key.equals("wrong") ? "wrong: " : "not run: ") + why;
        table.row(line.name(), lower(pass), engine, words, "", "", "", "", "");
        rows.add(Map.of("shape", line.shape(), "pass", lower(pass), "engine", engine, key, why));
    }

    /** With dw and dbias in the storage type, which is all that some engines give; where there is no such choice, the same again. */
    private static OpDescriptor stored(String op, ShapeLine line, DataType storage) {
        boolean choice = List.of("conv2d", "conv-transpose2d", "dense").contains(op) && storage != DataType.FP32;
        return Descriptors.of(op, choice ? line.with("stored", 1) : line, storage);
    }

    private static void time(
            List<Engine> engines,
            List<Memory> caches,
            ShapeLine line,
            List<OpDescriptor> ops,
            DataType storage,
            Pass pass,
            Text.Table table,
            List<Map<String, Object>> rows) {
        List<OpBench> all = new ArrayList<>();
        try {
            List<String> unverified = new ArrayList<>();
            boolean wrong = false;
            for (int i = 0; i < engines.size(); i++) {
                VerifyCase c = VerifyCase.of(line, ops.get(i), storage, pass, VerifyCase.Data.REAL, 1);
                VerifyResult result = Verifier.bySamples(engines.get(i)).verify(c);
                unverified.add(result.verdict() == VerifyResult.Verdict.PASSED ? "" : result.text());
                if (result.verdict() == VerifyResult.Verdict.FAILED) {
                    wrong = true;
                    without("wrong", result.text(), engines.get(i).name(), line, pass, table, rows);
                }
            }
            if (wrong) {
                return;
            }
            for (int i = 0; i < engines.size(); i++) {
                all.add(new OpBench(engines.get(i), ops.get(i), pass, caches.get(i)));
            }
            for (int round = 0; round < ROUNDS; round++) {
                for (int i = 0; i < all.size(); i++) {
                    OpBench bench = all.get(round % 2 == 0 ? i : all.size() - 1 - i);
                    bench.seconds[round] = bench.warm();
                    bench.coldSeconds[round] = bench.cold();
                }
            }
            double first = median(all.get(0).seconds);
            for (int i = 0; i < all.size(); i++) {
                OpBench bench = all.get(i);
                double seconds = median(bench.seconds);
                double cold = median(bench.coldSeconds);
                double gflops = pass == Pass.DBIAS ? 0 : 2e-9 * ops.get(i).multiplyAdds() / seconds;
                double gigabytes = 1e-9 * bench.bytes / seconds;
                table.row(
                        line.name(),
                        lower(pass),
                        engines.get(i).name(),
                        bench.plan.algorithm()
                                + (ops.get(i).equals(ops.get(0)) ? "" : ", gradients as stored")
                                + (unverified.get(i).isEmpty() ? "" : ", not verified"),
                        Text.format("%,.1f", 1e6 * seconds),
                        Text.format("%,.1f", 1e6 * cold),
                        Text.format("%.1f", gflops),
                        Text.format("%.1f", gigabytes),
                        i == 0 ? "" : Text.format("%.2f", seconds / first));
                Map<String, Object> row = new LinkedHashMap<>();
                row.put("shape", line.shape());
                row.put("name", line.name());
                row.put("pass", lower(pass));
                row.put("engine", engines.get(i).name());
                row.put("algorithm", bench.plan.algorithm());
                row.put("workspaceBytes", bench.plan.workspaceBytes());
                row.put("unverified", unverified.get(i));
                row.put("microseconds", 1e6 * seconds);
                row.put("coldMicroseconds", 1e6 * cold);
                row.put("gflops", gflops);
                row.put("gigabytesPerSecond", gigabytes);
                rows.add(row);
            }
        } finally {
            all.forEach(OpBench::close);
        }
    }

    private static String lower(Pass pass) {
        return pass.name().toLowerCase(Locale.ROOT);
    }

    @Override
    public void close() {
        begin.close();
        end.close();
        stream.close();
        plan.close();
        held.forEach(Memory::close);
        if (workspace != null) {
            workspace.close();
        }
    }
}
