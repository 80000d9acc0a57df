package io.github.jcuconv.verify;

import io.github.jcuconv.Arguments;
import io.github.jcuconv.Engine;
import io.github.jcuconv.Layout;
import io.github.jcuconv.Plan;
import io.github.jcuconv.Stream;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.ArgSpec;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.PlanRequest;
import io.github.jcuconv.op.Reorder;
import io.github.jcuconv.reference.Tensor;
import io.github.jcuconv.reference.Views;
import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One case bound to guarded memory of an engine, in the layouts that the engine proposes; tensors cross between plain and opaque layouts through
 * the engine's own reorder plans.
 */
final class EngineRun implements AutoCloseable {
    private static final byte[] POISON = {(byte) 0xFF, 0x5A};

    private final Engine engine;
    private final VerifyCase verified;
    private final Stream stream;
    private final Map<Arg, Layout> layouts;
    private final Map<Arg, Guarded> memory = new EnumMap<>(Arg.class);
    private final Plan plan;
    private final @Nullable Guarded workspace;

    EngineRun(Engine engine, VerifyCase verified, Map<Arg, Layout> settled) {
        this.engine = engine;
        this.verified = verified;
        this.layouts = engine.propose(verified.op(), verified.pass(), known(verified, settled));
        PlanRequest request =
                PlanRequest.of(verified.op(), verified.pass()).layouts(layouts).accumulate(verified.accumulate());
        this.plan = engine.plan(request);
        this.stream = engine.newStream();
        for (ArgSpec spec : verified.op().arguments(verified.pass())) {
            memory.put(spec.arg(), new Guarded(engine, stream, request.bytes(spec)));
        }
        this.workspace = plan.workspaceBytes() == 0 ? null : new Guarded(engine, stream, plan.workspaceBytes());
    }

    private static Map<Arg, Layout> known(VerifyCase c, Map<Arg, Layout> settled) {
        Map<Arg, Layout> known = new EnumMap<>(Arg.class);
        for (ArgSpec spec : c.op().arguments(c.pass())) {
            if (c.known() != null) {
                known.put(spec.arg(), c.known());
            }
        }
        known.putAll(settled);
        return known;
    }

    String algorithm() {
        return plan.algorithm();
    }

    Layout layout(Arg arg) {
        return layouts.getOrDefault(arg, Layout.Plain.NCHW);
    }

    /** Whether only the engine itself can read an argument: opaque, and made by its own forward pass. */
    boolean isPrivate(Arg arg) {
        return (arg == Arg.ARGMAX || arg == Arg.SAVED) && !(layout(arg) instanceof Layout.Plain);
    }

    /**
     * Fills the inputs, poisons outputs and workspace, runs, and gives the outputs back in plain layout.
     *
     * @param attempt 0 or 1: which poison
     * @param fault set to what was written that should not have been
     */
    Map<Arg, Tensor> execute(Views inputs, int attempt, StringBuilder fault) {
        byte poison = POISON[attempt];
        if (workspace != null) {
            workspace.poison(poison);
        }
        Map<Arg, Long> hashes = new EnumMap<>(Arg.class);
        Arguments args = new Arguments();
        for (ArgSpec spec : verified.op().arguments(verified.pass())) {
            Guarded target = bound(spec.arg());
            if (inputs.has(spec.arg()) && !isPrivate(spec.arg())) {
                upload(spec, inputs.get(spec.arg()), target);
            } else if (spec.access() != ArgSpec.Access.IN) {
                target.poison(poison);
            }
            if (spec.access() == ArgSpec.Access.IN) {
                hashes.put(spec.arg(), hash(spec.arg(), target));
            }
            args.set(spec.arg(), target.memory());
        }
        plan.execute(args, workspace == null ? null : workspace.memory(), stream);
        stream.synchronize(); // The mirrors are sources until here.
        memory.values().forEach(Guarded::download);
        if (workspace != null) {
            workspace.download();
        }
        stream.synchronize();
        Map<Arg, Tensor> outputs = new EnumMap<>(Arg.class);
        for (ArgSpec spec : verified.op().arguments(verified.pass())) {
            Guarded target = bound(spec.arg());
            if (!target.canariesIntact()) {
                fault.append("wrote beside ").append(spec.arg()).append("; ");
            }
            if (spec.access() == ArgSpec.Access.IN) {
                if (target.hash() != hashes.getOrDefault(spec.arg(), 0L)) {
                    fault.append("changed its input ").append(spec.arg()).append("; ");
                }
            } else if (!isPrivate(spec.arg())) {
                outputs.put(spec.arg(), download(spec, target));
            }
        }
        if (workspace != null && !workspace.canariesIntact()) {
            fault.append("wrote beside the workspace; ");
        }
        return outputs;
    }

