package io.github.jcuconv.reference;

import static io.github.jcuconv.op.Pass.BWD;
import static io.github.jcuconv.op.Pass.DBIAS;
import static io.github.jcuconv.op.Pass.DGRAD;
import static io.github.jcuconv.op.Pass.FPROP;
import static io.github.jcuconv.op.Pass.FWD;
import static io.github.jcuconv.op.Pass.UPDATE;
import static io.github.jcuconv.op.Pass.WGRAD;

import io.github.jcuconv.Dims;
import io.github.jcuconv.op.Activation;
import io.github.jcuconv.op.Adam;
import io.github.jcuconv.op.Add;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.ArgSpec;
import io.github.jcuconv.op.AvgPool2d;
import io.github.jcuconv.op.BatchNorm;
import io.github.jcuconv.op.ChannelScale;
import io.github.jcuconv.op.Concat;
import io.github.jcuconv.op.Conv2d;
import io.github.jcuconv.op.ConvTranspose2d;
import io.github.jcuconv.op.Dense;
import io.github.jcuconv.op.Dropout;
import io.github.jcuconv.op.FiniteCheck;
import io.github.jcuconv.op.Lrn;
import io.github.jcuconv.op.MaxPool2d;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.Reorder;
import io.github.jcuconv.op.Sgd;
import io.github.jcuconv.op.SoftmaxCrossEntropy;
import io.github.jcuconv.op.StepControl;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Which formula or loop nest computes each pass of each operation. */
public final class ReferenceTable {
    private record Key(Class<?> op, Pass pass) {}

    private static final Map<Key, Map<Arg, Formula<OpDescriptor>>> FORMULAS = new HashMap<>();
    private static final Map<Key, LoopNest<OpDescriptor>> NESTS = new HashMap<>();

    static {
        formula(Conv2d.class, FPROP, Arg.Y, RefConv2d::y);
        formula(Conv2d.class, DGRAD, Arg.DX, RefConv2d::dx);
        formula(Conv2d.class, WGRAD, Arg.DW, RefConv2d::dw);
        formula(ConvTranspose2d.class, FPROP, Arg.Y, RefConvTranspose2d::y);
        formula(ConvTranspose2d.class, DGRAD, Arg.DX, RefConvTranspose2d::dx);
        formula(ConvTranspose2d.class, WGRAD, Arg.DW, RefConvTranspose2d::dw);
        formula(Dense.class, FPROP, Arg.Y, RefDense::y);
        formula(Dense.class, DGRAD, Arg.DX, RefDense::dx);
        formula(Dense.class, WGRAD, Arg.DW, RefDense::dw);
        dbias(Conv2d.class);
        dbias(ConvTranspose2d.class);
        dbias(Dense.class);
        formula(MaxPool2d.class, FWD, Arg.Y, RefMaxPool2d::y);
        formula(MaxPool2d.class, FWD, Arg.ARGMAX, RefMaxPool2d::argmax);
        formula(MaxPool2d.class, BWD, Arg.DX, RefMaxPool2d::dx);
        formula(AvgPool2d.class, FWD, Arg.Y, RefAvgPool2d::y);
        formula(AvgPool2d.class, BWD, Arg.DX, RefAvgPool2d::dx);
        formula(Lrn.class, FWD, Arg.Y, RefLrn::y);
        formula(Lrn.class, FWD, Arg.SAVED, RefLrn::scale);
        formula(Lrn.class, BWD, Arg.DX, RefLrn::dx);
        nest(BatchNorm.class, FWD, RefBatchNorm::forward);
        nest(BatchNorm.class, BWD, RefBatchNorm::backward);
        formula(Activation.class, FWD, Arg.Y, RefActivation::y);
        formula(Activation.class, BWD, Arg.DX, RefActivation::dx);
        formula(Dropout.class, FWD, Arg.Y, RefDropout::y);
        formula(Dropout.class, BWD, Arg.DX, RefDropout::dx);
        nest(SoftmaxCrossEntropy.class, FWD, RefSoftmaxCrossEntropy::forward);
        nest(SoftmaxCrossEntropy.class, BWD, RefSoftmaxCrossEntropy::backward);
        formula(Add.class, FWD, Arg.Y, RefCopies::add);
        formula(Concat.class, FWD, Arg.Y, RefCopies::concat);
        formula(Concat.class, BWD, Arg.DX, RefCopies::concatDx);
        formula(ChannelScale.class, FWD, Arg.Y, RefChannelScale::y);
        formula(ChannelScale.class, BWD, Arg.DX, RefChannelScale::dx);
        formula(ChannelScale.class, BWD, Arg.DX2, RefChannelScale::dx2);
        formula(Reorder.class, FWD, Arg.Y, RefCopies::reorder);
        formula(FiniteCheck.class, FWD, Arg.FLAG, RefCopies::flag);
        nest(Sgd.class, UPDATE, RefOptimizers::sgd);
        nest(Adam.class, UPDATE, RefOptimizers::adam);
        nest(StepControl.class, UPDATE, RefStepControl::run);
    }

