package io.github.jcuconv.nn;

import io.github.jcuconv.Arguments;
import io.github.jcuconv.DataType;
import io.github.jcuconv.Layout;
import io.github.jcuconv.Memory;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.PlanRequest;
import io.github.jcuconv.op.Reorder;
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
            program.link().write(value.memory(), plain);
            return;
        }
        Memory staging = staging(value);
        program.link().write(staging, plain);
        run(in(value), staging, value.memory());
    }

    float[] read(Value value) {
        float[] plain = new float[Math.toIntExact(value.dims.count())];
        Memory from = value.memory();
        if (needsStaging(value)) {
            from = staging(value);
            run(out(value), value.memory(), from);
        }
        program.link().read(from, plain);
        return plain;
    }

    /** The output of an inference in plain order. */
    float[] plainOutput() {
        return read(program.logits);
    }

    /** Rounds the fp32 weights of a mixed-precision training into their 16-bit copy. */
    void refreshCopy() {
        Weights.Flat flat = program.weights.weights;
        if (flat == null || flat.copy() == null) {
            return;
        }
        run(
                round(flat, program.storage),
                flat.master().memory(),
                Objects.requireNonNull(flat.copy()).memory());
    }

    /** Plain fp32 into the parameter's layout and type. */
    static PlanRequest in(Value value) {
        Reorder op = new Reorder(value.dims, DataType.FP32, value.type);
        return PlanRequest.of(op, Pass.FWD).layouts(Map.of(Arg.Y, value.layout));
    }

    /** The parameter's layout and type into plain fp32. */
    static PlanRequest out(Value value) {
        Reorder op = new Reorder(value.dims, value.type, DataType.FP32);
        return PlanRequest.of(op, Pass.FWD).layouts(Map.of(Arg.X, value.layout));
    }

    /** The fp32 weights into their 16-bit copy. */
    static PlanRequest round(Weights.Flat flat, DataType storage) {
        return PlanRequest.of(new Reorder(flat.master().dims, DataType.FP32, storage), Pass.FWD);
    }

    private void run(PlanRequest request, Memory from, Memory to) {
        Arguments args = new Arguments().set(Arg.X, from).set(Arg.Y, to);
        program.plan(request).execute(args, program.transferWorkspace(), program.stream());
    }

    private Memory staging(Value value) {
        Value staging = Objects.requireNonNull(program.staging, "staging");
        return staging.memory().slice(0, value.dims.count() * DataType.FP32.bytes());
    }
}
