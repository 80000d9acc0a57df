package io.github.jcuconv.cudnn;

import io.github.jcuconv.DataType;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.BatchNorm;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.Phase;
import io.github.jcuconv.spi.EngineSpi.Block;
import java.util.Optional;
import jcuda.Pointer;
import jcuda.jcudnn.JCudnn;
import jcuda.jcudnn.cudnnBatchNormMode;
import jcuda.jcudnn.cudnnTensorDescriptor;

/**
 * Batch normalization. cuDNN saves 1 / sqrt(variance + eps), our contract the biased variance: so it is told to move running statistics wholly to
 * those of the batch, in SAVE_MEAN and SAVE_VAR, which gives the mean and the unbiased variance; the true running statistics are moved by them, and
 * SAVE_VAR is scaled to the biased one. All that costs calls on vectors of C numbers. Backward, cuDNN takes the statistics of x anew.
 */
final class CudnnBatchNorm implements Factory<BatchNorm> {
    private static final int MODE = cudnnBatchNormMode.CUDNN_BATCHNORM_SPATIAL;
    private static final DevicePointer NONE = new DevicePointer(0);

    @Override
    public Optional<String> refusal(BatchNorm op, Pass pass) {
        if (op.phase() == Phase.TRAINING && count(op) == 1) {
            return Optional.of("cuDNN divides by the number of values per channel less one, and there is one");
        }
        DataType storage = op.types().of(Arg.X);
        return op.arguments(pass).stream()
                .filter(spec -> spec.type() != (isImage(spec.arg()) ? storage : DataType.FP32))
                .findFirst()
                .map(spec ->
                        "cuDNN wants images of one type and vectors of FP32, and " + spec.arg() + " is " + spec.type())
                .or(() -> Layouts.bf16(op, pass));
    }

    private static boolean isImage(Arg arg) {
        return arg == Arg.X || arg == Arg.Y || arg == Arg.DX || arg == Arg.DY;
    }

    private static double count(BatchNorm op) {
        return (double) op.x().n() * op.x().h() * op.x().w();
    }

    @Override
    public void plan(PlanBuilder b, BatchNorm op, Pass pass) {
        cudnnTensorDescriptor x = b.tensor(Arg.X);
        cudnnTensorDescriptor vector = b.make().emptyTensor();
        Cudnn.call("describe vectors of batch norm", () -> JCudnn.cudnnDeriveBNTensorDescriptor(vector, x, MODE));
        if (pass == Pass.BWD) {
            backward(b, op, x, vector);
        } else if (op.phase() == Phase.TRAINING) {
            train(b, op, x, vector);
        } else {
            infer(b, op, x, vector);
        }
    }

    private static void infer(PlanBuilder b, BatchNorm op, cudnnTensorDescriptor x, cudnnTensorDescriptor vector) {
        b.step(
                "batch_normalization",
                call -> Cudnn.call(
                        "batch normalization inference",
                        () -> JCudnn.cudnnBatchNormalizationForwardInference(
                                call.dnn(),
                                MODE,
                                DevicePointer.ONE,
                                DevicePointer.ZERO,
                                x,
                                call.at(Arg.X),
                                x,
                                call.at(Arg.Y),
                                vector,
                                call.at(Arg.GAMMA),
                                call.at(Arg.BETA),
                                call.at(Arg.RUNNING_MEAN),
                                call.at(Arg.RUNNING_VAR),
                                op.eps())));
    }

    private static void train(PlanBuilder b, BatchNorm op, cudnnTensorDescriptor x, cudnnTensorDescriptor vector) {
        b.step("fill", call -> {
            zero(b, call, op, Arg.SAVE_MEAN);
            zero(b, call, op, Arg.SAVE_VAR);
        });
        b.step(
                "batch_normalization",
                call -> Cudnn.call(
                        "batch normalization forward",
                        () -> JCudnn.cudnnBatchNormalizationForwardTraining(
                                call.dnn(),
                                MODE,
                                DevicePointer.ONE,
                                DevicePointer.ZERO,
                                x,
                                call.at(Arg.X),
                                x,
                                call.at(Arg.Y),
                                vector,
                                call.at(Arg.GAMMA),
                                call.at(Arg.BETA),
                                1,
                                call.at(Arg.SAVE_MEAN),
                                call.at(Arg.SAVE_VAR),
                                op.eps(),
                                NONE,
                                NONE)));
        Pointer batch = DevicePointer.factor(op.momentum());
        Pointer before = DevicePointer.factor(1 - op.momentum());
        move(b, vector, batch, Arg.SAVE_MEAN, before, Arg.RUNNING_MEAN);
        move(b, vector, batch, Arg.SAVE_VAR, before, Arg.RUNNING_VAR);
        Pointer biased = DevicePointer.factor((float) ((count(op) - 1) / count(op)));
        b.step(
                "scale_tensor",
                call -> Cudnn.call(
                        "scale the variance",
                        () -> JCudnn.cudnnScaleTensor(call.dnn(), vector, call.at(Arg.SAVE_VAR), biased)));
    }

    /** What is there is multiplied by 0, which would not remove a NaN. */
    private static void zero(PlanBuilder b, Step.Call call, BatchNorm op, Arg arg) {
        Block to = new Block(call.args().get(arg).address(), null);
        b.engine().fill(to, (long) op.x().c() * DataType.FP32.bytes(), (byte) 0, call.stream());
    }

    private static void move(
            PlanBuilder b, cudnnTensorDescriptor vector, Pointer batch, Arg from, Pointer before, Arg running) {
        b.step(
                "add_tensor",
                call -> Cudnn.call(
                        "move " + running,
                        () -> JCudnn.cudnnAddTensor(
                                call.dnn(), batch, vector, call.at(from), before, vector, call.at(running))));
    }

    private static void backward(PlanBuilder b, BatchNorm op, cudnnTensorDescriptor x, cudnnTensorDescriptor vector) {
        b.step(
                "batch_normalization",
                call -> Cudnn.call(
                        "batch normalization backward",
                        () -> JCudnn.cudnnBatchNormalizationBackward(
                                call.dnn(),
                                MODE,
                                DevicePointer.ONE,
                                DevicePointer.ZERO,
                                DevicePointer.ONE,
                                DevicePointer.ZERO,
                                x,
                                call.at(Arg.X),
                                x,
                                call.at(Arg.DY),
                                x,
                                call.at(Arg.DX),
                                vector,
                                call.at(Arg.GAMMA),
                                call.at(Arg.DGAMMA),
                                call.at(Arg.DBETA),
                                op.eps(),
                                NONE,
                                NONE)));
    }
}
