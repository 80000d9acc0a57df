package io.github.jcuconv.cudnn;

import io.github.jcuconv.DataType;
import io.github.jcuconv.op.Activation;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.Epilogue;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.Products;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import jcuda.jcudnn.JCudnn;
import jcuda.jcudnn.cudnnMathType;
import jcuda.jcudnn.cudnnTensorDescriptor;

/**
 * Convolution, transposed convolution and dense layers: a convolution of cuDNN, and the steps of the epilogue as calls of their own.
 *
 * @param <T> the operation
 */
final class Weighted<T extends OpDescriptor> implements Factory<T> {
    private final Function<T, Convolution> convolution;

    Weighted(Function<T, Convolution> convolution) {
        this.convolution = convolution;
    }

    @Override
    public Optional<String> refusal(T op, Pass pass) {
        Convolution c = convolution.apply(op);
        return Layouts.mixedTypes(op, pass)
                .or(() -> Layouts.padding(c.window(), c.x(), c.y()))
                .or(() -> pass == Pass.FPROP && c.type() != DataType.FP32 ? rounded(c.epilogue()) : Optional.empty());
    }

    /** In 16 bits the sum is rounded when it is stored, so that only what follows without an error of its own can be done to it. */
    private static Optional<String> rounded(Epilogue epilogue) {
        return epilogue.steps().stream()
                .filter(step -> step != Epilogue.Step.RELU)
                .findFirst()
                .map(step -> "cuDNN would round to 16 bits before and after " + step
                        + "; ask for it as an operation of its own");
    }

    @Override
    public void plan(PlanBuilder b, T op, Pass pass) {
        Convolution c = convolution.apply(op);
        if (pass != Pass.DBIAS) {
            convolve(b, c, pass);
        }
        if (b.has(Arg.DBIAS)) {
            dbias(b, c);
        }
        if (pass == Pass.FPROP) {
            c.epilogue().steps().forEach(step -> epilogue(b, c, step));
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
                        call.handle(),
                        problem,
                        new ConvFunction.Tensors(call.at(x), call.at(w), call.at(y)),
                        chosen.number(),
                        call.scratch(),
                        bytes,
                        b.before()));
    }

    /** The fastest that gives the same bits every time, forms sums of products, and fits. */
    private static Algorithm choose(
            PlanBuilder b, Convolution c, ConvFunction function, ConvFunction.Problem problem, String math) {
        String key = function.name() + " " + c.key() + " " + b.layout() + math;
        List<Algorithm> all =
                b.engine().cache().get(key, () -> b.engine().withHandle(handle -> function.find(handle, problem)));
        return all.stream()
                .filter(a -> a.deterministic() && a.isSumOfProducts())
                .filter(a -> PlanBuilder.roundedUp(a.bytes()) <= b.request().workspaceLimit())
                .findFirst()
                .orElseThrow(() -> b.refuse("no deterministic algorithm of cuDNN does this in " + b.layout()
                        + " within " + b.request().workspaceLimit() + " B of workspace; it has "
                        + all.stream()
                                .map(a -> a.name() + " (" + a.bytes() + " B)")
                                .toList()));
    }

    private static void dbias(PlanBuilder b, Convolution c) {
        cudnnTensorDescriptor dy = b.make().tensor(b.spec(Arg.DY).dims(), c.type(), b.layout());
        cudnnTensorDescriptor dbias = b.make().tensor(b.spec(Arg.DBIAS).dims(), c.type(), b.layout());
        b.step(
                "backward_bias",
                call -> Cudnn.call(
                        "convolution backward bias",
                        () -> JCudnn.cudnnConvolutionBackwardBias(
                                call.handle(),
                                DevicePointer.ONE,
                                dy,
                                call.at(Arg.DY),
                                b.before(),
                                dbias,
                                call.at(Arg.DBIAS))));
    }

    private static void epilogue(PlanBuilder b, Convolution c, Epilogue.Step step) {
        cudnnTensorDescriptor y = b.tensor(Arg.Y);
        switch (step) {
            case BIAS -> add(b, Arg.BIAS, b.make().tensor(b.spec(Arg.BIAS).dims(), c.type(), b.layout()), y);
            case RESIDUAL -> add(b, Arg.RESIDUAL, y, y);
            case RELU -> CudnnActivation.forward(b, Activation.Kind.RELU, Arg.Y);
            case TANH -> CudnnActivation.forward(b, Activation.Kind.TANH, Arg.Y);
            case SIGMOID -> CudnnActivation.forward(b, Activation.Kind.SIGMOID, Arg.Y);
        }
    }

    private static void add(PlanBuilder b, Arg arg, cudnnTensorDescriptor what, cudnnTensorDescriptor y) {
        b.step(
                "add_tensor",
                call -> Cudnn.call(
                        "add " + arg,
                        () -> JCudnn.cudnnAddTensor(
                                call.handle(),
                                DevicePointer.ONE,
                                what,
                                call.at(arg),
                                DevicePointer.ONE,
                                y,
                                call.at(Arg.Y))));
    }
}
