package io.github.jcuconv.bench;

import io.github.jcuconv.Arguments;
import io.github.jcuconv.Dims;
import io.github.jcuconv.Engine;
import io.github.jcuconv.Memory;
import io.github.jcuconv.Plan;
import io.github.jcuconv.Stream;
import io.github.jcuconv.op.ArgSpec;
import io.github.jcuconv.op.Conv2d;
import io.github.jcuconv.op.Padding;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.PlanRequest;
import io.github.jcuconv.op.Window;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * A convolution forward that is small enough to show what surrounds the kernel: 2 images of 8x9x9 under 16 filters of 3x3, fp32, in the
 * engine's own layouts. Planning is what a framework pays once per shape, executing what it pays per call.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class OperationBenchmark {
    private static final Conv2d CONV =
            Conv2d.of(new Dims(2, 8, 9, 9), 16, Window.of(3, 3).pad(Padding.of(1)));

    /** An engine's name; the suite passes those that run here. */
    @Param("onednn")
    public String engine;

    private Engine opened;
    private PlanRequest request;

    /** Opens the engine. */
    @Setup
    public void open() {
        opened = Engine.open(engine);
        request = PlanRequest.of(CONV, Pass.FPROP).layouts(opened.propose(CONV, Pass.FPROP, Map.of()));
    }

    /** Made anew each time: an engine shares a plan only while it is open. */
    @Benchmark
    public long make_plan() {
        try (Plan made = opened.plan(request)) {
            return made.workspaceBytes();
        }
    }

    /** Queued and waited for. */
    @Benchmark
    public void conv2d_fprop(Planned planned) {
        planned.plan.execute(planned.arguments, planned.workspace, planned.stream);
        planned.stream.synchronize();
    }

    /** Closes the engine with all that it gave out. */
    @TearDown
    public void close() {
        opened.close();
    }

    /** What one execution needs; x and w are zeros. */
    @State(Scope.Thread)
    public static class Planned {
        private final Arguments arguments = new Arguments();
        private Plan plan;
        private Stream stream;
        private Memory workspace;

        /** Plans and allocates. */
        @Setup
        public void plan(OperationBenchmark benchmark) {
            Engine engine = benchmark.opened;
            plan = engine.plan(benchmark.request);
            stream = engine.newStream();
            workspace = engine.allocate(Math.max(1, plan.workspaceBytes()));
            for (ArgSpec spec : CONV.arguments(Pass.FPROP)) {
                Memory memory = engine.allocate(benchmark.request.bytes(spec));
                stream.fill(memory, (byte) 0);
                arguments.set(spec.arg(), memory);
            }
            stream.synchronize();
        }
    }
}
