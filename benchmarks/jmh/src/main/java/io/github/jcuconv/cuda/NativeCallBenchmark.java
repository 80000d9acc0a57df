package io.github.jcuconv.cuda;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** What a call through JNI and the C API costs: the cheapest native of the emulated engine, which only looks a handle up and refuses it. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class NativeCallBenchmark {
    private static final long NO_SUCH_PLAN = 0;

    private int library;

    /** Loads the emulated engine's library. */
    @Setup
    public void open() {
        library = Native.of("emulated").library();
    }

    /** One call, in ns. */
    @Benchmark
    public long call() {
        return PlanNatives.workspace(library, NO_SUCH_PLAN);
    }
}
