package io.github.jcuconv.nn;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Dims;
import io.github.jcuconv.Engine;
import io.github.jcuconv.Layout;
import io.github.jcuconv.Plan;
import io.github.jcuconv.memory.Part;
import io.github.jcuconv.op.Add;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.ArgSpec;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.PlanRequest;
import io.github.jcuconv.op.Reorder;
import io.github.jcuconv.op.Types;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Appends steps to a program. Tensors that exist keep their layout: where the engine wants another, a reorder is inserted; tensors that a step
 * creates take the layout that the engine proposes.
 */
final class Emitter {
    final Engine engine;
    final List<Value> values = new ArrayList<>();
    final List<Step> steps = new ArrayList<>();

    Emitter(Engine engine) {
        this.engine = engine;
    }

    /** The tensors of one step: existing ones, and the name and part of those that it creates. */
    static final class Bindings {
        private final Map<Arg, Value> existing = new EnumMap<>(Arg.class);
        private final Map<Arg, String> freshNames = new EnumMap<>(Arg.class);
        private final Map<Arg, Part> freshParts = new EnumMap<>(Arg.class);
        private final Map<Arg, Layout> hints = new EnumMap<>(Arg.class);
        private boolean accumulate;

        Bindings use(Arg arg, Value value) {
            existing.put(arg, value);
            return this;
        }

        Bindings create(Arg arg, String name, Part part) {
            freshNames.put(arg, name);
            freshParts.put(arg, part);
            return this;
        }

        /** Adds gradients to what their tensors hold. */
        Bindings accumulate(boolean wanted) {
            accumulate = wanted;
            return this;
        }

        /** A new tensor that best lies like an existing one: a gradient like its tensor. */
        Bindings createLike(Value model, Arg arg, String name, Part part) {
            hints.put(arg, model.layout);
            return create(arg, name, part);
        }
    }

    Value add(String name, Part part, Dims dims, DataType type, Layout layout) {
        Value value = new Value(name, part, dims, type, layout);
        values.add(value);
        return value;
    }

    /** The index that the next step will have. */
    int next() {
        return steps.size();
    }

    /** Whether the engine runs this very operation. */
    boolean can(OpDescriptor op, Pass pass) {
        return engine.refusal(op, pass).isEmpty();
    }

    /** The layouts that the engine would take beside these tensors. */
    Map<Arg, Layout> propose(OpDescriptor op, Pass pass, Bindings bindings) {
        Map<Arg, Layout> known = new EnumMap<>(Arg.class);
        known.putAll(bindings.hints);
        bindings.existing.forEach((arg, value) -> known.put(arg, value.layout));
        return engine.propose(op, pass, known);
    }

    /** Appends the step and the reorders around it; returns the tensors of the operation, as the caller knows them. */
    Map<Arg, Value> emit(String name, OpDescriptor op, Pass pass, Bindings bindings) {
        Map<Arg, Layout> layouts = propose(op, pass, bindings);
        Map<Arg, Value> bound = new EnumMap<>(Arg.class);
        Map<Arg, Value> result = new EnumMap<>(Arg.class);
        List<ArgSpec> writeBack = new ArrayList<>();
        for (ArgSpec spec : op.arguments(pass)) {
            Arg arg = spec.arg();
            Layout wanted = layouts.getOrDefault(arg, Layout.Plain.NCHW);
            Value value = bindings.existing.get(arg);
            if (value == null) {
                String freshName = bindings.freshNames.get(arg);
                Part part = bindings.freshParts.get(arg);
                if (freshName == null || part == null) {
                    throw new IllegalStateException("step " + name + ": nothing is bound to " + arg);
                }
                value = add(freshName, part, spec.dims(), spec.type(), wanted);
                bound.put(arg, value);
            } else if (sameArrangement(value, spec, wanted)) {
                bound.put(arg, value);
            } else {
                Value copy = add(value.name + " for " + name, Part.CONVERSION, spec.dims(), spec.type(), wanted);
                if (spec.access() != ArgSpec.Access.OUT || bindings.accumulate) {
                    reorder(value, copy);
                }
                if (spec.access() != ArgSpec.Access.IN) {
                    writeBack.add(spec);
                }
                bound.put(arg, copy);
            }
            result.put(arg, value);
        }
        Map<Arg, Layout> used = new EnumMap<>(Arg.class);
        for (ArgSpec spec : op.arguments(pass)) {
            used.put(spec.arg(), layouts.getOrDefault(spec.arg(), Layout.Plain.NCHW));
        }
        append(name, PlanRequest.of(op, pass).layouts(used).accumulate(bindings.accumulate), bound);
        for (ArgSpec spec : writeBack) {
            reorder(Objects.requireNonNull(bound.get(spec.arg())), Objects.requireNonNull(result.get(spec.arg())));
        }
        return result;
    }

    /** Flat regions and vectors have one arrangement, whatever layout names it. */
    private static boolean sameArrangement(Value value, ArgSpec spec, Layout wanted) {
        return value.layout.equals(wanted)
                || spec.dims().equals(Dims.vector(spec.dims().c()))
                        && value.layout instanceof Layout.Plain
                        && wanted instanceof Layout.Plain;
    }

    /** Appends a copy into another layout or type. */
    void reorder(Value from, Value to) {
        PlanRequest request = PlanRequest.of(new Reorder(from.dims, from.type, to.type), Pass.FWD)
                .layouts(Map.of(Arg.X, from.layout, Arg.Y, to.layout));
        append("reorder " + from.name, request, Map.of(Arg.X, from, Arg.Y, to));
    }

    /** Appends {@code sum += part} for vectors. */
    void addTo(Value sum, Value part) {
        Bindings b = new Bindings().use(Arg.X, sum).use(Arg.X2, part).use(Arg.Y, sum);
        emit("sum " + sum.name, new Add(sum.dims, Types.FP32), Pass.FWD, b);
    }

    void close() {
        steps.forEach(s -> s.plan.close());
    }

    private void append(String name, PlanRequest request, Map<Arg, Value> bound) {
        Plan plan = engine.plan(request);
        Value workspace = null;
        if (plan.workspaceBytes() > 0) {
            Dims size = Dims.vector(Math.toIntExact(plan.workspaceBytes()));
            workspace = add("workspace of " + name, Part.WORKSPACE, size, DataType.UINT8, Layout.Plain.NCHW);
            workspace.touch(next());
        }
        for (Value value : bound.values()) {
            value.touch(next());
        }
        steps.add(new Step(name, plan, bound, workspace));
    }
}