    /** The mirror of a plain argument is what was uploaded; others are read back, since the engine itself wrote them. */
    private long hash(Arg arg, Guarded target) {
        if (!(layout(arg) instanceof Layout.Plain)) {
            target.download();
            stream.synchronize();
        }
        return target.hash();
    }

    private Guarded bound(Arg arg) {
        Guarded guarded = memory.get(arg);
        if (guarded == null) {
            throw new IllegalStateException(arg + " is not bound");
        }
        return guarded;
    }

    /** Runs the engine's own forward pass so that the private arguments of this backward one hold what it left. */
    void fillPrivate() {
        Map<Arg, Layout> own = new EnumMap<>(Arg.class);
        for (ArgSpec spec : verified.op().arguments(verified.pass())) {
            if (isPrivate(spec.arg())) {
                own.put(spec.arg(), layout(spec.arg()));
            }
        }
        if (own.isEmpty()) {
            return;
        }
        VerifyCase forward = new VerifyCase(
                verified.name(),
                verified.shape(),
                verified.op(),
                verified.storage(),
                Pass.FWD,
                false,
                verified.data(),
                null,
                verified.seed());
        try (EngineRun run = new EngineRun(engine, forward, own)) {
            run.execute(Inputs.forward(forward), 0, new StringBuilder());
            for (Map.Entry<Arg, Layout> entry : own.entrySet()) {
                if (!run.layout(entry.getKey()).equals(entry.getValue())) {
                    throw new IllegalStateException(entry.getKey() + ": forward writes " + run.layout(entry.getKey())
                            + ", backward reads " + entry.getValue());
                }
                stream.copy(
                        run.bound(entry.getKey()).memory(),
                        bound(entry.getKey()).memory());
            }
            stream.synchronize();
        }
    }

    private void upload(ArgSpec spec, Tensor from, Guarded to) {
        Layout layout = layout(spec.arg());
        if (layout instanceof Layout.Plain plain) {
            Tensor.of(spec.dims(), spec.type(), plain, to.contents()).copyFrom(from);
            to.upload();
            return;
        }
        try (Guarded staging =
                new Guarded(engine, stream, spec.dims().count() * spec.type().bytes())) {
            Tensor.of(spec.dims(), spec.type(), Layout.Plain.NCHW, staging.contents())
                    .copyFrom(from);
            staging.upload();
            reorder(spec, staging, Layout.Plain.NCHW, to, layout);
        }
    }

    private Tensor download(ArgSpec spec, Guarded from) {
        Layout layout = layout(spec.arg());
        Tensor plain = Tensor.zeros(spec.dims(), spec.type());
        if (layout instanceof Layout.Plain p) {
            plain.copyFrom(Tensor.of(spec.dims(), spec.type(), p, from.contents()));
            return plain;
        }
        try (Guarded staging =
                new Guarded(engine, stream, spec.dims().count() * spec.type().bytes())) {
            reorder(spec, from, layout, staging, Layout.Plain.NCHW);
            staging.download();
            stream.synchronize();
            plain.copyFrom(Tensor.of(spec.dims(), spec.type(), Layout.Plain.NCHW, staging.contents()));
        }
        return plain;
    }

    private void reorder(ArgSpec spec, Guarded from, Layout fromLayout, Guarded to, Layout toLayout) {
        PlanRequest request = PlanRequest.of(new Reorder(spec.dims(), spec.type(), spec.type()), Pass.FWD)
                .layouts(Map.of(Arg.X, fromLayout, Arg.Y, toLayout));
        try (Plan copy = engine.plan(request)) {
            Arguments args = new Arguments().set(Arg.X, from.memory()).set(Arg.Y, to.memory());
            if (copy.workspaceBytes() == 0) {
                copy.execute(args, null, stream);
                stream.synchronize();
                return;
            }
            try (Guarded scratch = new Guarded(engine, stream, copy.workspaceBytes())) {
                copy.execute(args, scratch.memory(), stream);
                stream.synchronize();
            }
        }
    }

    @Override
    public void close() {
        stream.synchronize();
        plan.close();
        memory.values().forEach(Guarded::close);
        if (workspace != null) {
            workspace.close();
        }
        stream.close();
    }
}
