package io.github.jcuconv.op;

import io.github.jcuconv.Layout;
import java.util.EnumMap;
import java.util.Map;

/**
 * What a plan is made from; equal requests share one plan.
 *
 * @param op the operation
 * @param pass the pass
 * @param layouts the layout of each argument; those that are missing are {@link Layout.Plain#NCHW}
 * @param accumulate whether the gradients (DX, DW, DBIAS) are added to what is there instead of overwritten; only for DGRAD, WGRAD, DBIAS
 * @param workspaceLimit the most workspace the plan may ask for, bytes
 * @param choice which of the engine's ways to do it, from 1 to {@code Plan.choices()}; 0 leaves that to the engine. On the same kind of device the
 *     same number gives the same bits
 */
public record PlanRequest(
        OpDescriptor op, Pass pass, Map<Arg, Layout> layouts, boolean accumulate, long workspaceLimit, int choice) {
    /** Copies the map and checks the combination. */
    public PlanRequest {
        layouts = Map.copyOf(layouts);
        op.arguments(pass);
        if (accumulate && pass != Pass.DGRAD && pass != Pass.WGRAD && pass != Pass.DBIAS) {
            throw new IllegalArgumentException(
                    "accumulate: only DGRAD, WGRAD and DBIAS can add to their output, not " + pass);
        }
        if (workspaceLimit < 0) {
            throw new IllegalArgumentException("workspace limit " + workspaceLimit + " B: must be at least 0");
        }
        if (choice < 0) {
            throw new IllegalArgumentException("choice " + choice + ": must be at least 0");
        }
    }

    /** Plain layouts, overwrite, no limit on the workspace, the engine's choice. */
    public static PlanRequest of(OpDescriptor op, Pass pass) {
        return new PlanRequest(op, pass, Map.of(), false, Long.MAX_VALUE, 0);
    }

    /** The same with every argument in this layout: NHWC is what each engine takes. */
    public PlanRequest in(Layout layout) {
        Map<Arg, Layout> all = new EnumMap<>(Arg.class);
        op.arguments(pass).forEach(spec -> all.put(spec.arg(), layout));
        return layouts(all);
    }

    /** The same with these layouts. */
    public PlanRequest layouts(Map<Arg, Layout> newLayouts) {
        return new PlanRequest(op, pass, newLayouts, accumulate, workspaceLimit, choice);
    }

    /** The same, adding to the gradients. */
    public PlanRequest accumulate(boolean newAccumulate) {
        return new PlanRequest(op, pass, layouts, newAccumulate, workspaceLimit, choice);
    }

    /** The same with this limit on the workspace. */
    public PlanRequest workspaceLimit(long bytes) {
        return new PlanRequest(op, pass, layouts, accumulate, bytes, choice);
    }

    /** The same with this choice of the engine's ways to do it. */
    public PlanRequest choice(int newChoice) {
        return new PlanRequest(op, pass, layouts, accumulate, workspaceLimit, newChoice);
    }

    /** The layout of an argument. */
    public Layout layout(Arg arg) {
        return layouts.getOrDefault(arg, Layout.Plain.NCHW);
    }

    /** The exact bytes of an argument: elements of its layout times bytes of its type. */
    public long bytes(ArgSpec spec) {
        return layout(spec.arg()).elements(spec.dims()) * spec.type().bytes();
    }

    @Override
    public String toString() {
        return op.name() + " " + pass + " " + op.problem() + (accumulate ? " accumulate" : "")
                + (choice > 0 ? " choice " + choice : "");
    }
}
