package io.github.jcuconv.nn;

import io.github.jcuconv.Arguments;
import io.github.jcuconv.DataType;
import io.github.jcuconv.Dims;
import io.github.jcuconv.Layout;
import io.github.jcuconv.Memory;
import io.github.jcuconv.Plan;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.PlanRequest;
import io.github.jcuconv.op.Reorder;
import java.nio.FloatBuffer;
import java.util.Map;
import java.util.Objects;

/** Moves parameters between the host's plain order and the engine's layout and type. */
final class Transfer {
    private final Program program;

    Transfer(Program program) {
        this.program = program;
    }

    static boolean needsStaging(Value value) {
        return value.layout != Layout.Plain.NCHW || value.type != DataType.FP32;
    }

    void write(Value value, float[] plain) {
        if (!needsStaging(value)) {
            value.memory().buffer().asFloatBuffer().put(plain);
            return;
        }
        Memory staging = staging(value);
        staging.buffer().asFloatBuffer().put(plain);
        move(value, staging, true);
    }

    float[] read(Value value) {
        float[] plain = new float[Math.toIntExact(value.dims.count())];
        Memory from = value.memory();
        if (needsStaging(value)) {
            from = staging(value);
            move(value, from, false);
        }
        FloatBuffer floats = from.buffer().asFloatBuffer();
        floats.get(plain);
        return plain;
    }

    /** Rounds the fp32 weights of a mixed-precision training into their 16-bit copy. */
    void refreshCopy() {
        Weights.Flat flat = program.weights.weights;
        if (flat == null || flat.copy() == null) {
            return;
        }
        Dims dims = flat.master().dims;
        PlanRequest request = PlanRequest.of(new Reorder(dims, DataType.FP32, program.storage), Pass.FWD);
        run(request, flat.master().memory(), Objects.requireNonNull(flat.copy()).memory());
    }

    private void move(Value value, Memory staging, boolean in) {
        Reorder op = in
                ? new Reorder(value.dims, DataType.FP32, value.type)
                : new Reorder(value.dims, value.type, DataType.FP32);
        Map<Arg, Layout> layouts =
                in ? Map.of(Arg.Y, value.layout) : Map.of(Arg.X, value.layout);
        PlanRequest request = PlanRequest.of(op, Pass.FWD).layouts(layouts);
        run(request, in ? staging : value.memory(), in ? value.memory() : staging);
    }

    private void run(PlanRequest request, Memory from, Memory to) {
        try (Plan plan = program.engine.plan(request)) {
            Memory workspace = plan.workspaceBytes() == 0 ? null : program.engine.allocate(plan.workspaceBytes());
            plan.execute(new Arguments().set(Arg.X, from).set(Arg.Y, to), workspace, program.stream());
            program.stream().synchronize();
            if (workspace != null) {
                workspace.close();
            }
        }
    }

    private Memory staging(Value value) {
        Value staging = Objects.requireNonNull(program.staging, "staging");
        return staging.memory().slice(0, value.dims.count() * DataType.FP32.bytes());
    }
}
