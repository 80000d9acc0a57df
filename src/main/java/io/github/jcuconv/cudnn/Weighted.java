package io.github.jcuconv.cudnn;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Layout;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.Conv2d;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.Products;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import jcuda.jcudnn.cudnnMathType;

/**
 * Convolution, transposed convolution and dense layers: a convolution of cuDNN (or, where each pixel is visited once by a window of 1x1, a matrix
 * product of cuBLAS), and the steps of the epilogue as calls of their own.
 *
 * @param <T> the operation
 */
final class Weighted<T extends OpDescriptor> implements Factory<T> {
    /**
     * Whether algorithms may transform their inputs, by Winograd or Fourier: for timing. No useful bound of their error follows from the problem
     * alone, so that verify does not run them.
     */
    private static final boolean TRANSFORMS = Boolean.getBoolean("jcuconv.cudnn.transforms");

    private final Function<T, Convolution> convolution;

    Weighted(Function<T, Convolution> convolution) {
        this.convolution = convolution;
    }

    @Override
    public Optional<String> refusal(T op, Pass pass) {
        Convolution c = convolution.apply(op);
        if (op instanceof Conv2d conv && conv.isPooled()) {
            return Optional.of(
                    "cuDNN stores every output of a convolution; ask for the max-pool as an operation of its own");
        }
        return Layouts.mixedTypes(op, pass)
                .or(() -> pass == Pass.DBIAS ? Optional.empty() : Layouts.padding(c.window(), c.x(), c.y()))
                .or(() -> Epilogues.refusal(c.epilogue(), pass, c.type()));
    }

    @Override
    public void plan(PlanBuilder b, T op, Pass pass) {
        Convolution c = convolution.apply(op);
        if (pass != Pass.DBIAS && b.engine().hasCublas() && c.isPointwise() && b.layout() == Layout.Plain.NHWC) {
            int pixels = Math.toIntExact(c.x().count() / c.x().c());
            MatrixProduct.of(pass, pixels, c.x().c(), c.w().n()).plan(b, c.types());
        } else if (pass != Pass.DBIAS) {
            convolve(b, c, pass);
        }
        if (b.has(Arg.DBIAS)) {
            Epilogues.dbias(b);
        }
        if (pass == Pass.FPROP) {
            Epilogues.forward(b, c.epilogue());
        }
    }

    private void convolve(PlanBuilder b, Convolution c, Pass pass) {
        boolean exact = c.type() == DataType.FP32 && c.types().products() != Products.TF32;
        int math = exact
                ? cudnnMathType.CUDNN_FMA_MATH
                : c.type() == DataType.FP32 ? cudnnMathType.CUDNN_DEFAULT_MATH : cudnnMathType.CUDNN_TENSOR_OP_MATH;
        Descriptors make = b.make();
        ConvFunction.Problem problem = new ConvFunction.Problem(
                make.tensor(c.x(), c.type(), b.layout()),
                make.filter(c.w(), c.type(), b.layout()),
                make.convolution(c.window(), c.groups(), math),
                make.tensor(c.y(), c.type(), b.layout()));
        ConvFunction function = c.function(pass);
        Algorithm chosen = choose(b, c, function, problem, exact ? " fma" : " mma");
        long bytes = b.engine().withHandle(handle -> function.workspaceBytes(handle, problem, chosen.number()));
        if (PlanBuilder.roundedUp(bytes) > b.request().workspaceLimit()) {
            throw b.refuse(chosen.name() + " needs a workspace of " + bytes + " B now, which is over the limit");
        }
        b.workspace(bytes);
        Arg x = c.argX(pass);
        Arg w = Convolution.argW(pass);
        Arg y = c.argY(pass);
        b.step(
                chosen.name() + (exact ? "" : " mma"),
                call -> function.run(
                        call.dnn(),
                        problem,
                        new ConvFunction.Tensors(call.at(x), call.at(w), call.at(y)),
                        chosen.number(),
                        call.scratch(),
                        bytes,
                        b.before()));
    }

    /** The fastest that gives the same bits every time, forms sums of products unless asked otherwise, and fits. */
    private static Algorithm choose(
            PlanBuilder b, Convolution c, ConvFunction function, ConvFunction.Problem problem, String math) {
        String key = function.name() + " " + c.key() + " " + b.layout() + math;
        List<Algorithm> all =
                b.engine().cache().get(key, () -> b.engine().withHandle(handle -> function.find(handle, problem)));
        return all.stream()
                .filter(a -> a.deterministic() && (TRANSFORMS || a.isSumOfProducts()))
                .filter(a -> PlanBuilder.roundedUp(a.bytes()) <= b.request().workspaceLimit())
                .findFirst()
                .orElseThrow(() -> b.refuse("no deterministic algorithm of cuDNN does this in " + b.layout()
                        + " within " + b.request().workspaceLimit() + " B of workspace; it has "
                        + all.stream()
                                .map(a -> a.name() + " (" + a.bytes() + " B)")
                                .toList()));
    }
}
