package io.github.jcuconv.cudnn;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Dims;
import io.github.jcuconv.Layout;
import io.github.jcuconv.op.Lrn;
import io.github.jcuconv.op.Window;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToIntFunction;
import jcuda.jcudnn.JCudnn;
import jcuda.jcudnn.cudnnActivationDescriptor;
import jcuda.jcudnn.cudnnConvolutionDescriptor;
import jcuda.jcudnn.cudnnConvolutionMode;
import jcuda.jcudnn.cudnnDataType;
import jcuda.jcudnn.cudnnFilterDescriptor;
import jcuda.jcudnn.cudnnLRNDescriptor;
import jcuda.jcudnn.cudnnNanPropagation;
import jcuda.jcudnn.cudnnOpTensorDescriptor;
import jcuda.jcudnn.cudnnPoolingDescriptor;
import jcuda.jcudnn.cudnnTensorDescriptor;
import jcuda.jcudnn.cudnnTensorFormat;

/** cuDNN's descriptors of one plan: made here, filled once, destroyed with the plan. */
final class Descriptors implements AutoCloseable {
    private final List<Runnable> destroyers = new ArrayList<>();

    private <T> T made(String kind, T descriptor, ToIntFunction<T> create, ToIntFunction<T> destroy) {
        Cudnn.call("create " + kind + " descriptor", () -> create.applyAsInt(descriptor));
        destroyers.add(() -> Cudnn.call("destroy " + kind + " descriptor", () -> destroy.applyAsInt(descriptor)));
        return descriptor;
    }

    cudnnTensorDescriptor emptyTensor() {
        return made(
                "tensor",
                new cudnnTensorDescriptor(),
                JCudnn::cudnnCreateTensorDescriptor,
                JCudnn::cudnnDestroyTensorDescriptor);
    }

    cudnnTensorDescriptor tensor(Dims d, DataType type, Layout layout) {
        cudnnTensorDescriptor made = emptyTensor();
        Cudnn.call(
                "describe a tensor of " + d,
                () -> JCudnn.cudnnSetTensor4dDescriptor(made, format(layout), type(type), d.n(), d.c(), d.h(), d.w()));
        return made;
    }

    /** The part of a larger tensor that has a smaller one's shape. */
    cudnnTensorDescriptor window(Dims part, Dims whole, DataType type, boolean nhwc) {
        cudnnTensorDescriptor made = emptyTensor();
        int image = Math.toIntExact(whole.perImage());
        int channel = nhwc ? 1 : whole.h() * whole.w();
        int column = nhwc ? whole.c() : 1;
        Cudnn.call(
                "describe a part of " + whole,
                () -> JCudnn.cudnnSetTensor4dDescriptorEx(
                        made,
                        type(type),
                        part.n(),
                        part.c(),
                        part.h(),
                        part.w(),
                        image,
                        channel,
                        whole.w() * column,
                        column));
        return made;
    }

    cudnnFilterDescriptor filter(Dims d, DataType type, Layout layout) {
        cudnnFilterDescriptor made = made(
                "filter",
                new cudnnFilterDescriptor(),
                JCudnn::cudnnCreateFilterDescriptor,
                JCudnn::cudnnDestroyFilterDescriptor);
        Cudnn.call(
                "describe filters of " + d,
                () -> JCudnn.cudnnSetFilter4dDescriptor(made, type(type), format(layout), d.n(), d.c(), d.h(), d.w()));
        return made;
    }

    /** Sums are fp32; padding is that of the top and the left. */
    cudnnConvolutionDescriptor convolution(Window w, int groups, int math) {
        cudnnConvolutionDescriptor made = made(
                "convolution",
                new cudnnConvolutionDescriptor(),
                JCudnn::cudnnCreateConvolutionDescriptor,
                JCudnn::cudnnDestroyConvolutionDescriptor);
        Cudnn.call(
                "describe a convolution",
                () -> JCudnn.cudnnSetConvolution2dDescriptor(
                        made,
                        w.padding().top(),
                        w.padding().left(),
                        w.strideH(),
                        w.strideW(),
                        w.dilationH(),
                        w.dilationW(),
                        cudnnConvolutionMode.CUDNN_CROSS_CORRELATION,
                        cudnnDataType.CUDNN_DATA_FLOAT));
        Cudnn.call("set groups", () -> JCudnn.cudnnSetConvolutionGroupCount(made, groups));
        Cudnn.call("set the math type", () -> JCudnn.cudnnSetConvolutionMathType(made, math));
        return made;
    }

    cudnnPoolingDescriptor pooling(Window w, int mode) {
        cudnnPoolingDescriptor made = made(
                "pooling",
                new cudnnPoolingDescriptor(),
                JCudnn::cudnnCreatePoolingDescriptor,
                JCudnn::cudnnDestroyPoolingDescriptor);
        Cudnn.call(
                "describe a pooling",
                () -> JCudnn.cudnnSetPooling2dDescriptor(
                        made,
                        mode,
                        cudnnNanPropagation.CUDNN_PROPAGATE_NAN,
                        w.r(),
                        w.s(),
                        w.padding().top(),
                        w.padding().left(),
                        w.strideH(),
                        w.strideW()));
        return made;
    }

    cudnnActivationDescriptor activation(int mode) {
        cudnnActivationDescriptor made = made(
                "activation",
                new cudnnActivationDescriptor(),
                JCudnn::cudnnCreateActivationDescriptor,
                JCudnn::cudnnDestroyActivationDescriptor);
        Cudnn.call(
                "describe an activation",
                () -> JCudnn.cudnnSetActivationDescriptor(made, mode, cudnnNanPropagation.CUDNN_PROPAGATE_NAN, 0));
        return made;
    }

    /** cuDNN divides alpha by the size, always. */
    cudnnLRNDescriptor lrn(Lrn op) {
        cudnnLRNDescriptor made = made(
                "LRN", new cudnnLRNDescriptor(), JCudnn::cudnnCreateLRNDescriptor, JCudnn::cudnnDestroyLRNDescriptor);
        double alpha = (double) op.factor() * op.size();
        Cudnn.call("describe an LRN", () -> JCudnn.cudnnSetLRNDescriptor(made, op.size(), alpha, op.beta(), op.k()));
        return made;
    }

    cudnnOpTensorDescriptor opTensor(int operation) {
        cudnnOpTensorDescriptor made = made(
                "operation",
                new cudnnOpTensorDescriptor(),
                JCudnn::cudnnCreateOpTensorDescriptor,
                JCudnn::cudnnDestroyOpTensorDescriptor);
        Cudnn.call(
                "describe an operation",
                () -> JCudnn.cudnnSetOpTensorDescriptor(
                        made, operation, cudnnDataType.CUDNN_DATA_FLOAT, cudnnNanPropagation.CUDNN_PROPAGATE_NAN));
        return made;
    }

    private static int format(Layout layout) {
        return layout == Layout.Plain.NHWC ? cudnnTensorFormat.CUDNN_TENSOR_NHWC : cudnnTensorFormat.CUDNN_TENSOR_NCHW;
    }

    private static int type(DataType type) {
        return switch (type) {
            case FP32 -> cudnnDataType.CUDNN_DATA_FLOAT;
            case FP16 -> cudnnDataType.CUDNN_DATA_HALF;
            case BF16 -> cudnnDataType.CUDNN_DATA_BFLOAT16;
            default -> throw new IllegalArgumentException("cuDNN computes with floating types only, not with " + type);
        };
    }

    @Override
    public void close() {
        destroyers.forEach(Runnable::run);
        destroyers.clear();
    }
}
