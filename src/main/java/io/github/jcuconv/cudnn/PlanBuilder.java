package io.github.jcuconv.cudnn;

import io.github.jcuconv.Layout;
import io.github.jcuconv.UnsupportedException;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.ArgSpec;
import io.github.jcuconv.op.PlanRequest;
import java.util.ArrayList;
import java.util.List;
import jcuda.Pointer;
import jcuda.jcudnn.cudnnTensorDescriptor;

/** Collects what a plan does. */
final class PlanBuilder {
    private static final long WORKSPACE_UNIT = 256;

    private final CudnnEngine engine;
    private final PlanRequest request;
    private final Descriptors descriptors = new Descriptors();
    private final List<Step> steps = new ArrayList<>();
    private final List<String> names = new ArrayList<>();
    private long workspaceBytes;

    PlanBuilder(CudnnEngine engine, PlanRequest request) {
        this.engine = engine;
        this.request = request;
    }

    CudnnEngine engine() {
        return engine;
    }

    PlanRequest request() {
        return request;
    }

    /** The layout that all arguments share. */
    Layout.Plain layout() {
        return Layouts.common(request);
    }

    Descriptors make() {
        return descriptors;
    }

    boolean has(Arg arg) {
        return request.op().arguments(request.pass()).stream().anyMatch(spec -> spec.arg() == arg);
    }

    ArgSpec spec(Arg arg) {
        return request.op().arguments(request.pass()).stream()
                .filter(spec -> spec.arg() == arg)
                .findFirst()
                .orElseThrow();
    }

    cudnnTensorDescriptor tensor(Arg arg) {
        return descriptors.tensor(spec(arg).dims(), spec(arg).type(), layout());
    }

    /** The factor on what an output held before. */
    Pointer before() {
        return request.accumulate() ? DevicePointer.ONE : DevicePointer.ZERO;
    }

    /** Adds a call, with its name for people. */
    void step(String name, Step step) {
        names.add(name);
        steps.add(step);
    }

    void workspace(long bytes) {
        workspaceBytes = Math.max(workspaceBytes, roundedUp(bytes));
    }

    static long roundedUp(long bytes) {
        return (bytes + WORKSPACE_UNIT - 1) / WORKSPACE_UNIT * WORKSPACE_UNIT;
    }

    UnsupportedException refuse(String rule) {
        return new UnsupportedException(Cudnn.ENGINE, request.toString(), rule, List.of("cuda", "reference"));
    }

    CudnnPlan build() {
        return new CudnnPlan(
                engine.handles(), descriptors, steps, workspaceBytes, "cudnn " + String.join(" + ", names));
    }
}
