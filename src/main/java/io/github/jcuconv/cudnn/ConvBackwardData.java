package io.github.jcuconv.cudnn;

import java.util.ArrayList;
import java.util.List;
import jcuda.Pointer;
import jcuda.jcudnn.JCudnn;
import jcuda.jcudnn.cudnnConvolutionBwdDataAlgo;
import jcuda.jcudnn.cudnnConvolutionBwdDataAlgoPerf;
import jcuda.jcudnn.cudnnHandle;

/** x from y and w: dgrad of a convolution, fprop of a transposed one. */
final class ConvBackwardData implements ConvFunction {
    @Override
    public String name() {
        return "convolution backward data";
    }

    @Override
    public List<Algorithm> find(cudnnHandle handle, Problem p) {
        int[] count = new int[1];
        Cudnn.call(
                name() + ": count algorithms",
                () -> JCudnn.cudnnGetConvolutionBackwardDataAlgorithmMaxCount(handle, count));
        cudnnConvolutionBwdDataAlgoPerf[] found = new cudnnConvolutionBwdDataAlgoPerf[count[0]];
        for (int i = 0; i < found.length; i++) {
            found[i] = new cudnnConvolutionBwdDataAlgoPerf();
        }
        Cudnn.call(
                name() + ": find algorithms",
                () -> JCudnn.cudnnFindConvolutionBackwardDataAlgorithm(
                        handle, p.w(), p.y(), p.conv(), p.x(), found.length, count, found));
        List<Algorithm> algorithms = new ArrayList<>();
        for (int i = 0; i < count[0]; i++) {
            cudnnConvolutionBwdDataAlgoPerf a = found[i];
            if (a.status == 0) {
                String text = cudnnConvolutionBwdDataAlgo.stringFor(a.algo);
                algorithms.add(Algorithm.of(a.algo, text, a.memory, a.determinism, a.time));
            }
        }
        return algorithms;
    }

    @Override
    public long workspaceBytes(cudnnHandle handle, Problem p, int algorithm) {
        long[] bytes = new long[1];
        Cudnn.call(
                name() + ": size of the workspace",
                () -> JCudnn.cudnnGetConvolutionBackwardDataWorkspaceSize(
                        handle, p.w(), p.y(), p.conv(), p.x(), algorithm, bytes));
        return bytes[0];
    }

    @Override
    public void run(
            cudnnHandle handle,
            Problem p,
            Tensors t,
            int algorithm,
            Pointer workspace,
            long workspaceBytes,
            Pointer before) {
        Cudnn.call(
                name(),
                () -> JCudnn.cudnnConvolutionBackwardData(
                        handle,
                        DevicePointer.ONE,
                        p.w(),
                        t.w(),
                        p.y(),
                        t.y(),
                        p.conv(),
                        algorithm,
                        workspace,
                        workspaceBytes,
                        before,
                        p.x(),
                        t.x()));
    }
}