    private ReferenceTable() {}

    private static <D extends OpDescriptor> void formula(Class<D> type, Pass pass, Arg output, Formula<D> formula) {
        FORMULAS.computeIfAbsent(new Key(type, pass), key -> new EnumMap<>(Arg.class))
                .put(output, (op, t, n, c, h, w) -> formula.at(type.cast(op), t, n, c, h, w));
    }

    private static <D extends OpDescriptor> void nest(Class<D> type, Pass pass, LoopNest<D> nest) {
        NESTS.put(new Key(type, pass), (op, t) -> nest.run(type.cast(op), t));
    }

    private static <D extends OpDescriptor> void dbias(Class<D> type) {
        Formula<D> sum = (op, t, n, c, h, w) -> RefEpilogue.dbias(t.get(Arg.DY), c);
        formula(type, WGRAD, Arg.DBIAS, sum);
        formula(type, DBIAS, Arg.DBIAS, sum);
    }

    /** Whether the table has an entry. */
    public static boolean has(Class<? extends OpDescriptor> op, Pass pass) {
        Key key = new Key(op, pass);
        return FORMULAS.containsKey(key) || NESTS.containsKey(key);
    }

    /** The formula of an output, null where a loop nest computes the pass. */
    public static @Nullable Formula<OpDescriptor> formula(OpDescriptor op, Pass pass, Arg output) {
        return FORMULAS.getOrDefault(new Key(op.getClass(), pass), Map.of()).get(output);
    }

    /** Computes every output of a pass; with {@code accumulate} adds to what the outputs hold. */
    public static void run(OpDescriptor op, Pass pass, Views t, boolean accumulate) {
        LoopNest<OpDescriptor> nest = NESTS.get(new Key(op.getClass(), pass));
        if (nest != null) {
            nest.run(op, t);
            return;
        }
        for (ArgSpec spec : op.arguments(pass)) {
            Formula<OpDescriptor> formula = formula(op, pass, spec.arg());
            if (formula != null && spec.access() != ArgSpec.Access.IN) {
                fill(op, t, t.get(spec.arg()), formula, accumulate);
            }
        }
    }

    private static void fill(OpDescriptor op, Views t, Tensor out, Formula<OpDescriptor> formula, boolean accumulate) {
        Dims d = out.dims();
        for (int n = 0; n < d.n(); n++) {
            for (int c = 0; c < d.c(); c++) {
                for (int h = 0; h < d.h(); h++) {
                    for (int w = 0; w < d.w(); w++) {
                        double before = accumulate ? out.get(n, c, h, w) : 0;
                        out.set(n, c, h, w, before + formula.at(op, t, n, c, h, w));
                    }
                }
            }
        }
    }
}
