package io.github.jcuconv;

import io.github.jcuconv.op.ArgSpec;
import io.github.jcuconv.op.PlanRequest;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Memory for one problem, on which all plans of it run in turn. */
final class TrialRuns implements AutoCloseable {
    private static final byte POISON = -1;

    /** What the arguments hold. */
    enum Data {
        /** A quarter of them 1 or -1, the others 0: sums of products stay below 2^24, where fp32 is exact in any order. */
        INTEGERS,
        /** Numbers of both signs around 1: what is timed, because the power that a GPU takes depends on it. */
        REAL
    }

    private final Engine engine;
    private final PlanRequest request;
    private final Stream stream;
    private final Arguments args = new Arguments();
    private final List<Memory> held = new ArrayList<>();
    private @Nullable Memory workspace;

    TrialRuns(Engine engine, PlanRequest request) {
        this.engine = engine;
        this.request = request;
        this.stream = engine.newStream();
    }

    /** @throws OutOfMemoryException if it does not fit */
    void allocate(long workspaceBytes) {
        for (ArgSpec spec : specs()) {
            args.set(spec.arg(), take(request.bytes(spec)));
        }
        workspace = workspaceBytes == 0 ? null : take(workspaceBytes);
    }

    private Memory take(long bytes) {
        Memory memory = engine.allocate(bytes);
        held.add(memory);
        return memory;
    }

    private List<ArgSpec> specs() {
        return request.op().arguments(request.pass());
    }

    Stream stream() {
        return stream;
    }

    /** Queues some executions. */
    void run(Plan plan, int times) {
        for (int i = 0; i < times; i++) {
            plan.execute(args, workspace, stream);
        }
    }

    /** Writes all arguments, also those that will be overwritten. */
    void fill(Data data) {
        for (ArgSpec spec : specs()) {
            Memory to = args.get(spec.arg());
            try (HostBuffer numbers = engine.newHostBuffer(to.bytes())) {
                for (int i = 0; i < to.bytes() / spec.type().bytes(); i++) {
                    put(
                            numbers.buffer(),
                            spec.type(),
                            i,
                            number(data, i + (spec.arg().ordinal() << 24)));
                }
                stream.upload(numbers.buffer(), to);
                stream.synchronize();
            }
        }
    }

    /** Bits of an fp32 number that all storage types hold exactly enough: 0, or something from 0.5 to 1. */
    private static int number(Data data, int i) {
        int bits = (i ^ i >>> 15) * 0x9E3779B9;
        bits = (bits ^ bits >>> 13) * 0x85EBCA6B;
        if (data == Data.REAL) {
            return bits & 0x807FFFFF | 0x3F000000;
        }
        return (bits >>> 8 & 3) == 0 ? bits & 0x80000000 | 0x3F800000 : 0;
    }

    private static void put(ByteBuffer to, DataType type, int i, int bits) {
        switch (type) {
            case FP32 -> to.putInt(4 * i, bits);
            case BF16 -> to.putShort(2 * i, (short) (bits >>> 16));
            case FP16 -> {
                int magnitude = bits & 0x7FFFFFFF; // The exponents are those of normal halves.
                to.putShort(
                        2 * i, (short) (magnitude == 0 ? 0 : bits >>> 16 & 0x8000 | magnitude - (112 << 23) >>> 13));
            }
            default -> throw new IllegalArgumentException(type + ": trial runs know floating-point types only");
        }
    }

    /**
     * Runs a plan once on integers and gives its outputs; the workspace and what it overwrites were dirty before.
     *
     * @return to be closed by the caller
     */
    List<HostBuffer> result(Plan plan) {
        for (ArgSpec spec : specs()) {
            if (spec.access() != ArgSpec.Access.IN && !request.accumulate()) {
                stream.fill(args.get(spec.arg()), POISON);
            }
        }
        if (workspace != null) {
            stream.fill(workspace, POISON);
        }
        run(plan, 1);
        List<HostBuffer> outputs = new ArrayList<>();
        for (ArgSpec spec : specs()) {
            if (spec.access() != ArgSpec.Access.IN) {
                HostBuffer output = engine.newHostBuffer(request.bytes(spec));
                outputs.add(output);
                stream.download(args.get(spec.arg()), output.buffer());
            }
        }
        stream.synchronize();
        return outputs;
    }

    /** Whether a plan gives the outputs, to the bit, that {@link #result} gave for another one after the same {@link #fill}. */
    boolean gives(List<HostBuffer> expected, Plan plan) {
        if (request.accumulate()) {
            fill(Data.INTEGERS);
        }
        List<HostBuffer> outputs = result(plan);
        boolean same = true;
        for (int i = 0; i < outputs.size(); i++) {
            same &= outputs.get(i).buffer().equals(expected.get(i).buffer());
        }
        outputs.forEach(HostBuffer::close);
        return same;
    }

    @Override
    public void close() {
        stream.close();
        held.forEach(Memory::close);
    }
}
