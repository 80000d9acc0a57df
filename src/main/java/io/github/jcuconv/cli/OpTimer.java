package io.github.jcuconv.cli;

import io.github.jcuconv.Arguments;
import io.github.jcuconv.DataType;
import io.github.jcuconv.Engine;
import io.github.jcuconv.Event;
import io.github.jcuconv.HostBuffer;
import io.github.jcuconv.Memory;
import io.github.jcuconv.Plan;
import io.github.jcuconv.Stream;
import io.github.jcuconv.op.ArgSpec;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.PlanRequest;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One pass on one engine, in the engine's own layouts, timed by its events: with caches warm from the execution before, and cold from writing more
 * than they hold.
 */
final class OpTimer implements AutoCloseable {
    /** More than the caches of GPUs, the largest of which is 126 MiB, and of most CPUs. */
    static final long CACHES = 256L << 20;

    /** Rounds that are timed; what counts is their median. */
    static final int ROUNDS = 9;

    private static final double ROUND_SECONDS = 0.03;
    /** Writing to all caches takes long: every so many rounds. */
    private static final int COLD_EVERY = 3;

    private final Plan plan;
    private final Stream stream;
    private final Arguments args = new Arguments();
    private final List<Memory> held = new ArrayList<>();
    private final @Nullable Memory workspace;
    private final Memory caches;
    private final Event begin;
    private final Event end;
    private final double[] warm = new double[ROUNDS];
    private final double[] cold = new double[ROUNDS / COLD_EVERY];
    private long bytes;
    private int repeats = 1;

    /** @param caches memory of {@link #CACHES} bytes */
    OpTimer(Engine engine, OpDescriptor op, Pass pass, Memory caches) {
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
        while (warmSeconds() * repeats < ROUND_SECONDS) {
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

    /** Times it once more, this being the n-th time. */
    void round(int n) {
        warm[n] = warmSeconds();
        if (n % COLD_EVERY == 0) {
            cold[n / COLD_EVERY] = coldSeconds();
        }
    }

    private double warmSeconds() {
        begin.record(stream);
        for (int i = 0; i < repeats; i++) {
            plan.execute(args, workspace, stream);
        }
        end.record(stream);
        return end.secondsSince(begin) / repeats;
    }

    private double coldSeconds() {
        stream.fill(caches, (byte) 0);
        begin.record(stream);
        plan.execute(args, workspace, stream);
        end.record(stream);
        return end.secondsSince(begin);
    }

    /** Seconds of one execution with warm caches. */
    double warm() {
        return median(warm);
    }

    /** Seconds of one execution with cold caches. */
    double cold() {
        return median(cold);
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }

    /** Of all arguments together. */
    long bytes() {
        return bytes;
    }

    String algorithm() {
        return plan.algorithm();
    }

    long workspaceBytes() {
        return plan.workspaceBytes();
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
