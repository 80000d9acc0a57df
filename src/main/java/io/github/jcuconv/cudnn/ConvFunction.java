package io.github.jcuconv.cudnn;

import java.util.List;
import jcuda.Pointer;
import jcuda.jcudnn.cudnnConvolutionDescriptor;
import jcuda.jcudnn.cudnnFilterDescriptor;
import jcuda.jcudnn.cudnnHandle;
import jcuda.jcudnn.cudnnTensorDescriptor;

/** One of cuDNN's three convolution functions: which algorithms it has, and how it is called. */
interface ConvFunction {
    /** The descriptors of a convolution. */
    record Problem(
            cudnnTensorDescriptor x,
            cudnnFilterDescriptor w,
            cudnnConvolutionDescriptor conv,
            cudnnTensorDescriptor y) {}

    /** Its three tensors. */
    record Tensors(Pointer x, Pointer w, Pointer y) {}

    /** The function's name. */
    String name();

    /** Has cuDNN time all its algorithms, in memory of its own; fastest first. */
    List<Algorithm> find(cudnnHandle handle, Problem p);

    /** Bytes of scratch that an algorithm needs. */
    long workspaceBytes(cudnnHandle handle, Problem p, int algorithm);

    /**
     * Queues the call.
     *
     * @param before factor on what the output held
     */
    void run(
            cudnnHandle handle,
            Problem p,
            Tensors t,
            int algorithm,
            Pointer workspace,
            long workspaceBytes,
            Pointer before);
}
