package io.github.jcuconv.onednn;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_BIAS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_BIAS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_WEIGHTS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC_1;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Layout;
import io.github.jcuconv.UnsupportedException;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.ArgSpec;
import io.github.jcuconv.op.Epilogue;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.post_ops;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.dnnl.primitive_desc;
import org.jspecify.annotations.Nullable;

/**
 * What convolution and inner product share: a primitive over source, weights and destination whose layouts oneDNN chooses, an optional bias,
 * and an epilogue.
 *
 * @param kind which of the three primitives
 * @param src our argument that is oneDNN's (gradient of the) source
 * @param weights our argument that is oneDNN's (gradient of the) weights
 * @param dst our argument that is oneDNN's (gradient of the) destination
 * @param srcShape shape of the source as oneDNN takes it
 * @param weightsShape shape of the weights
 * @param dstShape shape of the destination
 * @param keepsSource whether the primitive is fast with any layout of the source, so that a settled one stays
 * @param creator makes the primitive's descriptor
 */
record Weighted(
        Kind kind,
        Arg src,
        Arg weights,
        Arg dst,
        long[] srcShape,
        long[] weightsShape,
        long[] dstShape,
        boolean keepsSource,
        Creator creator) {
    /** oneDNN's three primitives. */
    enum Kind {
        FORWARD,
        BACKWARD_DATA,
        BACKWARD_WEIGHTS
    }

    /** Element types in which a primitive runs. */
    record Compute(DataType src, DataType weights, DataType dst) {
        static final Compute FP32 = new Compute(DataType.FP32, DataType.FP32, DataType.FP32);
    }

    /** Makes the primitive's descriptor, throwing the preset's RuntimeException if there is none. */
    interface Creator {
        primitive_desc create(
                Kind kind,
                memory.desc src,
                memory.desc weights,
                memory.@Nullable desc bias,
                memory.desc dst,
                primitive_attr attr);
    }

    /** bf16 natively where oneDNN has the combination, fp32 otherwise. */
    Compute compute(OnednnEngine engine, Map<Arg, DataType> types, boolean accumulate) {
        boolean bf16 = engine.bf16();
        DataType s = types.get(src);
        DataType w = types.get(weights);
        DataType d = types.get(dst);
        return switch (kind) {
            case FORWARD ->
                bf16 && s == DataType.BF16 && w == DataType.BF16
                        ? new Compute(s, w, d == DataType.BF16 && !accumulate ? d : DataType.FP32)
                        : Compute.FP32;
            case BACKWARD_DATA ->
                bf16 && s == DataType.BF16 && w == DataType.BF16 && d == DataType.BF16 && !accumulate
                        ? new Compute(s, w, d)
                        : Compute.FP32;
            case BACKWARD_WEIGHTS ->
                bf16 && s == DataType.BF16 && d == DataType.BF16
                        ? new Compute(s, w == DataType.BF16 && !accumulate ? w : DataType.FP32, d)
                        : Compute.FP32;
        };
    }

    /** Types of the arguments, whatever the pass. */
    static Map<Arg, DataType> types(List<ArgSpec> specs) {
        Map<Arg, DataType> types = new EnumMap<>(Arg.class);
        for (ArgSpec spec : specs) {
            types.put(spec.arg(), spec.type());
        }
        return types;
    }

    private primitive_desc create(
            memory.desc srcDesc, memory.desc weightsDesc, boolean bias, memory.desc dstDesc, primitive_attr attr) {
        memory.desc biasDesc = bias ? Descs.vector((int) dstShape[1]) : null;
        return creator.create(kind, srcDesc, weightsDesc, biasDesc, dstDesc, attr);
    }

    private primitive_desc createAny(Compute c, boolean bias, @Nullable Layout source, Descs descs) {
        try {
            return create(
                    source == null ? Descs.any(srcShape, c.src()) : descs.of(source, srcShape, c.src()),
                    Descs.any(weightsShape, c.weights()),
                    bias,
                    Descs.any(dstShape, c.dst()),
                    PlanBuilder.attributes());
        } catch (RuntimeException e) {
            throw new UnsupportedException(
                    Native.ENGINE,
                    kind + " of " + Arrays.toString(srcShape) + " with weights " + Arrays.toString(weightsShape),
                    "oneDNN has no primitive for it (" + e.getMessage() + ")",
                    List.of("reference"));
        }
    }

    /** The layouts that oneDNN would choose, the weights' being kept where that changes nothing else. */
    Map<Arg, Layout> propose(OnednnEngine engine, List<ArgSpec> specs, boolean bias, Map<Arg, Layout> known) {
        Compute compute = compute(engine, types(specs), false);
        Descs descs = engine.descs();
        primitive_desc any = createAny(compute, bias, keepsSource ? known.get(src) : null, descs);
        Map<Arg, Layout> result = layouts(descs, any, specs);
        Layout kept = known.get(weights);
        if (kept == null || kept.equals(result.get(weights)) || !(kept instanceof Layout.Opaque)) {
            return result;
        }
        try {
            primitive_desc same = create(
                    srcDesc(any),
                    descs.of(kept, weightsShape, compute.weights()),
                    bias,
                    dstDesc(any),
                    PlanBuilder.attributes());
            if (PlanBuilder.implementation(same).equals(PlanBuilder.implementation(any))) {
                return layouts(descs, same, specs);
            }
        } catch (RuntimeException e) {
            // The preset's only way to say that this primitive does not take the kept layout.
            return result;
        }
        return result;
    }

    private Map<Arg, Layout> layouts(Descs descs, primitive_desc desc, List<ArgSpec> specs) {
        Map<Arg, Layout> layouts = new EnumMap<>(Arg.class);
        for (ArgSpec spec : specs) {
            Arg arg = spec.arg();
            if (arg == src) {
                layouts.put(arg, descs.layout(srcDesc(desc), spec.dims()));
            } else if (arg == weights) {
                layouts.put(arg, descs.layout(weightsDesc(desc), spec.dims()));
            } else if (arg == dst || arg == Arg.RESIDUAL && kind == Kind.FORWARD) {
                layouts.put(arg, descs.layout(dstDesc(desc), spec.dims()));
            } else {
                layouts.put(arg, Layout.Plain.NCHW);
            }
        }
        return layouts;
    }

    private memory.desc srcDesc(primitive_desc desc) {
        return kind == Kind.BACKWARD_DATA ? desc.diff_src_desc() : desc.src_desc();
    }

    private memory.desc weightsDesc(primitive_desc desc) {
        return kind == Kind.BACKWARD_WEIGHTS ? desc.diff_weights_desc() : desc.weights_desc();
    }

    private memory.desc dstDesc(primitive_desc desc) {
        return kind == Kind.FORWARD ? desc.dst_desc() : desc.diff_dst_desc();
    }

    /**
     * Adds the primitive to a plan; {@code bias} and {@code epilogue} only where oneDNN's primitive can do them itself.
     *
     * @param fp32 whether the result is needed in fp32, whatever its type
     * @return where the result is before it is converted to its type
     */
    Operand plan(PlanBuilder b, boolean bias, Epilogue epilogue, boolean fp32) {
        return plan(b, bias, epilogue, fp32, false);
    }

    /** The same, with every tensor in fp32 where oneDNN's 16-bit primitive cannot be trusted. */
    Operand plan(PlanBuilder b, boolean bias, Epilogue epilogue, boolean fp32, boolean allFp32) {
        Map<Arg, DataType> types = new EnumMap<>(Arg.class);
        for (Arg arg : List.of(src, weights, dst)) {
            types.put(arg, b.type(arg));
        }
        Compute c = allFp32 ? Compute.FP32 : compute(b.engine(), types, fp32);
        List<PrimitiveStep.Use> uses = new ArrayList<>();
        boolean biasFirst = bias && (kind != Kind.FORWARD || epilogue.steps().get(0) == Epilogue.Step.BIAS);
        primitive_desc desc = choose(b, c, biasFirst, epilogue, uses);
        Tensor s = new Tensor(src, c.src(), srcShape, srcDesc(desc));
        Tensor w = new Tensor(weights, c.weights(), weightsShape, weightsDesc(desc));
        Tensor d = new Tensor(dst, c.dst(), dstShape, dstDesc(desc));
        Tensor result =
                switch (kind) {
                    case FORWARD -> d;
                    case BACKWARD_DATA -> s;
                    case BACKWARD_WEIGHTS -> w;
                };
        Operand written = b.out(result.arg(), result.type());
        Operand direct = result.fits(b) ? written : b.scratch(result.md().get_size());
        for (Tensor tensor : List.of(s, w, d)) {
            uses.add(new PrimitiveStep.Use(
                    id(tensor.arg()), tensor.arg() == result.arg() ? direct : tensor.read(b), tensor.md()));
        }
        if (biasFirst) {
            memory.desc vector = Descs.vector((int) dstShape[1]);
            uses.add(
                    kind == Kind.BACKWARD_WEIGHTS
                            ? new PrimitiveStep.Use(DNNL_ARG_DIFF_BIAS, b.out(Arg.DBIAS, DataType.FP32), vector)
                            : new PrimitiveStep.Use(DNNL_ARG_BIAS, b.in(Arg.BIAS, DataType.FP32), vector));
        }
        b.primitive(desc, uses);
        if (!direct.equals(written)) {
            OnednnReorder.add(b, direct, result.md(), written, result.asked(b));
        }
        return written;
    }

    /** One of the three tensors: our argument, the type and descriptor in which the primitive takes it. */
    private record Tensor(Arg arg, DataType type, long[] shape, memory.desc md) {
        boolean fits(PlanBuilder b) {
            return b.engine().descs().isArranged(md, b.layout(arg), b.spec(arg).dims());
        }

        memory.desc asked(PlanBuilder b) {
            return b.engine().descs().of(b.layout(arg), shape, type);
        }

        /** The operand of an input, reordered if the primitive was not made for the request's layout. */
        Operand read(PlanBuilder b) {
            Operand stored = b.in(arg, type);
            if (fits(b)) {
                return stored;
            }
            Operand reordered = b.scratch(md.get_size());
            OnednnReorder.add(b, stored, asked(b), reordered, md);
            return reordered;
        }
    }

    private int id(Arg arg) {
        if (arg == src) {
            return kind == Kind.BACKWARD_DATA ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC;
        }
        if (arg == weights) {
            return kind == Kind.BACKWARD_WEIGHTS ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS;
        }
        return kind == Kind.FORWARD ? DNNL_ARG_DST : DNNL_ARG_DIFF_DST;
    }

    /**
     * oneDNN's own choice if the request asks for just those layouts (several descriptors can mean one arrangement, and only its own choice
     * is sure to be fast), a primitive made for the request's layouts otherwise, unless that is only reference code: then reorders are faster.
     */
    private primitive_desc choose(
            PlanBuilder b, Compute c, boolean bias, Epilogue epilogue, List<PrimitiveStep.Use> uses) {
        Descs descs = b.engine().descs();
        memory.desc dstDesc = descs.of(b.layout(dst), dstShape, c.dst());
        primitive_attr attr = PlanBuilder.attributes();
        if (kind == Kind.FORWARD) {
            attr.set_post_ops(postOps(b, epilogue, bias, descs, uses));
        }
        try {
            primitive_desc any = create(
                    Descs.any(srcShape, c.src()),
                    Descs.any(weightsShape, c.weights()),
                    bias,
                    Descs.any(dstShape, c.dst()),
                    attr);
            if (descs.isArranged(srcDesc(any), b.layout(src), b.spec(src).dims())
                    && descs.isArranged(
                            weightsDesc(any), b.layout(weights), b.spec(weights).dims())
                    && descs.isArranged(dstDesc(any), b.layout(dst), b.spec(dst).dims())) {
                return any;
            }
            primitive_desc exact = create(
                    descs.of(b.layout(src), srcShape, c.src()),
                    descs.of(b.layout(weights), weightsShape, c.weights()),
                    bias,
                    dstDesc,
                    attr);
            return isReference(exact) && !isReference(any) ? any : exact;
        } catch (RuntimeException e) {
            throw b.refuse("oneDNN has no " + kind + " primitive for this shape, these types and layouts ("
                    + e.getMessage() + ")");
        }
    }

    private static boolean isReference(primitive_desc desc) {
        return PlanBuilder.implementation(desc).startsWith("ref");
    }

    /** The epilogue without a bias that stands first. */
    private post_ops postOps(
            PlanBuilder b, Epilogue epilogue, boolean biasFirst, Descs descs, List<PrimitiveStep.Use> uses) {
        post_ops ops = new post_ops();
        for (Epilogue.Step step : epilogue.steps()) {
            int id = DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE * (ops.len() + 1) | DNNL_ARG_SRC_1;
            switch (step) {
                case BIAS -> {
                    if (!biasFirst) {
                        memory.desc md = Descs.channels(dstShape);
                        ops.append_binary(dnnl.algorithm.binary_add, md);
                        uses.add(new PrimitiveStep.Use(id, b.in(Arg.BIAS, DataType.FP32), md));
                    }
                }
                case SCALE -> {
                    memory.desc md = Descs.channels(dstShape);
                    ops.append_binary(dnnl.algorithm.binary_mul, md);
                    uses.add(new PrimitiveStep.Use(id, b.in(Arg.SCALE, DataType.FP32), md));
                }
                case RESIDUAL -> {
                    DataType type =
                            b.type(Arg.RESIDUAL) == DataType.BF16 && b.engine().bf16() ? DataType.BF16 : DataType.FP32;
                    memory.desc md = descs.of(b.layout(Arg.RESIDUAL), dstShape, type);
                    ops.append_binary(dnnl.algorithm.binary_add, md);
                    uses.add(new PrimitiveStep.Use(id, b.in(Arg.RESIDUAL, type), md));
                }
                case RELU, TANH, SIGMOID -> ops.append_eltwise(algorithm(step), 0, 0);
            }
        }
        return ops;
    }

    static dnnl.algorithm algorithm(Epilogue.Step step) {
        return switch (step) {
            case RELU -> dnnl.algorithm.eltwise_relu;
            case TANH -> dnnl.algorithm.eltwise_tanh;
            case SIGMOID -> dnnl.algorithm.eltwise_logistic;
            default -> throw new IllegalArgumentException(step + " is no activation");
        };
    }
}
