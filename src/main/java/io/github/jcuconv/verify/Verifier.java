package io.github.jcuconv.verify;

import io.github.jcuconv.Dims;
import io.github.jcuconv.Engine;
import io.github.jcuconv.OutOfMemoryException;
import io.github.jcuconv.UnsupportedException;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.ArgSpec;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.reference.Tensor;
import io.github.jcuconv.reference.Views;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Runs cases on one engine and compares with the oracle: every element within its bound, two runs on differently dirty memory with the same
 * bits, canaries intact, inputs untouched. Not for use by several threads.
 */
public final class Verifier {
    /** Multiply-adds (half of 2 GFLOP) above which only samples are compared. */
    private static final long SAMPLED_ABOVE = 1_000_000_000L;
    /** Elements above which the oracle's fp64 copies do not fit. */
    private static final long LARGEST = 1L << 27;

    private final Engine engine;
    private final @Nullable TensorDump dump;
    private final long sampledAbove;

    /** Verifies this engine. */
    public Verifier(Engine engine) {
        this(engine, null);
    }

    /** Verifies this engine by samples whatever the size: a look before something is timed. */
    public static Verifier bySamples(Engine engine) {
        return new Verifier(engine, null, 0);
    }

    /** Verifies this engine and hands all tensors to a dump. */
    public Verifier(Engine engine, @Nullable TensorDump dump) {
        this(engine, dump, SAMPLED_ABOVE);
    }

    private Verifier(Engine engine, @Nullable TensorDump dump, long sampledAbove) {
        this.engine = engine;
        this.dump = dump;
        this.sampledAbove = sampledAbove;
    }

    /** Runs one case. Never throws for what the engine does: an exception of the engine is a failed case. */
    public VerifyResult verify(VerifyCase c) {
        Optional<String> refusal = engine.refusal(c.op(), c.pass());
        if (refusal.isPresent()) {
            return result(c, VerifyResult.Verdict.NOT_RUN, refusal.get());
        }
        for (ArgSpec spec : c.op().arguments(c.pass())) {
            if (spec.dims().count() > LARGEST) {
                return result(
                        c,
                        VerifyResult.Verdict.NOT_RUN,
                        spec.arg() + " of " + spec.dims() + " is too large for the oracle");
            }
        }
        try {
            return run(c);
        } catch (UnsupportedException | OutOfMemoryException e) {
            return result(c, VerifyResult.Verdict.NOT_RUN, message(e));
        } catch (OutOfMemoryError e) {
            return result(
                    c, VerifyResult.Verdict.NOT_RUN, "the oracle's tensors do not fit in Java's heap: raise -Xmx");
        } catch (RuntimeException e) {
            return result(c, VerifyResult.Verdict.FAILED, e.getClass().getSimpleName() + ": " + message(e));
        }
    }

    private static String message(RuntimeException e) {
        String message = e.getMessage();
        return message == null ? "" : message;
    }

    private VerifyResult result(VerifyCase c, VerifyResult.Verdict verdict, String text) {
        return new VerifyResult(c, engine.name(), verdict, Double.NaN, Double.NaN, text);
    }

    private VerifyResult run(VerifyCase c) {
        Views inputs = Inputs.of(c);
        StringBuilder fault = new StringBuilder();
        Map<Arg, Tensor> first;
        Map<Arg, Tensor> second;
        String algorithm;
        try (EngineRun run = new EngineRun(engine, c, Map.of())) {
            if (Bounds.isTransformed(run.algorithm())) {
                return result(
                        c,
                        VerifyResult.Verdict.NOT_RUN,
                        run.algorithm() + " has no bound that verify could hold it to");
            }
            if (c.pass() == Pass.BWD) {
                run.fillPrivate();
            }
            first = run.execute(inputs, 0, fault);
            second = run.execute(inputs, 1, fault);
            algorithm = run.algorithm();
        }
        Comparison comparison = new Comparison();
        Expectation expectation = Expectation.of(c, inputs, algorithm);
        boolean sampled = c.op().multiplyAdds() > sampledAbove;
        for (ArgSpec spec : c.op().arguments(c.pass())) {
            Tensor actual = first.get(spec.arg());
            if (actual != null) {
                comparison.add(spec, actual, expectation, sampled, c.seed());
                if (!sameBits(actual, second.get(spec.arg()))) {
                    fault.append("two runs give different bits of ")
                            .append(spec.arg())
                            .append("; ");
                }
            }
            write(c, spec, inputs, actual, sampled ? null : expectation);
        }
        fault.append(comparison.problem());
        return new VerifyResult(
                c,
                engine.name(),
                fault.isEmpty() ? VerifyResult.Verdict.PASSED : VerifyResult.Verdict.FAILED,
                comparison.error(),
                comparison.bound(),
                fault.isEmpty() ? algorithm : fault.toString());
    }

    private static boolean sameBits(Tensor first, @Nullable Tensor second) {
        return second != null && first.data().equals(second.data());
    }

    private void write(
            VerifyCase c, ArgSpec spec, Views inputs, @Nullable Tensor actual, @Nullable Expectation expectation) {
        if (dump == null) {
            return;
        }
        String name = (c + " " + spec.arg()).toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9.]+", "-");
        if (inputs.has(spec.arg())) {
            dump.write(name + "-input", inputs.get(spec.arg()));
        }
        if (actual != null) {
            dump.write(name + "-" + engine.name(), actual);
        }
        if (actual != null && expectation != null) {
            Dims d = spec.dims();
            Tensor exact = Tensor.exact(d);
            Samples.all(d, (n, k, h, w) -> exact.set(n, k, h, w, expectation.value(spec, n, k, h, w)));
            dump.write(name + "-oracle", exact);
        }
    }
}
