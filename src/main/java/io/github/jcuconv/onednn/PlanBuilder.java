package io.github.jcuconv.onednn;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SCRATCHPAD;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Layout;
import io.github.jcuconv.UnsupportedException;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.ArgSpec;
import io.github.jcuconv.op.PlanRequest;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.dnnl.primitive_desc_base;

/**
 * Collects the steps of one plan and lays out their scratch in the one workspace. {@link #in} and {@link #out} hide storage types: a factory
 * says in which type it computes, and the conversions are put before and after its own steps.
 */
final class PlanBuilder {
    private static final int ALIGNMENT = 256;
    private final OnednnEngine engine;
    private final PlanRequest request;
    private final Map<Arg, ArgSpec> specs = new EnumMap<>(Arg.class);
    private final List<Supplier<Step>> steps = new ArrayList<>();
    private final List<Supplier<Step>> after = new ArrayList<>();
    private final List<primitive> primitives = new ArrayList<>();
    private final StringBuilder algorithm = new StringBuilder();
    private final int slices;
    private long workspace;

    /** For a plan whose steps run once for each of {@code slices} equal parts of the batch. */
    PlanBuilder(OnednnEngine engine, PlanRequest request, int slices) {
        this.slices = slices;
        this.engine = engine;
        this.request = request;
        for (ArgSpec spec : request.op().arguments(request.pass())) {
            specs.put(spec.arg(), spec);
        }
    }

    OnednnEngine engine() {
        return engine;
    }

    Layout layout(Arg arg) {
        return request.layout(arg);
    }

    ArgSpec spec(Arg arg) {
        ArgSpec spec = specs.get(arg);
        if (spec == null) {
            throw new IllegalStateException(request + " has no argument " + arg);
        }
        return spec;
    }

    boolean has(Arg arg) {
        return specs.containsKey(arg);
    }

    DataType type(Arg arg) {
        return spec(arg).type();
    }

    /** Elements that an argument's slice occupies, padding included. */
    long elements(Arg arg) {
        return layout(arg).elements(spec(arg).dims()) / (isSliced(arg) ? slices : 1);
    }

    private boolean isSliced(Arg arg) {
        return slices > 1 && Slices.SLICED.contains(arg);
    }

    boolean accumulate() {
        return request.accumulate();
    }

    UnsupportedException refuse(String rule) {
        return OnednnEngine.refuse(request.op(), request.pass(), rule);
    }

    /** A piece of the workspace. */
    Operand scratch(long bytes) {
        Operand operand = new Operand(null, workspace, 0);
        workspace = Math.addExact(workspace, (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
        return operand;
    }

    /** An argument as its memory is. */
    Operand direct(Arg arg) {
        return new Operand(arg, 0, isSliced(arg) ? elements(arg) * type(arg).bytes() : 0);
    }

    /** An input in the type that a primitive wants. */
    Operand in(Arg arg, DataType as) {
        DataType stored = type(arg);
        Operand direct = direct(arg);
        if (stored == as) {
            return direct;
        }
        Operand scratch = scratch(elements(arg) * as.bytes());
        if (isSliced(arg) || slices == 1) {
            convert(steps, direct, stored, scratch, as, elements(arg));
        } else {
            long count = elements(arg);
            steps.add(() -> Step.once(
                    new Kernels.Convert(engine.workers(), count, new View(direct, stored), new View(scratch, as))));
        }
        return scratch;
    }

    /** An output in the type that a primitive writes; rounding, and adding to what is there, come after it. */
    Operand out(Arg arg, DataType as) {
        DataType stored = type(arg);
        Operand direct = direct(arg);
        boolean summed = slices > 1 && !isSliced(arg);
        if (accumulate() || summed) {
            Operand scratch = scratch(elements(arg) * as.bytes());
            long count = elements(arg);
            after.add(() -> new Kernels.Accumulate(
                    engine.workers(), count, new View(direct, stored), new View(scratch, as), accumulate()));
            return scratch;
        }
        if (stored == as) {
            return direct;
        }
        Operand scratch = scratch(elements(arg) * as.bytes());
        convert(after, scratch, as, direct, stored, elements(arg));
        return scratch;
    }

    private void convert(
            List<Supplier<Step>> list, Operand from, DataType source, Operand to, DataType target, long count) {
        list.add(() -> new Kernels.Convert(engine.workers(), count, new View(from, source), new View(to, target)));
    }

    /** Converts an operand inside the workspace or to it. */
    void convert(Operand from, DataType source, Operand to, DataType target, long count) {
        convert(steps, from, source, to, target, count);
        named("convert");
    }

    /** A Java step. */
    void step(String name, Supplier<Step> step) {
        steps.add(step);
        named(name);
    }

    /** A Java step after the conversions of outputs that were asked for so far. */
    void afterwards(Supplier<Step> step) {
        after.add(step);
    }

    /** bf16 if all these arguments have it and the CPU computes it, fp32 otherwise. */
    DataType bf16(Arg... args) {
        boolean all = engine.bf16();
        for (Arg arg : args) {
            all &= type(arg) == DataType.BF16;
        }
        return all ? DataType.BF16 : DataType.FP32;
    }

    /** Makes a primitive's descriptor; what oneDNN refuses is unsupported. */
    <T extends primitive_desc_base> T create(Supplier<T> maker) {
        try {
            return maker.get();
        } catch (RuntimeException e) {
            throw refuse("oneDNN has no primitive for this shape, these types and layouts (" + e.getMessage() + ")");
        }
    }

    private void named(String name) {
        algorithm.append(algorithm.isEmpty() ? "" : " + ").append(name);
    }

    /** Scratchpads come from the caller. */
    static primitive_attr attributes() {
        primitive_attr attr = new primitive_attr();
        attr.set_scratchpad_mode(dnnl.scratchpad_mode.user);
        return attr;
    }

    /** A primitive with its arguments, in the order in which they were given. */
    void primitive(primitive_desc_base desc, List<PrimitiveStep.Use> uses) {
        List<PrimitiveStep.Use> all = new ArrayList<>(uses);
        memory.desc pad = desc.scratchpad_desc();
        if (pad.get_size() > 0) {
            all.add(new PrimitiveStep.Use(DNNL_ARG_SCRATCHPAD, scratch(pad.get_size()), pad));
        }
        String what = request.toString();
        primitive made = Native.call(what, () -> new primitive(desc.get()));
        primitives.add(made);
        steps.add(() -> new PrimitiveStep(what, engine.cpu(), made, all));
        named(implementation(desc));
    }

    static String implementation(primitive_desc_base desc) {
        return desc.impl_info_str().getString();
    }

    OnednnPlan build() {
        if (workspace > request.workspaceLimit()) {
            primitives.forEach(primitive::close);
            throw refuse("it needs " + workspace + " B of workspace, the limit is " + request.workspaceLimit() + " B");
        }
        List<Supplier<Step>> all = new ArrayList<>(steps);
        all.addAll(after);
        return new OnednnPlan(engine, all, primitives, algorithm.toString(), workspace, slices);
    }
}
